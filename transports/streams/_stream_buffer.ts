import { copyOf } from "../core/_read_buffer.ts";

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** How far ahead of the data memory is allocated for a read that wants much, in bytes. */
const AHEAD = 1024 * 1024;

/**
 * The unread bytes of a stream, in one piece.
 *
 * *Theory of operation.* What is taken is a copy, so that it shares no memory with what is unread,
 * and keeps none alive. But the last unread bytes are taken with the storage, where they fill at
 * least half of it. A chunk that comes while nothing is unread becomes the storage itself. These two
 * make the usual cases free of copies: a message that is read as it came, and a large read, whose
 * storage was made for it. A full storage is replaced by one with room for as many bytes again.
 */
export class StreamBuffer {
  #storage: Uint8Array = EMPTY;
  /** Where the unread bytes begin and end. */
  #start = 0;
  #end = 0;
  /** How many bytes were taken before. */
  #taken = 0;

  /** How many bytes are unread. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** How many bytes of the stream were taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether {@linkcode adopt} is possible, and as good as {@linkcode append}. */
  adopts(count: number, wanted: number): boolean {
    return this.size === 0 && count >= wanted;
  }

  /** Takes the memory of `bytes` over, which nobody else has, with nothing unread before them. */
  adopt(bytes: Uint8Array): void {
    this.#storage = bytes;
    this.#start = 0;
    this.#end = bytes.length;
  }

  /**
   * Adds a copy of `bytes`.
   *
   * @param wanted How many unread bytes somebody waits for.
   */
  append(bytes: Uint8Array, wanted: number): void {
    const needed = this.size + bytes.length;
    if (needed > this.#storage.length) this.#move(needed, wanted);
    else if (this.#end + bytes.length > this.#storage.length) this.#compact();
    this.#storage.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Puts `bytes`, which have passed the buffer by, in front of the unread ones. */
  prepend(bytes: Uint8Array): void {
    const joined = new Uint8Array(bytes.length + this.size);
    joined.set(bytes);
    joined.set(this.#storage.subarray(this.#start, this.#end), bytes.length);
    this.adopt(joined);
  }

  /** Takes the first `count` unread bytes. */
  take(count: number): Uint8Array {
    const storage = this.#storage;
    const start = this.#start;
    const end = start + count;
    this.#taken += count;
    if (end < this.#end) {
      this.#start = end;
      return copyOf(storage, start, end);
    }
    this.#forget();
    if (count === 0) return new Uint8Array(0);
    if (count === storage.length) return storage;
    return count * 2 < storage.length ? copyOf(storage, start, end) : storage.subarray(start, end);
  }

  /** Takes up to as many bytes as `target` holds, and copies them there. Returns how many. */
  takeInto(target: Uint8Array): number {
    const count = Math.min(this.size, target.length);
    target.set(this.#storage.subarray(this.#start, this.#start + count));
    this.drop(count);
    return count;
  }

  /** Drops the first `count` unread bytes. */
  drop(count: number): void {
    this.#taken += count;
    if (count === this.size) this.#forget();
    else this.#start += count;
  }

  /** Whether `bytes` stand at `offset` of the unread ones. */
  startsWith(bytes: Uint8Array, offset: number): boolean {
    const storage = this.#storage;
    const at = this.#start + offset;
    if (at + bytes.length > this.#end) return false;
    for (let index = 0; index < bytes.length; index += 1) {
      if (storage[at + index] !== bytes[index]) return false;
    }
    return true;
  }

  /** Returns where `bytes`, at least one, stand first from `offset` on and before `end`, or -1. */
  indexOf(bytes: Uint8Array, offset: number, end: number): number {
    const first = bytes[0] as number;
    const storage = this.#storage;
    const start = this.#start;
    const stop = Math.min(start + end, this.#end);
    // A search has no end but that of what it goes through; a view costs as much as a short search.
    const searched = stop === storage.length ? storage : storage.subarray(0, stop);
    let at = searched.indexOf(first, start + offset);
    while (at !== -1 && at + bytes.length <= stop) {
      if (bytes.length === 1 || this.startsWith(bytes, at - start)) return at - start;
      at = searched.indexOf(first, at + 1);
    }
    return -1;
  }

  /** Nothing is unread: the storage is left to who has taken the last bytes. */
  #forget(): void {
    this.#storage = EMPTY;
    this.#start = this.#end = 0;
  }

  /** Moves the unread bytes to the beginning of the storage. */
  #compact(): void {
    this.#storage.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** Moves the unread bytes to a storage with room for `needed`, and for some of what will come. */
  #move(needed: number, wanted: number): void {
    const ahead = Math.max(needed * 2, AHEAD);
    const capacity = wanted > needed ? Math.min(wanted, ahead) : needed + this.size;
    const storage = new Uint8Array(capacity);
    storage.set(this.#storage.subarray(this.#start, this.#end));
    this.#storage = storage;
    this.#end -= this.#start;
    this.#start = 0;
  }
}
