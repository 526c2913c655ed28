import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { runningPlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { START_TLS, STREAM_WRITER } from "../_options.ts";
import type { FlowControlProtocol } from "../core/flow_control_protocol.ts";
import { startTls, type StartTlsOptions } from "../endpoints/start_tls.ts";
import { createWritable } from "./_web_streams.ts";
import type { StreamReader } from "./stream_reader.ts";
import type { ExtraInfo, ExtraInfoSource, Transport, WriteTransport } from "../transport.ts";

/**
 * Settings of a {@linkcode StreamWriter}.
 *
 * @category Streams
 */
export interface StreamWriterOptions {
  /** Who reads from the same connection: its error is what {@linkcode StreamWriter.drain} throws. */
  reader?: StreamReader | null | undefined;
}

/**
 * Writes a stream of bytes. As `asyncio.StreamWriter`.
 *
 * `write()` never waits; `await writer.drain()` after it keeps the writer at the pace of the
 * connection. At the end of an `await using` block the connection is closed in good order.
 *
 * Writers come from `openConnection()` and its like.
 *
 * @category Streams
 *
 * @example Writing to a server
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openConnection, run, startServer } from "@gyre/asyncio";
 *
 * const echoed = await run(async () => {
 *   await using server = await startServer(async (reader, writer) => {
 *     await using closing = writer;
 *     closing.write(await reader.readLine());
 *     await closing.drain();
 *   }, { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *
 *   const [reader, writer] = await openConnection({ port });
 *   await using closing = writer;
 *   closing.write(new TextEncoder().encode("hello\n"));
 *   await closing.drain();
 *   return new TextDecoder().decode(await reader.readLine());
 * });
 * assertEquals(echoed, "hello\n");
 * ```
 */
export class StreamWriter<
  A extends Deno.Addr = Deno.Addr,
  T extends WriteTransport<A> = WriteTransport<A>,
> implements AsyncDisposable, ExtraInfoSource<A> {
  #transport: T;
  readonly #protocol: FlowControlProtocol;
  readonly #reader: StreamReader | null;

  /** Creates a writer to `transport`, which `protocol` belongs to. */
  constructor(
    transport: T,
    protocol: FlowControlProtocol,
    options: StreamWriterOptions = {},
  ) {
    checkOptions("create a stream writer", options, STREAM_WRITER);
    this.#transport = transport;
    this.#protocol = protocol;
    this.#reader = options.reader ?? null;
  }

  /** What the writer writes to: of a connection a {@linkcode Transport}, which reads as well. */
  get transport(): T {
    return this.#transport;
  }

  /**
   * Sends `data`, or buffers what does not go out at once; its memory must stay as it is until
   * then. Once the connection is lost, data is dropped, and {@linkcode drain} says so.
   *
   * @throws {TypeError} If `data` is not a `Uint8Array`.
   * @throws {InvalidStateError} After {@linkcode writeEof}.
   */
  write(data: Uint8Array): void {
    this.#transport.write(data);
  }

  /**
   * Sends all of `chunks` in one write.
   *
   * @throws {TypeError} If one is not a `Uint8Array`.
   * @throws {InvalidStateError} After {@linkcode writeEof}.
   */
  writelines(chunks: Iterable<Uint8Array>): void {
    this.#transport.writelines(chunks);
  }

  /** Ends this side of the stream after what is buffered; the other side goes on. */
  writeEof(): void {
    this.#transport.writeEof();
  }

  /** Whether {@linkcode writeEof} is possible. */
  canWriteEof(): boolean {
    return this.#transport.canWriteEof();
  }

  /**
   * Waits while the transport has more to send than its high mark, until it is down to the low
   * one.
   *
   * @throws {Deno.errors.ConnectionReset} If the connection is lost, or was closed before what was
   * written last. The error that it was lost by, where there is one.
   */
  drain(): Future<void> {
    return this.#protocol[inside.drain](this.#transport, this.#reader?.exception() ?? null);
  }

  /** Closes the connection, reader included, after what is buffered went out. Idempotent. */
  close(): void {
    this.#transport.close();
  }

  /** Whether the connection is closing or closed. */
  isClosing(): boolean {
    return this.#transport.isClosing();
  }

  /** Waits until the connection is closed. Throws the error that it was lost by, if any. */
  waitClosed(): Future<void> {
    return this.#protocol[inside.waitClosed](this.#transport);
  }

  /**
   * Returns a fact about the connection; see {@linkcode ExtraInfo} for the names. As
   * `get_extra_info()`.
   */
  getExtraInfo<N extends keyof ExtraInfo<A>, F = undefined>(
    name: N,
    fallback?: F,
  ): ExtraInfo<A>[N] | F;
  getExtraInfo(name: string, fallback?: unknown): unknown;
  getExtraInfo(name: string, fallback?: unknown): unknown {
    return this.#transport.getExtraInfo(name, fallback);
  }

  /**
   * Secures the connection, after all that was written so far. As `StreamWriter.start_tls()`. The
   * reader and the writer stay what they are; what the reader holds belongs to the handshake, and
   * nothing may be written before that is over.
   *
   * @param options As for `loop.startTls()`. Where the connection was accepted, `serverSide` is set
   * by default.
   * @throws {Deno.errors.InvalidData} If the peer cannot be trusted, or does not speak TLS. The
   * connection is lost then.
   */
  startTls(options: StartTlsOptions): Future<void> {
    checkOptions("start TLS", options, START_TLS);
    const loop = runningPlatformLoop("start TLS");
    return startOperation(loop, this.#startTlsSteps(options));
  }

  /**
   * The way out as a Web stream. Closing it closes the connection and waits for that, as with
   * `Deno.Conn`; aborting it aborts the connection. To go on reading after a `pipeTo()`, give
   * that `preventClose` and end with {@linkcode writeEof}.
   */
  get writable(): WritableStream<Uint8Array> {
    return createWritable(this);
  }

  /**
   * Closes the connection and waits for it. Throws the error that it is lost by meanwhile; one
   * that it was lost by before is what reads and {@linkcode drain} have thrown.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#protocol[inside.isLost]) return;
    this.close();
    await this.waitClosed();
  }

  *#startTlsSteps(options: StartTlsOptions): Coroutine<void> {
    const loop = runningPlatformLoop("start TLS");
    const protocol = this.#protocol;
    const failure = this.#reader?.exception() ?? null;
    if (failure !== null) throw failure;
    const transport = yield* startTls(
      loop,
      this.#transport as WriteTransport as Transport,
      protocol,
      {
        serverSide: protocol[inside.isServer],
        ...options,
      },
    );
    this.#transport = transport as WriteTransport as T;
  }
}
