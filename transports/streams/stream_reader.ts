import { checkArgument, checkOptions, countFrom } from "../../loop/values/check_options.ts";
import { type EventLoop, runningEventLoop } from "../../loop/event_loop.ts";
import { describe } from "../../loop/values/describe.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { STREAM_READER } from "../_options.ts";
import { Separators } from "./_separators.ts";
import {
  NextLine,
  ReadAll,
  ReadExactly,
  ReadInto,
  ReadLine,
  ReadSome,
  ReadUntil,
} from "./_stream_reads.ts";
import { StreamState } from "./_stream_state.ts";
import { createReadable } from "./_web_streams.ts";
import type { ReadTransport } from "../transport.ts";

/** The limit of a reader where none is given, in bytes. */
export const DEFAULT_LIMIT: number = 64 * 1024;

/**
 * Settings of a {@linkcode StreamReader}.
 *
 * @category Streams
 */
export interface StreamReaderOptions {
  /** See {@linkcode StreamReader.setLimit}; 64 KiB by default. */
  limit?: number | undefined;
  /** The loop it belongs to. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/** Returns what a reader shares with its reads and with the protocol that feeds it. */
export let stateOf: (reader: StreamReader) => StreamState;

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
 * @category Streams
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
  readonly #state: StreamState;

  static {
    stateOf = (reader) => reader.#state;
  }

  /**
   * Creates a reader that nothing has come to yet.
   *
   * @throws {RangeError} If the limit is not positive.
   */
  constructor(options: StreamReaderOptions = {}) {
    checkOptions("create a stream reader", options, STREAM_READER);
    const { limit = DEFAULT_LIMIT, loop } = options;
    this.#state = new StreamState(loop ?? runningEventLoop(), limit);
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
    if (count === undefined || count < 0) return new ReadAll(this.#state);
    return new ReadSome(this.#state, checkCount(count));
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
    return new ReadInto(this.#state, target);
  }

  /**
   * Reads exactly `count` bytes.
   *
   * @throws {IncompleteReadError} If the stream ends before; it holds what came.
   * @throws {RangeError} If `count` is not a number of bytes.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  readExactly(count: number): Future<Uint8Array> {
    return new ReadExactly(this.#state, checkCount(count));
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
    return new ReadLine(this.#state);
  }

  /**
   * Reads up to a separator, and the separator. Of several ones it is the one that ends first; of
   * two that end together, the shorter one counts.
   *
   * @param separator One separator, or a list of them; a string stands for its UTF-8.
   * @throws {IncompleteReadError} If the stream ends before; it holds what came.
   * @throws {LimitOverrunError} If there are more bytes than the limit before the separator. They
   * stay readable.
   * @throws {RangeError} If there is no separator, or an empty one.
   * @throws {InvalidStateError} If another read waits. The error of the connection, if it failed.
   */
  readUntil(
    separator: string | Uint8Array | readonly (string | Uint8Array)[] = "\n",
  ): Future<Uint8Array> {
    return new ReadUntil(this.#state, new Separators(separator));
  }

  /** Whether the stream has ended and everything is read. */
  atEof(): boolean {
    return this.#state.ended && this.#state.buffer.size === 0;
  }

  /** How many bytes have come and are not read. */
  get buffered(): number {
    return this.#state.buffer.size;
  }

  /**
   * Takes what has come and is not read, without waiting: for another protocol that goes on with
   * the connection, or to see that a peer has sent nothing too early.
   *
   * @returns The bytes; none if there are none.
   * @throws {InvalidStateError} If a read waits.
   */
  takeBuffered(): Uint8Array {
    return this.#state.takeBuffered();
  }

  /** Returns the error that reads throw, or `null`. */
  exception(): unknown {
    return this.#state.error;
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
    this.#state.limit = limit;
  }

  /**
   * The stream as a Web stream, with what is not read yet. Nothing is read ahead. Cancelling it
   * ends the reading only; the connection stays open until the writer is closed.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return createReadable(this, () => this.#state.limit);
  }

  /** Goes over the lines up to the end of the stream. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => new NextLine(this.#state) };
  }

  /**
   * Adds bytes to the stream. Their memory belongs to the reader from now on.
   *
   * @throws {InvalidStateError} After {@linkcode feedEof}.
   */
  feedData(data: Uint8Array): void {
    this.#state.feed(data);
  }

  /** Ends the stream: reads get what is left, and then no bytes. */
  feedEof(): void {
    this.#state.end();
  }

  /** Fails the stream: every read throws `error`, which need not be looked at. */
  setException(error: unknown): void {
    this.#state.fail(error);
  }

  /**
   * What the reader reads from: closing it ends the stream before its end. `null` while there is none,
   * as where it is fed by hand.
   */
  get transport(): ReadTransport | null {
    return this.#state.transport;
  }

  /** Sets what the reader reads from, which is paused while too much is unread. */
  setTransport(transport: ReadTransport): void {
    this.#state.setTransport(transport);
  }
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 0) return count;
  throw new RangeError(`Cannot read from a stream: ${describe(count)} is not a number of bytes`);
}
