import { InvalidStateError } from "../../loop/errors/errors.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * What a channel has still to send of the write in flight.
 *
 * The memory is that of the writer, who may transfer or resize it although that is forbidden. Then
 * there are fewer bytes than were counted, or more, and nothing can be sent of them.
 */
export class UnsentBytes {
  #bytes: Uint8Array = NO_BYTES;
  #size = 0;

  /** How many bytes are still to be sent. */
  get size(): number {
    return this.#size;
  }

  /** Returns what a write has failed with, which `error` says: that, if the memory is intact. */
  explain(error: Error): Error {
    return this.#bytes.length === this.#size ? error : memoryChanged(error);
  }

  /** Starts with `bytes`, or a copy: Deno ends the program when memory of a pipe's gets smaller. */
  start(bytes: Uint8Array): void {
    const mayShrink = (bytes.buffer as ArrayBuffer).resizable === true;
    this.#bytes = mayShrink ? new Uint8Array(bytes) : bytes;
    this.#size = bytes.length;
  }

  /** Returns the first `limit` bytes, or all. */
  first(limit: number): Uint8Array {
    return this.#bytes.subarray(0, Math.min(limit, this.#size));
  }

  /**
   * The first `count` bytes, or all, went out.
   *
   * @returns How many that were; `null` if there is more, and its memory was transferred or resized.
   */
  sent(count: number): number | null {
    const bytes = this.#bytes;
    const size = this.#size;
    if (count < size && bytes.length !== size) return null;
    this.#bytes = count < size ? bytes.subarray(count) : NO_BYTES;
    this.#size = Math.max(0, size - count);
    return size - this.#size;
  }
}

/** Returns the error of a connection whose bytes to send are gone; `cause` is how that showed. */
export function memoryChanged(cause?: Error): Error {
  const message =
    "Cannot send what was written: its memory was transferred or resized before it went out";
  const error = new InvalidStateError(message);
  if (cause !== undefined) error.cause = cause;
  return error;
}
