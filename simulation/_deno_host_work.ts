import { setImmediate } from "node:timers";
import type { Patch } from "./_patch.ts";
import type { World } from "./_world.ts";

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

/** Methods that read a blob, and tell of it by events. */
const FILE_READS = ["readAsArrayBuffer", "readAsBinaryString", "readAsDataURL", "readAsText"];

/** What the host works at while the program goes on: time stands still until it is done. */
export function hostWorkPatches(): Patch[] {
  const hold = (target: object, ...keys: string[]): Patch[] => {
    return keys.map((key) => ({ target, key, create: holdTimeFor }));
  };
  return [
    ...hold(SubtleCrypto.prototype, ...CRYPTO_METHODS),
    ...hold(WebAssembly, "compile", "instantiate"),
    ...hold(Blob.prototype, "arrayBuffer", "bytes", "text"),
    ...hold(globalThis, "createImageBitmap"),
    ...hold(Deno.permissions, "query"),
    ...hold(Deno.stdout, "write"),
    ...hold(Deno.stderr, "write"),
    ...FILE_READS.map((key): Patch => ({
      target: FileReader.prototype,
      key,
      create: holdTimeForReader,
    })),
    { target: MessagePort.prototype, key: "postMessage", create: holdTimeForMessage },
  ];
}

function holdTimeFor(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => Promise<unknown>;
  return function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const working: Promise<unknown> = Reflect.apply(original, this, args);
    const done = world.works.begin(world.place);
    return new Promise((resolve, reject) => {
      working.then((value) => done(() => resolve(value)), (error) => done(() => reject(error)));
    });
  };
}

function holdTimeForReader({ clock }: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => void;
  return function (this: FileReader, ...args: unknown[]): void {
    Reflect.apply(original, this, args);
    this.addEventListener("loadend", clock.hold(), { once: true });
  };
}

/** A message has come one turn of the host later; no other thread has to do with it. */
function holdTimeForMessage({ clock }: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => void;
  return function (this: MessagePort, ...args: unknown[]): void {
    Reflect.apply(original, this, args);
    const release = clock.hold();
    setImmediate(() => setImmediate(release));
  };
}
