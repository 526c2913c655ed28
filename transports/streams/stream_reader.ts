import * as inside from "../../loop/inside.ts";
import { checkArgument, checkOptions, countFrom } from "../../loop/values/check_options.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import { type EventLoop, runningEventLoop } from "../../loop/event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { STREAM_READER } from "../_options.ts";
import { copyOf, isAlone } from "../core/_read_buffer.ts";
import { type Separator, Separators } from "./_separators.ts";
import { StreamBuffer } from "./_stream_buffer.ts";
import {
  NextLine,
  type Read,
  ReadAll,
  ReadExactly,
  ReadInto,
  ReadLine,
  ReadSome,
  ReadUntil,
} from "./_stream_reads.ts";
import { createReadable } from "./_web_streams.ts";
import type { ReadTransport } from "../transport.ts";

export type { Separator };

/** The limit of a reader where none is given, in bytes. */
export const DEFAULT_LIMIT: number = 64 * 1024;

/** Settings of a {@linkcode StreamReader}. */
export interface StreamReaderOptions {
  /** See {@linkcode StreamReader.setLimit}; 64 KiB by default. */
  limit?: number | undefined;
  /** The loop it belongs to. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/** What can be told to send no more for a while. */
export type Pausable = Pick<ReadTransport, "pauseReading" | "resumeReading">;

/**
 * Reads a stream of bytes: what has come waits here until it is read. As `asyncio.StreamReader`.
 *
 * Each read is a future that may be cancelled: what it would have taken stays for the next one.
 * One read may wait at a time. When the connection fails, its error is what every read throws
 * from then on. The bytes that a read gives belong to the caller, in memory that holds nothing that
 * is still to be read: it may be transferred.
 *
 * `for await` goes over the lines, each with its end, as {@linkcode readLine} gives them.
 *
 * Readers come from `openConnection()` and its like. One that is created by hand is fed by
 * {@linkcode feedData}, {@linkcode feedEof} and {@linkcode setException}.
 *
 * @example Reading a header and a body
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, StreamReader } from "@gyre/asyncio";
 *
 * const text = await run(async () => {
 *   const reader = new StreamReader();
 *   reader.feedData(new TextEncoder().encode("length 5\r\nhello"));
 *   const header = new TextDecoder().decode(await reader.readUntil("\r\n"));
 *   const body = await reader.readExactly(Number(header.split(" ")[1]));
 *   return new TextDecoder().decode(body);
 * });
 * assertEquals(text, "hello");
 * ```
 */
export class StreamReader implements AsyncIterable<Uint8Array> {
  /** @ignore The options of its operations. */
  readonly [inside.options]: { readonly loop: EventLoop };
  /** @ignore What is not read yet. The transport is paused to bound it; see `#pauseIfFull()`. */
  readonly [inside.buffer]: StreamBuffer = new StreamBuffer();
  #limit: number;
  #ended = false;
  #error: unknown = null;
  #transport: Pausable | null = null;
  /** Whether the transport was told to pause. */
  #paused = false;
  /** The read that waits, and how many unread bytes it waits for. */
  #waiter: Read<unknown> | null = null;
  #wanted = 1;
  /** Whether a read was given bytes, and has not gone on to say so; and may give them back. */
  #filling = false;
  #mayUndoFill = false;

  /**
   * Creates a reader that nothing has come to yet.
   *
   * @throws {RangeError} If the limit is not positive.
   */
  constructor(options: StreamReaderOptions = {}) {
    checkOptions("create a stream reader", options, STREAM_READER);
    const { limit = DEFAULT_LIMIT, loop } = options;
    this[inside.options] = { loop: loop ?? runningEventLoop() };
    this.#limit = limit;
  }

