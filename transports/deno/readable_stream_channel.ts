import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";

/** The buffer of a stream that says little, and of one that says much: as much as a pipe holds. */
const SMALL_BUFFER = 4 * 1024;
const LARGE_BUFFER = 64 * 1024;

/**
 * Where reading stands. In `reading` and `stopping` a read is with the stream, or its outcome waits
 * for its turn in the loop.
 */
type ReadState = "paused" | "reading" | "stopping" | "ended";

/** What a read came to: bytes, the end of the stream, or an error. */
type ReadResult = Uint8Array | "end" | { error: Error };

/** Reads a stream of the Web, so that it gives its bytes or its end. */
type Reading = () => Promise<ReadResult>;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * A byte channel that reads a stream of the Web, such as the output of a child.
 *
 * *Theory of operation.* One read is with the stream at a time, and none after `pause()`: that is
 * all the back-pressure there is, and the streams of the host read nothing ahead. A stream of bytes
 * reads into the channel's one buffer, which goes back and forth. A read that has completed enters
 * the loop, is reported there, and there the next one is issued.
 */
export class ReadableStreamChannel implements ByteChannel {
  readonly #loop: EventLoop;
  readonly #stream: ReadableStream<Uint8Array>;
  readonly #cancel: () => Promise<void>;
  readonly #read: Reading;
  #sink: ByteSink | null = null;
  #state: ReadState = "paused";
  /** Of the read that has completed. Empty when there was none yet. */
  #outcome: ReadResult = NO_BYTES;
  #closed = false;

  /**
   * Locks `stream`, which belongs to the channel from now on.
   *
   * @throws {TypeError} If it is locked already.
   */
  constructor(loop: EventLoop, stream: ReadableStream<Uint8Array>) {
    this.#loop = loop;
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

  attach(sink: ByteSink): void {
    this.#sink = sink;
  }

  resume(): void {
    if (this.#state === "stopping") this.#state = "reading";
    else if (this.#state === "paused") {
      this.#state = "reading";
      this.#outcome = NO_BYTES;
      this.#loop[inside.enqueue](this);
    }
  }

  pause(): void {
    if (this.#state === "reading") this.#state = "stopping";
  }

  /** There is nothing to write to: only a transport that reads is put on this channel. */
  write(): number {
    throw new TypeError("Cannot write to a pipe: it is open for reading");
  }

  closeWrite(): void {}

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.#closed) return;
    this.#closed = true;
    // What the stream says to the end of our interest is nobody's concern.
    this.#cancel().catch(() => {});
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  getExtraInfo(name: string): unknown {
    return name === "pipe" ? this.#stream : undefined;
  }

  /** @ignore Reports the read that has completed, and issues the next. */
  [inside.run](): void {
    if (this.#closed) return;
    const outcome = this.#outcome;
    if (!(outcome instanceof Uint8Array)) return this.#end(outcome);
    if (outcome.length > 0) this.#sink?.received(outcome, outcome.length);
    if (this.#closed) return;
    if (this.#state === "stopping") this.#state = "paused";
    else this.#read().then(this.#onRead, this.#onError);
  }

  #end(outcome: "end" | { error: Error }): void {
    this.#state = "ended";
    if (outcome === "end") this.#sink?.ended();
    else this.#sink?.failed(outcome.error);
  }

  readonly #onRead = (outcome: ReadResult): void => {
    this.#outcome = outcome;
    this.#loop[inside.enter](this);
  };

  readonly #onError = (error: Error): void => this.#onRead({ error });
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
  ): ReadResult => {
    if (done || value === undefined) return "end";
    const isFull = value.length === SMALL_BUFFER && value.buffer.byteLength === SMALL_BUFFER;
    memory = isFull ? new ArrayBuffer(LARGE_BUFFER) : value.buffer as ArrayBuffer;
    return value;
  };
  return () => reader.read(new Uint8Array(memory)).then(onResult);
}

function checkChunk({ done, value }: ReadableStreamReadResult<unknown>): ReadResult {
  if (done) return "end";
  if (value instanceof Uint8Array) return value;
  throw new TypeError(
    `Cannot read bytes from a stream: it gave ${value === null ? "null" : `a ${typeof value}`}`,
  );
}
