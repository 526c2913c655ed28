/** Sizes of the buffer. An idle connection costs little, a busy one few reads. */
const SMALLEST = 4 * 1024;
const LARGEST = 256 * 1024;
const STEP = 4;

/** Reads in a row that use little of the buffer, until it shrinks. */
const PATIENCE = 16;

/** Copies up to this size are made by `slice()`, which fills the memory with zeros first. */
const SMALL_COPY = 2 * 1024;

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

/**
 * Returns a copy of the bytes from `start` to `end`, in memory of its own: who transfers it takes
 * nothing from others, and who keeps it keeps nothing else.
 */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  // What a `Buffer` of Node's calls a slice is a view.
  const isPlain = bytes.constructor === Uint8Array;
  if (end - start <= SMALL_COPY && isPlain) return bytes.slice(start, end);
  return new Uint8Array(bytes.subarray(start, end));
}

/** Returns the first `count` bytes of memory that nobody else uses: alone in it, copied if not. */
export function aloneIn(bytes: Uint8Array, count: number): Uint8Array {
  return count === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : copyOf(bytes, 0, count);
}

/** Whether nothing but `bytes` is in their memory. */
export function isAlone(bytes: Uint8Array): boolean {
  return bytes.length === bytes.buffer.byteLength;
}