  /**
   * Reads up to `count` bytes: waits until something has come, and takes what is there. Without
   * a count, or with a negative one, waits for the end of the stream and takes everything.
   *
   * @param count How many bytes at most.
   * @returns The bytes; none at the end of the stream.
   * @throws {RangeError} If `count` is not a number of bytes.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  read(count?: number): Future<Uint8Array> {
    if (count === undefined || count < 0) return new ReadAll(this);
    return new ReadSome(this, checkCount(count));
  }

  /**
   * Reads into memory of the caller's: waits until something has come, and takes what fits. To
   * read much, this costs least: no memory is allocated.
   *
   * @param target Where to; it must not be used before the read ends.
   * @returns How many bytes were read; 0 at the end of the stream.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  readInto(target: Uint8Array): Future<number> {
    return new ReadInto(this, target);
  }

  /**
   * Reads exactly `count` bytes.
   *
   * @throws {IncompleteReadError} If the stream ends before; it holds what came.
   * @throws {RangeError} If `count` is not a number of bytes.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  readExactly(count: number): Future<Uint8Array> {
    return new ReadExactly(this, checkCount(count));
  }

  /**
   * Reads a line, with the `\n` at its end. The last line of the stream may lack it.
   *
   * @returns The line; no bytes at the end of the stream.
   * @throws {LimitOverrunError} If the line is longer than the limit. It is dropped, as far as it
   * has come.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  readLine(): Future<Uint8Array> {
    return new ReadLine(this);
  }

  /**
   * Reads up to a separator, and the separator. Of several ones it is the one that ends first; of
   * two that end together, the shorter one counts.
   *
   * @param separator One separator, or a list of them; `"\n"` by default.
   * @throws {IncompleteReadError} If the stream ends before; it holds what came.
   * @throws {LimitOverrunError} If there are more bytes than the limit before the separator. They
   * stay readable.
   * @throws {RangeError} If there is no separator, or an empty one.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  readUntil(separator: Separator | readonly Separator[] = "\n"): Future<Uint8Array> {
    return new ReadUntil(this, new Separators(separator));
  }

  /** Whether the stream has ended and everything is read. */
  atEof(): boolean {
    return this.#ended && this[inside.buffer].size === 0;
  }

  /** How many bytes have come and are not read. */
  get buffered(): number {
    return this[inside.buffer].size;
  }

