import { classPatches, type Patch } from "./_patch.ts";
import type { World } from "./_world.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** The most bytes that one call of `crypto.getRandomValues()` gives. */
const MOST_BYTES = 65_536;

/** Where chance comes from. */
export function chancePatches(): Patch[] {
  return [
    { target: Math, key: "random", create: ({ random }) => () => random.next() },
    { target: Crypto.prototype, key: "getRandomValues", create: createRandomValues },
    {
      target: Crypto.prototype,
      key: "randomUUID",
      create: ({ random }) => () => randomUuid(random),
    },
    // What it stands for can only be fetched, which a simulation refuses.
    {
      target: URL,
      key: "createObjectURL",
      create: ({ random }) => () => `blob:null/${randomUuid(random)}`,
    },
    { target: URL, key: "revokeObjectURL", create: () => () => {} },
    // When memory is collected is up to chance; never is one of the ways that are allowed.
    ...classPatches(globalThis, "WeakRef", () => StrongRef),
    ...classPatches(globalThis, "FinalizationRegistry", () => SilentRegistry),
  ];
}

/** A `WeakRef` to what is never collected. */
class StrongRef<T extends WeakKey> {
  readonly #target: T;

  constructor(target: T) {
    this.#target = target;
  }

  get [Symbol.toStringTag](): string {
    return "WeakRef";
  }

  deref(): T {
    return this.#target;
  }
}

/** A `FinalizationRegistry` for what is never collected. */
class SilentRegistry {
  get [Symbol.toStringTag](): string {
    return "FinalizationRegistry";
  }

  register(): void {}

  unregister(): boolean {
    return false;
  }
}

function createRandomValues({ random }: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as Crypto["getRandomValues"];
  return function (this: Crypto, array: ArrayBufferView): ArrayBufferView {
    const isFilled = ArrayBuffer.isView(array) && array.byteLength <= MOST_BYTES &&
      !(array instanceof DataView) && !/^Float/.test(array.constructor.name);
    // The original says what is wrong with it.
    if (!isFilled) return Reflect.apply(original, this, [array]);
    fill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), random);
    return array;
  };
}

function fill(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = random.bits() >>> 24;
  return bytes;
}

/** Returns a UUID of version 4. */
function randomUuid(random: SeededRandom): string {
  const bytes = fill(new Uint8Array(16), random);
  const [version = 0, variant = 0] = [bytes[6], bytes[8]];
  bytes[6] = (version & 0x0f) | 0x40;
  bytes[8] = (variant & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
