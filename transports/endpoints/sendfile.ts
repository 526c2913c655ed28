/**
 * Sending a file over a connection.
 *
 * *Theory of operation.* Where the host can have the system copy from a file to a socket, it does; Deno
 * has no way for that, so pieces are read and written. While that goes on the transport is lent: it takes no writes but these, and
 * its protocol is not paused for them. There are two pieces of memory: one is read into while the
 * other is sent, which it is when the transport has nothing more to send.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { describe } from "../../loop/values/describe.ts";
import { ensureFuture } from "../../loop/tasks/ensure_future.ts";
import { SendfileNotAvailableError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { FileSender } from "../../loop/platform/platform.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { SENDFILE } from "../_options.ts";
import { connectionLost } from "../core/deno_connection_lost.ts";
import { StreamTransport } from "../core/stream_transport.ts";
import type { WriteTransport } from "../transport.ts";
import { peerOf } from "../core/peer_of.ts";

/** How much is read at a time. */
export const SIZE_OF_PIECE: number = 256 * 1024;

/** The most that the system is told to send in one call, which others wait for. */
const LARGEST_CALL = 4 * 1024 * 1024;

/** From the beginning of the file. */
const SEEK_START = 0;

/**
 * What {@linkcode sendfile} can send: a `Deno.FsFile`, or something that reads and seeks as one.
 *
 * @category Protocols and transports
 */
export interface SendableFile {
  /** Reads into `bytes`; returns how much, or at the end `null` or 0. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Goes to `offset` from the place that `whence` names; 0 is the beginning. */
  seek(offset: number, whence: number): Promise<number>;
}

/**
 * Settings of {@linkcode sendfile}.
 *
 * @category Protocols and transports
 */
export interface SendfileOptions {
  /** Where in the file to begin, in bytes; at its beginning by default. */
  offset?: number | undefined;
  /** How many bytes to send; all up to the end of the file by default. */
  count?: number | undefined;
  /** Whether to read and write where the host has no better way: it has on the native backend. */
  fallback?: boolean | undefined;
}

/**
 * Sends a file over a connection. As `loop.sendfile()`.
 *
 * Two pieces of 256 KiB are in memory at most, however slow the peer is. Meanwhile reading is
 * paused, and `write()`, `writelines()`, `writeEof()`, `startTls()` and sending another file throw
 * `InvalidStateError`; closing the transport ends the sending. Afterwards the file stands behind what was sent, also if
 * that was not all of it because of an error or a cancellation; where that came while the file was
 * being read, it does so once that has ended. The file stays open.
 *
 * @param loop The loop of the connection.
 * @param transport The connection.
 * @param file What to send.
 * @param options Which part of it.
 * @returns How many bytes were sent. Less than `count` if the file ends before.
 * @throws {SendfileNotAvailableError} If `fallback` is `false`, and the host has no system call for
 * it: Deno has none, the native backend has for a `Deno.FsFile` over TCP and Unix sockets.
 * @throws {InvalidStateError} If the transport is closing, after `writeEof()`, and while another
 * file is being sent.
 * @throws {TypeError} If it is no transport of a connection or a pipe, or `read()` gives no number
 * of bytes that it had room for.
 * @throws {RangeError} If `offset` is negative or `count` is not positive.
 * @throws {Deno.errors.ConnectionReset} If the connection is lost or closed meanwhile.
 *
 * @category Protocols and transports
 *
 * @example A server that sends a file to everyone
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, openConnection, run, startServer } from "@gyre/asyncio";
 * import { sendfile } from "@gyre/asyncio/transports";
 *
 * const path = Deno.makeTempFileSync();
 * Deno.writeTextFileSync(path, "a file of some length");
 *
 * const text = await run(async () => {
 *   await using server = await startServer(async (_reader, writer) => {
 *     await using output = writer;
 *     using file = await Deno.open(path);
 *     await sendfile(getRunningLoop(), output.transport, file, { offset: 2, count: 4 });
 *   }, { hostname: "127.0.0.1" });
 *   const { port } = server.address;
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
  checkFile(file);
  return startOperation(
    loop,
    sendfileSteps(loop, transport, file, options),
    "sendfile to",
    peerOf(transport),
  );
}

function* sendfileSteps(
  loop: EventLoop,
  transport: WriteTransport,
  file: SendableFile,
  { offset = 0, count = Infinity, fallback = true }: SendfileOptions,
): Coroutine<number> {
  checkRange(offset, count);
  if (!(transport instanceof StreamTransport)) {
    throw new TypeError("Cannot send a file: expected a transport of a connection");
  }
  const sender = transport[inside.sendFile](file);
  if (sender === null && !fallback) throw unavailable();
  try {
    transport[inside.lend]();
  } catch (error) {
    sender?.close();
    throw error;
  }
  const isReading = transport.isReading();
  transport.pauseReading();
  const memory = new TwoPieces(Math.min(count, SIZE_OF_PIECE));
  let sent = 0;
  /** What the file does now; it may never be done with it. */
  let pending: Future<unknown> | null = null;
  try {
    if (sender !== null) {
      yield* drained(transport);
      for (let isOver = false; !isOver && sent < count;) {
        const size = sender.send(offset + sent, Math.min(count - sent, LARGEST_CALL));
        if (size === "unavailable" && sent === 0 && fallback) break;
        if (size === "unavailable") throw unavailable();
        if (size === null) yield* untilRoom(loop, transport, sender);
        else sent += size;
        isOver = size === 0;
        if (isOver || sent >= count) return sent;
      }
    }
    pending = ensureFuture(file.seek(offset, SEEK_START), { loop });
    yield* whileOpen(transport, pending);
    while (sent < count) {
      const piece = memory.next(count - sent);
      const reading = ensureFuture(file.read(piece), { loop });
      pending = reading;
      yield* whileOpen(transport, reading);
      const size = sizeRead(yield* reading, piece);
      if (size === 0) break;
      yield* drained(transport);
      transport[inside.writeLent](piece.subarray(0, size));
      sent += size;
    }
    yield* drained(transport);
    return sent;
  } finally {
    sender?.close();
    transport[inside.endLending]();
    if (isReading) transport.resumeReading();
    const isBusy = pending?.cancel() === true;
    if (sent > 0) {
      const seeking = ensureFuture(file.seek(offset + sent, SEEK_START), { loop });
      if (isBusy) seeking.addDoneCallback(() => seeking.cancelled() || seeking.exception());
      else yield* seeking;
    }
  }
}

