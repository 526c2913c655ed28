/**
 * Sending a file over a connection.
 *
 * *Theory of operation.* Deno has no way to let the system copy from a file to a socket, so pieces
 * are read and written. While that goes on, a protocol of ours takes the place of the program's,
 * and lets nothing through but the loss of the connection. With the high mark at 0 the transport
 * pauses it after each write, and resumes it when the piece went out: that is when its memory may
 * be filled again. There are two such pieces of memory: one is read into while the other is sent.
 *
 * @module
 */
import { checkOptions } from "../loop/check_options.ts";
import { ensureFuture } from "../loop/ensure_future.ts";
import { InvalidStateError, SendfileNotAvailableError } from "../loop/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/future.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import { SENDFILE } from "./_options.ts";
import { connectionLost } from "./deno_connection_lost.ts";
import type { StreamProtocol } from "./protocol.ts";
import type { ReadTransport, WriteTransport } from "./transport.ts";

/** How much is read at a time. */
const PIECE_SIZE = 256 * 1024;

/** From the beginning of the file. */
const SEEK_START = 0;

/** What {@linkcode sendfile} can send: a `Deno.FsFile`, or something that reads and seeks as one. */
export interface SendableFile {
  /** Reads into `bytes`; returns how much, or `null` at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Goes to `offset` from the place that `whence` names; 0 is the beginning. */
  seek(offset: number, whence: number): Promise<number>;
}

/** Settings of {@linkcode sendfile}. */
export interface SendfileOptions {
  /** Where in the file to begin, in bytes; at its beginning by default. */
  offset?: number | undefined;
  /** How many bytes to send; all up to the end of the file by default. */
  count?: number | undefined;
  /** Whether to read and write where the host has no better way, which is everywhere. */
  fallback?: boolean | undefined;
}

/**
 * Sends a file over a connection. As `loop.sendfile()`.
 *
 * Two pieces of 256 KiB are in memory at most, however slow the peer is. Meanwhile reading is
 * paused, and nobody else may write. Afterwards the file stands behind what was sent, also if
 * that was not all of it because of an error or a cancellation. The file stays open.
 *
 * @param loop The loop of the connection.
 * @param transport The connection.
 * @param file What to send.
 * @param options Which part of it.
 * @returns How many bytes were sent. Less than `count` if the file ends before.
 * @throws {SendfileNotAvailableError} If `fallback` is `false`: Deno has no system call for it.
 * @throws {InvalidStateError} If the transport is closing.
 * @throws {RangeError} If `offset` is negative or `count` is not positive.
 * @throws {Deno.errors.ConnectionReset} If the connection is lost meanwhile.
 *
 * @example A server that sends a file to everyone
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, openConnection, run, sendfile, startServer } from "@gyre/asyncio";
 *
 * const path = Deno.makeTempFileSync({ dir: "/tmp" });
 * Deno.writeTextFileSync(path, "a file of some length");
 *
 * const text = await run(async () => {
 *   await using server = await startServer(async (_reader, writer) => {
 *     await using output = writer;
 *     using file = await Deno.open(path);
 *     await sendfile(getRunningLoop(), output.transport, file, { offset: 2, count: 4 });
 *   }, { hostname: "127.0.0.1" });
 *   const [{ port }] = server.addresses as [Deno.NetAddr];
 *
 *   const [reader, writer] = await openConnection({ port });
 *   await using _writer = writer;
 *   return new TextDecoder().decode(await reader.read());
 * });
 * assertEquals(text, "file");
 * Deno.removeSync(path);
 * ```
 */
export function sendfile(
  loop: EventLoop,
  transport: WriteTransport,
  file: SendableFile,
  options: SendfileOptions = {},
): Future<number> {
  checkOptions("send a file", options, SENDFILE);
  return startOperation(loop, sendfileSteps(loop, transport, file, options));
}

function* sendfileSteps(
  loop: EventLoop,
  transport: WriteTransport,
  file: SendableFile,
  { offset = 0, count = Infinity, fallback = true }: SendfileOptions,
): Coroutine<number> {
  checkRange(offset, count);
  if (transport.isClosing()) {
    throw new InvalidStateError("Cannot send a file: the transport is closing");
  }
  if (!fallback) {
    throw new SendfileNotAvailableError(
      "Cannot send a file without fallback: Deno does not let the system copy it to a connection",
    );
  }
  const sender = new Sender(loop, transport, Math.min(count, PIECE_SIZE));
  let sent = 0;
  try {
    yield* ensureFuture(file.seek(offset, SEEK_START), { loop });
    while (sent < count) {
      const memory = sender.memory(count - sent);
      const size = yield* ensureFuture(file.read(memory), { loop });
      if (size === null) break;
      yield* sender.drained();
      sender.write(memory.subarray(0, size));
      sent += size;
    }
    yield* sender.drained();
    return sent;
  } finally {
    sender.giveBack();
    if (sent > 0) yield* ensureFuture(file.seek(offset + sent, SEEK_START), { loop });
  }
}

