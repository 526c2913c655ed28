/** Chunks are joined up to this many bytes: one system call costs more than the copy. */
const JOINED_SIZE = 64 * 1024;

/**
 * Bytes that wait for the write in flight. Flow control bounds it: the writer is told to pause,
 * and one that does not listen fills it as far as memory goes, as in asyncio.
 */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  /** The lengths that the chunks had when they came: their memory is still that of the writer. */
  #sizes: number[] = [];
  /** Chunks that were taken; they are dropped in bulk. */
  #taken = 0;

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.#taken === this.#chunks.length;
  }

  /** Adds `bytes` at the end. */
  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#sizes.push(bytes.length);
  }

  /**
   * Takes what to send next: one large chunk, or several small ones joined. `null` if the memory of
   * one was transferred or resized meanwhile.
   */
  take(): Uint8Array | null {
    const chunks = this.#chunks;
    const first = this.#taken;
    let size = 0;
    let next = first;
    for (; next < chunks.length; next += 1) {
      const length = this.#sizes[next] as number;
      if ((chunks[next] as Uint8Array).length !== length) return null;
      if (next > first && size + length > JOINED_SIZE) break;
      size += length;
    }
    const taken = chunks.slice(first, next);
    this.#taken = next;
    if (next > chunks.length / 2) this.#dropTaken();
    return taken.length === 1 ? taken[0] as Uint8Array : join(taken, size);
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks = [];
    this.#sizes = [];
    this.#taken = 0;
  }

  #dropTaken(): void {
    this.#chunks = this.#chunks.slice(this.#taken);
    this.#sizes = this.#sizes.slice(this.#taken);
    this.#taken = 0;
  }
}

/** Returns `chunks`, which are `size` bytes together, as one. */
export function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
