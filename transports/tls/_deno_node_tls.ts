/** The modules of Node's that TLS stands on. */
export interface NodeTls {
  readonly crypto: typeof import("node:crypto");
  readonly events: typeof import("node:events");
  readonly stream: typeof import("node:stream");
  readonly tls: typeof import("node:tls");
}

/** What of Node's `process` is used. */
interface NodeProcess {
  /** Loads a module at once; `import()` would take turns of the host. */
  getBuiltinModule<N extends keyof NodeTls>(name: `node:${N}`): NodeTls[N];
  /** Calls `callback` before the promises of the engine go on. */
  nextTick(callback: () => void): void;
}

/** Returns Node's `process`: the global, as an import costs every program 12 ms at its start. */
export function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { process: NodeProcess }).process;
}

let modules: NodeTls | null = null;

/** Returns the modules. The first call loads them, which takes some 50 ms. */
export function nodeTls(): NodeTls {
  return modules ??= loadModules();
}

function loadModules(): NodeTls {
  const process = nodeProcess();
  return {
    crypto: process.getBuiltinModule("node:crypto"),
    events: process.getBuiltinModule("node:events"),
    stream: process.getBuiltinModule("node:stream"),
    tls: process.getBuiltinModule("node:tls"),
  };
}
