import type { Patch } from "./_deno_globals.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** Where chance comes from. */
export function chancePatches(): Patch[] {
  return [
    { target: Math, key: "random", create: ({ random }) => () => random.next() },
    {
      target: crypto,
      key: "getRandomValues",
      create: ({ random }) => (array: ArrayBufferView): ArrayBufferView => {
        fill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), random);
        return array;
      },
    },
    {
      target: crypto,
      key: "randomUUID",
      create: ({ random }) => () => formatUuid(fill(new Uint8Array(16), random)),
    },
  ];
}

function fill(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = random.bits() >>> 24;
  return bytes;
}

/** Writes 16 random bytes as a UUID of version 4. */
function formatUuid(bytes: Uint8Array): string {
  const [version = 0, variant = 0] = [bytes[6], bytes[8]];
  bytes[6] = (version & 0x0f) | 0x40;
  bytes[8] = (variant & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
