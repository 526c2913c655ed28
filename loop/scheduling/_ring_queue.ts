/** Entries to keep room for when the queue is empty. */
const SMALLEST = 64;

/**
 * First in, first out, in a ring that doubles when full. Who fills it bounds it.
 */
export class RingQueue<T> {
  #ring: (T | undefined)[] = new Array(SMALLEST).fill(undefined);
  /** Entries ever taken; the head is this number, wrapped. */
  #taken = 0;
  #size = 0;

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds `entry` at the end. */
  push(entry: T): void {
    if (this.#size === this.#ring.length) this.#resize(this.#size * 2);
    this.#ring[(this.#taken + this.#size++) & (this.#ring.length - 1)] = entry;
  }

  /** Takes the first entry. The queue must not be empty. */
  shift(): T {
    const index = this.#taken;
    const entry = this.#ring[index] as T;
    this.#ring[index] = undefined;
    this.#taken = (index + 1) & (this.#ring.length - 1);
    this.#size -= 1;
    return entry;
  }

  /** Gives back the room that a burst took. Called while the queue is empty. */
  trim(): void {
    if (this.#ring.length > 65_536 && this.#size === 0) this.#resize(SMALLEST);
  }

  /** Removes all entries. */
  clear(): void {
    this.#size = 0;
    this.#resize(SMALLEST);
  }

  #resize(capacity: number): void {
    const old = this.#ring;
    const ring: (T | undefined)[] = new Array(capacity).fill(undefined);
    for (let index = 0; index < this.#size; index += 1) {
      ring[index] = old[(this.#taken + index) & (old.length - 1)];
    }
    this.#ring = ring;
    this.#taken = 0;
  }
}