  /**
   * Takes what has come and is not read, without waiting: for another protocol that goes on with
   * the connection, or to see that a peer has sent nothing too early.
   *
   * @returns The bytes; none if there are none.
   * @throws {InvalidStateError} If a read waits.
   */
  takeBuffered(): Uint8Array {
    if (this.#waiter !== null || this.#filling) throw anotherReads();
    return this[inside.takeUnread]();
  }

  /** Returns the error that reads throw, or `null`. */
  exception(): unknown {
    return this.#error;
  }

  /**
   * Sets the limit: how long a line, or what {@linkcode readUntil} reads before its separator, may
   * be. The transport is paused while more than twice as much is unread, until no more than the
   * limit is.
   *
   * @param limit In bytes.
   * @throws {RangeError} If it is not positive.
   */
  setLimit(limit: number): void {
    checkArgument("set the limit of a stream", "the limit", limit, countFrom(1));
    this.#limit = limit;
    this.#pauseIfFull();
    this.#resumeIfRoom();
  }

  /**
   * The stream as a Web stream, with what is not read yet. Nothing is read ahead. Cancelling it
   * ends the reading only; the connection stays open until the writer is closed.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return createReadable(this, () => this.#limit);
  }

  /** Goes over the lines up to the end of the stream. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => new NextLine(this) };
  }

  /**
   * Adds bytes to the stream. Their memory belongs to the reader from now on.
   *
   * @throws {InvalidStateError} After {@linkcode feedEof}.
   */
  feedData(data: Uint8Array): void {
    if (this.#ended) {
      throw new InvalidStateError("Cannot feed a stream reader: feedEof() was called");
    }
    if (data.length === 0) return;
    if (isAlone(data) && this[inside.buffer].adopts(data.length, this.#wanted)) {
      this[inside.buffer].adopt(data);
    } else this[inside.buffer].append(data, this.#wanted);
    this.#noteFed();
  }

  /** @ignore As {@linkcode feedData} with the first `count` bytes of memory that is used again. */
  [inside.feedCopy](memory: Uint8Array, count: number): void {
    const buffer = this[inside.buffer];
    const waiter = this.#waiter;
    if (waiter instanceof ReadInto && buffer.size === 0) {
      const filled = waiter.fill(memory.subarray(0, count));
      this.#filling = this.#mayUndoFill = true;
      this.#wake();
      if (filled < count) this.feedData(copyOf(memory, filled, count));
    } else if (buffer.adopts(count, this.#wanted)) this.feedData(copyOf(memory, 0, count));
    else {
      buffer.append(memory.subarray(0, count), this.#wanted);
      this.#noteFed();
    }
  }

  /** Ends the stream: reads get what is left, and then no bytes. */
  feedEof(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Fails the stream: every read throws `error`, which need not be looked at. */
  setException(error: unknown): void {
    this.#error = error;
    this.#wake();
  }

  /** Sets what is paused while too much is unread. */
  setTransport(transport: Pausable): void {
    this.#transport = transport;
    this.#paused = false;
    this.#pauseIfFull();
  }

  /** @ignore See {@linkcode setLimit}. */
  get [inside.limit](): number {
    return this.#limit;
  }

  /** @ignore Whether nothing more will come. */
  get [inside.ended](): boolean {
    return this.#ended;
  }

  /** @ignore Throws what every read throws. */
  [inside.check](): void {
    if (this.#error !== null) throw this.#error;
    if (this.#filling) throw anotherReads();
  }

  /** @ignore The read that was given its bytes has said so. */
  [inside.endFill](): void {
    this.#filling = false;
  }

  /** @ignore The read that was given `bytes` is cancelled. */
  [inside.undoFill](bytes: Uint8Array): void {
    this.#filling = false;
    if (this.#mayUndoFill) this[inside.buffer].prepend(bytes);
  }

  /** @ignore Takes unread bytes. */
  [inside.take](count: number): Uint8Array {
    const bytes = this[inside.buffer].take(count);
    if (this.#paused) this.#resumeIfRoom();
    return bytes;
  }

  /** @ignore Takes what came before something else begins, such as TLS: no read gets any of it. */
  [inside.takeUnread](): Uint8Array {
    this.#mayUndoFill = false;
    return this[inside.take](this[inside.buffer].size);
  }

  /** @ignore Takes unread bytes and copies them. */
  [inside.takeInto](target: Uint8Array): number {
    const count = this[inside.buffer].takeInto(target);
    if (this.#paused) this.#resumeIfRoom();
    return count;
  }

  /** @ignore Drops unread bytes. */
  [inside.drop](count: number): void {
    this[inside.buffer].drop(count);
    this.#resumeIfRoom();
  }

  /** @ignore `read` waits until bytes come and `wanted` are unread. Nothing is paused meanwhile. */
  [inside.wait](read: Read<unknown>, wanted: number): void {
    if (this.#waiter !== null) throw anotherReads();
    this.#waiter = read;
    this.#wanted = wanted;
    this.#resume();
  }

  /** @ignore `read` is cancelled. */
  [inside.leave](read: Read<unknown>): void {
    if (this.#waiter === read) {
      this.#waiter = null;
      this.#wanted = 1;
    }
    this.#pauseIfFull();
  }

  #noteFed(): void {
    if (this.#waiter !== null && this[inside.buffer].size >= this.#wanted) this.#wake();
    this.#pauseIfFull();
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    this.#wanted = 1;
    waiter?.wake();
  }

  #pauseIfFull(): void {
    const isFull = this[inside.buffer].size > 2 * this.#limit;
    if (!isFull || this.#waiter !== null || this.#paused || this.#ended) return;
    this.#paused = this.#transport !== null;
    this.#transport?.pauseReading();
  }

  #resumeIfRoom(): void {
    if (this[inside.buffer].size <= this.#limit) this.#resume();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport?.resumeReading();
  }
}

function anotherReads(): InvalidStateError {
  return new InvalidStateError("Cannot read from a stream: another read waits for data");
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 0) return count;
  throw new RangeError(`Cannot read from a stream: ${String(count)} is not a number of bytes`);
}
