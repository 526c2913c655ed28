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
    { target: MessagePort.prototype, key: "postMessage", create: holdTimeForMessage },
  ];
}

function holdTimeFor({ clock }: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => Promise<unknown>;
  return function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const release = clock.hold();
    try {
      return Reflect.apply(original, this, args).finally(release);
    } catch (error) {
      release();
      throw error;
    }
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
