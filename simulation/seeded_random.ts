import type { Random } from "../loop/platform/platform.ts";

/**
 * Chance that is the same for the same seed. Not for secrets.
 *
 * @category Simulation
 *
 * @example Three dice
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SeededRandom } from "@gyre/asyncio/simulation";
 *
 * const roll = (seed: number) => {
 *   const random = new SeededRandom(seed);
 *   return [random.below(6), random.below(6), random.below(6)];
 * };
 * assertEquals(roll(1), roll(1));
 * ```
 */
export class SeededRandom implements Random {
  readonly #seed: string;
  /** The state of `sfc32`, a small generator of good quality with a period of about 2^128. */
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Creates the generator for `seed`. */
  constructor(seed: number | string) {
    this.#seed = String(seed);
    this.#a = hash(this.#seed, 0x9e3779b9);
    this.#b = hash(this.#seed, 0x85ebca6b);
    this.#c = hash(this.#seed, 0xc2b2ae35);
    for (let round = 0; round < 12; round += 1) this.bits();
  }

  /** Returns a number from 0 up to, but not, 1. */
  next(): number {
    return (this.bits() * 2 ** 21 + (this.bits() >>> 11)) / 2 ** 53;
  }

  /** Returns 32 random bits. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** Returns an integer from 0 up to, but not, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Returns `true` with this `probability`. Draws nothing for 0 and 1. */
  chance(probability: number): boolean {
    return probability > 0 && (probability >= 1 || this.next() < probability);
  }

  /** Returns the generator for one purpose, which draws from a stream of its own. */
  derive(purpose: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${purpose}`);
  }
}

/** A hash of `text` (FNV-1a with a final mix), 32 bits. */
function hash(text: string, basis: number): number {
  let value = basis | 0;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return (value ^ (value >>> 16)) | 0;
}
