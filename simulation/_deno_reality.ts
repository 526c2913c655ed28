import { InvalidStateError } from "../loop/errors.ts";
import type { Patch } from "./_deno_globals.ts";
import type { World } from "./_world.ts";

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
    "chownSync",
    "Command",
    "copyFileSync",
    "createHttpClient",
    "createSync",
    "dlopen",
    "kill",
    "linkSync",
    "listen",
    "listenDatagram",
    "listenTls",
    "lstatSync",
    "makeTempDirSync",
    "makeTempFileSync",
    "mkdirSync",
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
    "truncateSync",
    "upgradeWebSocket",
    "utimeSync",
    "watchFs",
    "writeFileSync",
    "writeTextFileSync",
  ],
} as const;

/** Classes of the global scope that reach the real world. */
const GLOBAL_CLASSES = ["BroadcastChannel", "EventSource", "WebSocket", "Worker"];

/** Methods of `crypto.subtle` that the host computes on a thread of its own. */
const CRYPTO_METHODS = [
  "decrypt",
  "deriveBits",
  "deriveKey",
  "digest",
  "encrypt",
  "exportKey",
  "importKey",
  "sign",
  "unwrapKey",
  "verify",
  "wrapKey",
];

/** What would reach the real world. */
export function realityPatches(): Patch[] {
  const refuse = (target: object, prefix: string, key: string, rejects: boolean): Patch[] => {
    if (!(key in target)) return [];
    return [{ target, key, create: () => createRefusal(`${prefix}${key}()`, rejects) }];
  };
  return [
    ...DENO_FUNCTIONS.rejecting.flatMap((key) => refuse(Deno, "Deno.", key, true)),
    ...DENO_FUNCTIONS.throwing.flatMap((key) => refuse(Deno, "Deno.", key, false)),
    ...GLOBAL_CLASSES.flatMap((key) => refuse(globalThis, "new ", key, false)),
    ...refuse(globalThis, "", "fetch", true),
    ...refuse(SubtleCrypto.prototype, "crypto.subtle.", "generateKey", true),
    ...CRYPTO_METHODS.map((key): Patch => ({
      target: SubtleCrypto.prototype,
      key,
      create: holdTimeFor,
    })),
    {
      target: Deno,
      key: "addSignalListener",
      create: ({ signals }) => (signal: Deno.Signal, handler: () => void) => {
        signals.add(signal, handler);
      },
    },
    {
      target: Deno,
      key: "removeSignalListener",
      create: ({ signals }) => (signal: Deno.Signal, handler: () => void) => {
        signals.remove(signal, handler);
      },
    },
  ];
}

function createRefusal(call: string, rejects: boolean): () => Promise<never> {
  // An ordinary function, so that it may stand for a class, too.
  return function () {
    const error = new InvalidStateError(
      `Cannot call ${call} in a simulation: it reaches the real world; use the loop instead, ` +
        `or sim.outside()`,
    );
    if (rejects) return Promise.reject(error);
    throw error;
  };
}

/** Lets time stand still while the host computes. */
function holdTimeFor({ clock }: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => Promise<unknown>;
  return function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return Reflect.apply(original, this, args).finally(clock.hold());
  };
}
