/** The modules of Node's that TLS stands on. */
export interface NodeTls {
  readonly crypto: typeof import("node:crypto");
  readonly events: typeof import("node:events");
  readonly stream: typeof import("node:stream");
  readonly tls: typeof import("node:tls");
}

/** Loads a module at once; `import()` would take turns of the host. */
type BuiltinLoader = {
  getBuiltinModule<N extends keyof NodeTls>(name: `node:${N}`): NodeTls[N];
};

let modules: NodeTls | null = null;

/** Returns the modules. The first call loads them, which takes some 50 ms. */
export function nodeTls(): NodeTls {
  return modules ??= loadModules();
}

function loadModules(): NodeTls {
  // The global, as an import of `node:process` costs every program 12 ms.
  const { process } = globalThis as unknown as { process: BuiltinLoader };
  return {
    crypto: process.getBuiltinModule("node:crypto"),
    events: process.getBuiltinModule("node:events"),
    stream: process.getBuiltinModule("node:stream"),
    tls: process.getBuiltinModule("node:tls"),
  };
}
