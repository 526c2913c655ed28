import { memoryChanged } from "./_memory_changed.ts";

/** As much as a pipe holds. A longer write is cut, so that its progress shows. */
const PIECE_SIZE = 64 * 1024;

const NO_BYTES = new Uint8Array(0);

/** What a {@linkcode PieceWriter} writes for. */
export interface PieceSink {
  /** Hands a piece to the host, and calls {@linkcode PieceWriter.sent} once that has taken it. */
  sendPiece(piece: Uint8Array): void;
  /** `count` bytes went out. */
  pieceSent(count: number): void;
  /** The rest cannot be sent. */
  piecesLost(error: Error): void;
}

/**
 * Sends the write in flight in pieces: one is with the host at a time.
 *
 * The memory is that of the writer, who may transfer or resize it although that is forbidden. Then
 * there are fewer bytes than were counted, or more, and nothing can be sent of them.
 */
export class PieceWriter {
  readonly #sink: PieceSink;
  #bytes: Uint8Array = NO_BYTES;
  #size = 0;

  constructor(sink: PieceSink) {
    this.#sink = sink;
  }

  /** Returns what a write has failed with, which `error` says: that, if the memory is intact. */
  explain(error: Error): Error {
    return this.#bytes.length === this.#size ? error : memoryChanged(error);
  }

  /**
   * Sends `bytes`, or a copy: Deno ends the program when memory of a pipe's gets smaller.
   *
   * @returns How many went out at once, as of a channel's `write()`: none.
   */
  write(bytes: Uint8Array): number {
    const mayShrink = (bytes.buffer as ArrayBuffer).resizable === true;
    this.#bytes = mayShrink ? new Uint8Array(bytes) : bytes;
    this.#size = bytes.length;
    this.#sendPiece();
    return 0;
  }

  /** The host has taken the piece. Sends the next one, and then reports this one. */
  sent(): void {
    const bytes = this.#bytes;
    const size = this.#size;
    const count = Math.min(PIECE_SIZE, size);
    if (count < size && bytes.length !== size) return this.#sink.piecesLost(memoryChanged());
    this.#bytes = count < size ? bytes.subarray(count) : NO_BYTES;
    this.#size = size - count;
    if (this.#size > 0) this.#sendPiece();
    this.#sink.pieceSent(count);
  }

  #sendPiece(): void {
    this.#sink.sendPiece(this.#bytes.subarray(0, Math.min(PIECE_SIZE, this.#size)));
  }
}
