/** Chunks are joined up to this many bytes: one system call costs more than the copy. */
const JOINED_SIZE = 64 * 1024;

/**
 * Bytes that wait for the write in flight. Flow control bounds it: the writer is told to pause,
 * and one that does not listen fills it as far as memory goes, as in asyncio.
 */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  /** Chunks that were taken; they are dropped in bulk. */
  #taken = 0;

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.#taken === this.#chunks.length;
  }

  /** Adds `bytes` at the end. */
  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
  }

  /** Takes what to send next: one large chunk, or several small ones joined. */
  take(): Uint8Array {
    const chunks = this.#chunks;
    const first = this.#taken;
    let size = (chunks[first] as Uint8Array).length;
    let next = first + 1;
    for (; next < chunks.length; next += 1) {
      const length = (chunks[next] as Uint8Array).length;
      if (size + length > JOINED_SIZE) break;
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
    this.#taken = 0;
  }

  #dropTaken(): void {
    this.#chunks = this.#chunks.slice(this.#taken);
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