function unavailable(): Error {
  return new SendfileNotAvailableError(
    "Cannot send a file without fallback: the host does not copy it to this connection",
  );
}

/** Waits until the system takes more of the file; throws if the transport is closing before. */
function* untilRoom(
  loop: EventLoop,
  transport: StreamTransport,
  sender: FileSender,
): Coroutine<void> {
  const room = loop.createFuture<void>();
  sender.whenRoom(() => room.done() || room.setResult());
  yield* whileOpen(transport, room);
}

/** Waits for what a file does; throws if the transport is closing before. */
function* whileOpen(transport: StreamTransport, pending: Future<unknown>): Coroutine<void> {
  yield* transport[inside.whileOpen](pending);
  if (!pending.done()) throw connectionLost("send a file");
  yield* pending;
}

/** Checks what `read()` has given for `piece`; returns 0 at the end of the file. */
function sizeRead(size: number | null, piece: Uint8Array): number {
  if (size === null) return 0;
  if (Number.isInteger(size) && size >= 0 && size <= piece.length) return size;
  throw new TypeError(
    `Cannot send a file: its read() gave ${describe(size)} for ${piece.length} bytes of room`,
  );
}

/** Waits until all that was written went out. */
function* drained(transport: StreamTransport): Coroutine<void> {
  yield* transport[inside.emptied]();
  if (transport.isClosing()) throw connectionLost("send a file");
}

/** Throws if `file` cannot be read. */
export function checkFile(file: SendableFile): void {
  const { read, seek } = (file ?? {}) as Partial<SendableFile>;
  if (typeof read === "function" && typeof seek === "function") return;
  throw new TypeError(
    `Cannot send a file: expected one with read() and seek(), got ${describe(file)}`,
  );
}

/** Throws if these are no part of a file. */
export function checkRange(offset: number, count: number): void {
  if (!Number.isInteger(offset) || offset < 0) {
    throw new RangeError(`Cannot send a file from offset ${offset}: it is no position in a file`);
  }
  if (!(count > 0) || (count !== Infinity && !Number.isInteger(count))) {
    throw new RangeError(`Cannot send ${count} bytes of a file: the number must be positive`);
  }
}

/** Two pieces of memory in turns: one is read into while the other is sent. */
class TwoPieces {
  #next: Uint8Array;
  #other: Uint8Array;

  constructor(size: number) {
    this.#next = new Uint8Array(size);
    this.#other = new Uint8Array(size);
  }

  /** Returns at most `size` bytes of the piece whose turn it is. */
  next(size: number): Uint8Array {
    const piece = this.#next;
    this.#next = this.#other;
    this.#other = piece;
    return size < piece.length ? piece.subarray(0, size) : piece;
  }
}
