/** Sizes of the buffer. An idle connection costs little, a busy one few reads. */
const SMALLEST = 4 * 1024;
const LARGEST = 256 * 1024;
const STEP = 4;

/** Reads in a row that use little of the buffer, until it shrinks. */
const PATIENCE = 16;

/**
 * Copies up to this size are pieces of a slab: a small allocation costs more than the copy. Who
 * keeps one piece keeps its slab alive.
 */
const SMALL_COPY = 2 * 1024;
const SLAB_SIZE = 32 * 1024;

let slab = new Uint8Array(SLAB_SIZE);
let slabUsed = 0;

/** The buffer that a connection reads into, as large as its traffic needs. */
export class ReadBuffer {
  readonly #largest: number;
  #size = SMALLEST;
  #bytes: Uint8Array | null = null;
  /** Reads in a row that would have fitted the next smaller size. */
  #sparse = 0;

  /** Creates a buffer that grows up to `largest` bytes. */
  constructor(largest: number = LARGEST) {
    this.#largest = largest;
  }

  /** Returns the buffer for the next read. */
  take(): Uint8Array {
    return this.#bytes ??= new Uint8Array(this.#size);
  }

  /** Adapts the size to a read of `count` bytes. */
  adapt(count: number): void {
    const size = this.#size;
    if (count === size) this.#resize(Math.min(size * STEP, this.#largest));
    else if (size === SMALLEST || count * STEP > size) this.#sparse = 0;
    else if (++this.#sparse === PATIENCE) this.#resize(size / STEP);
  }

  #resize(size: number): void {
    this.#sparse = 0;
    if (size === this.#size) return;
    this.#size = size;
    this.#bytes = null;
  }
}

/** Returns a copy of the first `count` bytes. */
export function copyOf(bytes: Uint8Array, count: number): Uint8Array {
  // As `slice()`, which fills the memory with zeros first.
  if (count > SMALL_COPY) return new Uint8Array(bytes.subarray(0, count));
  // A program that transfers the memory of a copy detaches the slab; then its length is 0.
  if (slabUsed + count > slab.length) {
    slab = new Uint8Array(SLAB_SIZE);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed += count;
  slab.set(bytes.subarray(0, count), start);
  return slab.subarray(start, slabUsed);
}