function checkRange(offset: number, count: number): void {
  if (!Number.isInteger(offset) || offset < 0) {
    throw new RangeError(`Cannot send a file from offset ${offset}: it is no position in a file`);
  }
  if (!(count > 0) || (count !== Infinity && !Number.isInteger(count))) {
    throw new RangeError(`Cannot send ${count} bytes of a file: the number must be positive`);
  }
}

/** Gives `transport` as one that is reading, or `null`: a pipe to write to has nothing to read. */
function readerOf(transport: WriteTransport & Partial<ReadTransport>): ReadTransport | null {
  return transport.isReading?.() === true ? transport as ReadTransport : null;
}

/** The protocol of a transport while a file is sent. */
class Sender implements StreamProtocol {
  readonly #loop: EventLoop;
  readonly #transport: WriteTransport;
  /** What reading is paused on, unless it was paused or there is none. */
  readonly #paused: ReadTransport | null;
  /** The program's protocol. It goes on to get data, for it may resume reading meanwhile. */
  readonly #protocol: StreamProtocol;
  readonly #limits: [low: number, high: number];
  /** What is read into next, and what is being sent or will be read into after it. */
  #next: Uint8Array;
  #other: Uint8Array;
  /** Whether the transport has paused us. If not and it resumes us, it has paused the program. */
  #isPaused = false;
  #isLost = false;
  #waiter: Future<void> | null = null;
  readonly getBuffer?: (sizeHint: number) => Uint8Array;

  constructor(loop: EventLoop, transport: WriteTransport, size: number) {
    this.#loop = loop;
    this.#transport = transport;
    this.#protocol = transport.getProtocol();
    this.#paused = readerOf(transport);
    this.#limits = transport.getWriteBufferLimits();
    this.#next = new Uint8Array(size);
    this.#other = new Uint8Array(size);
    const { getBuffer } = this.#protocol;
    if (getBuffer !== undefined) this.getBuffer = getBuffer.bind(this.#protocol);
    this.#paused?.pauseReading();
    transport.setProtocol(this);
    transport.setWriteBufferLimits({ high: 0 });
  }

  /** Returns memory of at most `size` bytes that is not being sent. */
  memory(size: number): Uint8Array {
    const memory = this.#next;
    this.#next = this.#other;
    this.#other = memory;
    return size < memory.length ? memory.subarray(0, size) : memory;
  }

  write(bytes: Uint8Array): void {
    this.#transport.write(bytes);
  }

  /** Waits until all that was written went out. */
  *drained(): Coroutine<void> {
    while (!this.#isLost && (this.#isPaused || this.#transport.getWriteBufferSize() > 0)) {
      this.#waiter = this.#loop.createFuture();
      yield* this.#waiter;
    }
    if (this.#isLost || this.#transport.isClosing()) throw connectionLost("send a file");
  }

  /** Puts the program's protocol back. */
  giveBack(): void {
    this.#transport.setProtocol(this.#protocol);
    if (this.#isLost) return;
    const [low, high] = this.#limits;
    this.#transport.setWriteBufferLimits({ low, high });
    if (this.#isPaused) this.#protocol.pauseWriting?.();
    this.#paused?.resumeReading();
  }

  dataReceived(data: Uint8Array): void {
    this.#protocol.dataReceived?.(data);
  }

  bufferUpdated(count: number): void {
    this.#protocol.bufferUpdated?.(count);
  }

  eofReceived(): boolean | void {
    return this.#protocol.eofReceived?.();
  }

  pauseWriting(): void {
    this.#isPaused = true;
  }

  resumeWriting(): void {
    if (!this.#isPaused) this.#protocol.resumeWriting?.();
    this.#isPaused = false;
    this.#wake();
  }

  connectionLost(error: Error | null): void {
    this.#isLost = true;
    this.#wake();
    this.#protocol.connectionLost?.(error);
  }

  #wake(): void {
    if (this.#waiter?.done() === false) this.#waiter.setResult();
    this.#waiter = null;
  }
}
