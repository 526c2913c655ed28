import { errorOf } from "../../loop/errors/error_of.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { ReadingChannel } from "../core/reading_channel.ts";

/** The buffer of a stream that says little, and of one that says much: as much as a pipe holds. */
const SMALL_BUFFER = 4 * 1024;
const LARGE_BUFFER = 64 * 1024;

/** Reads a stream of the Web: its bytes, or `null` for its end. */
type Reading = () => Promise<Uint8Array | null>;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * A byte channel that reads a stream of the Web, such as the output of a child.
 *
 * *Theory of operation.* The streams of the host read nothing ahead. A stream of bytes reads into the
 * channel's one buffer, which goes back and forth.
 */
export class ReadableStreamChannel extends ReadingChannel {
  readonly #stream: ReadableStream<Uint8Array>;
  readonly #cancel: () => Promise<void>;
  readonly #read: Reading;

  /**
   * Locks `stream`, which belongs to the channel from now on.
   *
   * @throws {TypeError} If it is locked already.
   */
  constructor(loop: EventLoop, stream: ReadableStream<Uint8Array>) {
    super(loop);
    this.#stream = stream;
    const reader = byteReader(stream);
    if (reader !== null) {
      this.#read = readInto(reader);
      this.#cancel = () => reader.cancel();
    } else {
      const reader = stream.getReader();
      this.#read = () => reader.read().then(checkChunk);
      this.#cancel = () => reader.cancel();
    }
  }

  /** There is nothing to write to: only a transport that reads is put on this channel. */
  write(): number {
    throw new TypeError("Cannot write to a pipe: it is open for reading");
  }

  closeWrite(): void {}

  getExtraInfo(name: string): unknown {
    return name === "pipe" ? this.#stream : undefined;
  }

  protected override read(): void {
    this.#read().then(this.#onRead, this.#onError);
  }

  protected override release(): void {
    // What the stream says to the end of our interest is nobody's concern.
    this.#cancel().catch(() => {});
  }

  readonly #onRead = (bytes: Uint8Array | null): void =>
    this.completed(bytes ?? NO_BYTES, bytes === null ? null : bytes.length);

  readonly #onError = (thrown: unknown): void =>
    this.completed(NO_BYTES, errorOf(thrown, "read from a stream: it failed with"));
}

/** Returns the reader of a stream of bytes, `null` for one of chunks. */
function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  if (stream.locked) {
    throw new TypeError("Cannot read from a stream: it is locked to another reader");
  }
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

/** Reads into one buffer. The stream takes its memory away and gives it back with the bytes. */
function readInto(reader: ReadableStreamBYOBReader): Reading {
  let memory = new ArrayBuffer(SMALL_BUFFER);
  const onResult = (
    { done, value }: ReadableStreamReadResult<Uint8Array<ArrayBufferLike>>,
  ): Uint8Array | null => {
    if (done || value === undefined) return null;
    const isFull = value.length === SMALL_BUFFER && value.buffer.byteLength === SMALL_BUFFER;
    memory = isFull ? new ArrayBuffer(LARGE_BUFFER) : value.buffer as ArrayBuffer;
    return value;
  };
  return () => reader.read(new Uint8Array(memory)).then(onResult);
}

function checkChunk({ done, value }: ReadableStreamReadResult<unknown>): Uint8Array | null {
  if (done) return null;
  if (value instanceof Uint8Array) return value;
  throw new TypeError(
    `Cannot read bytes from a stream: it gave ${value === null ? "null" : `a ${typeof value}`}`,
  );
}
