import { InvalidStateError } from "../loop/errors/errors.ts";
import workerThreads from "node:worker_threads";
import type { Gate, Patch } from "./_patch.ts";
import { createRefusal } from "./_refused_call.ts";

/** Functions of Deno's that reach the real world. Those with a promise reject, the others throw. */
const DENO_FUNCTIONS = {
  rejecting: [
    "chmod",
    "chown",
    "connect",
    "connectTls",
    "copyFile",
    "create",
    "link",
    "lstat",
    "makeTempDir",
    "makeTempFile",
    "mkdir",
    "open",
    "readFile",
    "readLink",
    "readTextFile",
    "realPath",
    "remove",
    "rename",
    "resolveDns",
    "startTls",
    "stat",
    "symlink",
    "truncate",
    "utime",
    "writeFile",
    "writeTextFile",
  ],
  throwing: [
    "chmodSync",
    "chdir",
    "chownSync",
    "Command",
    "cpuUsage",
    "cron",
    "copyFileSync",
    "createHttpClient",
    "createSync",
    "dlopen",
    "kill",
    "linkSync",
    "listen",
    "listenDatagram",
    "listenTls",
    "loadavg",
    "lstatSync",
    "makeTempDirSync",
    "makeTempFileSync",
    "memoryUsage",
    "mkdirSync",
    "networkInterfaces",
    "openKv",
    "openSync",
    "readDir",
    "readDirSync",
    "readFileSync",
    "readLinkSync",
    "readTextFileSync",
    "realPathSync",
    "removeSync",
    "renameSync",
    "serve",
    "spawn",
    "spawnAndWait",
    "spawnAndWaitSync",
    "statSync",
    "symlinkSync",
    "systemMemoryInfo",
    "truncateSync",
    "umask",
    "UnsafeCallback",
    "UnsafeFnPointer",
    "upgradeWebSocket",
    "utimeSync",
    "watchFs",
    "writeFileSync",
    "writeTextFileSync",
  ],
} as const;

/** Classes of the global scope that reach the real world. */
const GLOBAL_CLASSES = ["BroadcastChannel", "EventSource", "WebSocket", "Worker"];

/** Functions of the global scope that ask who sits before the screen. */
const DIALOGUES = ["alert", "confirm", "prompt"];

/** Objects that keep something for longer than a run. */
const STORES = ["caches", "localStorage", "sessionStorage"];

/** Methods of open files; those with a promise reject, the others throw. */
const FILE_METHODS = {
  rejecting: [
    "lock",
    "read",
    "seek",
    "stat",
    "sync",
    "syncData",
    "truncate",
    "unlock",
    "utime",
    "write",
  ],
  throwing: [
    "lockSync",
    "readSync",
    "seekSync",
    "statSync",
    "syncDataSync",
    "syncSync",
    "truncateSync",
    "unlockSync",
    "utimeSync",
    "writeSync",
  ],
};

/** Algorithms whose results have the host's chance in them. */
const CHANCY = /^(ECDSA|RSA-PSS|RSA-OAEP)$/i;

/** What would reach the real world. */
export function realityPatches(): Patch[] {
  const refuse = (target: object, prefix: string, key: string, rejects: boolean): Patch[] => {
    if (!(key in target)) return [];
    const name = `${prefix}${key}`;
    return [{
      target,
      key,
      create: (world, readOriginal) => {
        return world.serve(name, readOriginal, target) ?? createRefusal(`${name}()`, rejects);
      },
    }];
  };
  const { gpu, locks } = navigator as { gpu?: object; locks?: object };
  return [
    ...DENO_FUNCTIONS.rejecting.flatMap((key) => refuse(Deno, "Deno.", key, true)),
    ...DENO_FUNCTIONS.throwing.flatMap((key) => refuse(Deno, "Deno.", key, false)),
    ...GLOBAL_CLASSES.flatMap((key) => refuse(globalThis, "new ", key, false)),
    ...refuse(globalThis, "", "fetch", true),
    ...refuse(SubtleCrypto.prototype, "crypto.subtle.", "generateKey", true),
    ...DIALOGUES.flatMap((key) => refuse(globalThis, "", key, false)),
    ...STORES.filter((key) => key in globalThis).map((key): Patch => ({
      target: globalThis,
      key,
      create: () => createRefusingObject(key),
    })),
    ...FILE_METHODS.rejecting.flatMap((key) => refuse(Deno.FsFile.prototype, "FsFile.", key, true)),
    ...FILE_METHODS.throwing.flatMap((key) => refuse(Deno.FsFile.prototype, "FsFile.", key, false)),
    ...refuse(Deno.stdin, "Deno.stdin.", "read", true),
    ...refuse(Deno.stdin, "Deno.stdin.", "readSync", false),
    ...refuse(Deno.stdin, "Deno.stdin.", "setRaw", false),
    { target: Deno.stdin, key: "readable", read: createRefusal("Deno.stdin.readable", false) },
    ...["request", "revoke"].flatMap((key) => [
      ...refuse(Deno.permissions, "Deno.permissions.", key, true),
      ...refuse(Deno.permissions, "Deno.permissions.", `${key}Sync`, false),
    ]),
    ...refuse(WebAssembly, "WebAssembly.", "compileStreaming", true),
    ...refuse(WebAssembly, "WebAssembly.", "instantiateStreaming", true),
    ...["wait", "waitAsync"].flatMap((key) => refuse(Atomics, "Atomics.", key, false)),
    ...gpu === undefined ? [] : refuse(gpu, "navigator.gpu.", "requestAdapter", true),
    ...locks === undefined ? [] : refuse(locks, "navigator.locks.", "request", true),
    ...["encrypt", "sign"].map((key): Patch => ({
      target: SubtleCrypto.prototype,
      key,
      create: (_world, readOriginal) => refuseChance(key, readOriginal),
    })),
  ];
}

/** The same classes, for who has kept them from before; and that of Node's workers. */
export function realityGates(): Gate[] {
  const gate = (gated: object, name: string): Gate => {
    const refuse = createRefusal(`new ${name}()`, false) as () => never;
    return { gated, refuse };
  };
  return [
    ...GLOBAL_CLASSES.filter((key) => key in globalThis).map((key) => {
      return gate(Reflect.get(globalThis, key) as object, key);
    }),
    gate(workerThreads.Worker, "Worker"),
  ];
}

/** An object none of whose parts can be used. */
function createRefusingObject(name: string): object {
  const refuse = (key: string | symbol): never => {
    throw createRefusal(`${name}.${String(key)}()`, false)();
  };
  return new Proxy({}, {
    get: (_, key) => typeof key === "symbol" ? undefined : refuse(key),
    set: (_, key) => refuse(key),
    has: (_, key) => refuse(key),
    ownKeys: () => refuse("keys"),
  });
}

/** Refuses algorithms that draw from the host's chance. */
function refuseChance(key: string, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => Promise<unknown>;
  return function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const [algorithm] = args as [{ name?: unknown } | string | null | undefined];
    const name = String(typeof algorithm === "object" ? algorithm?.name : algorithm);
    if (!CHANCY.test(name)) return Reflect.apply(original, this, args);
    return Promise.reject(
      new InvalidStateError(
        `Cannot call crypto.subtle.${key}() with ${name} in a simulation: ` +
          `the host's chance is in its result`,
      ),
    );
  };
}
