import process from "node:process";

/** The modules of Node's that TLS stands on. */
export interface NodeTls {
  readonly crypto: typeof import("node:crypto");
  readonly events: typeof import("node:events");
  readonly stream: typeof import("node:stream");
  readonly tls: typeof import("node:tls");
}

let modules: NodeTls | null = null;

/** Returns the modules. The first call loads them, which takes some 50 ms. */
export function nodeTls(): NodeTls {
  return modules ??= {
    crypto: process.getBuiltinModule("node:crypto"),
    events: process.getBuiltinModule("node:events"),
    stream: process.getBuiltinModule("node:stream"),
    tls: process.getBuiltinModule("node:tls"),
  };
}
