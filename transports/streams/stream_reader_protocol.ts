import { describe } from "../../loop/values/describe.ts";
import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { captureEngineContext, runInEngineContext } from "../../loop/platform/platform_loop.ts";
import type { Coroutine, Task } from "../../loop/tasks/task.ts";
import { STREAM_READER_PROTOCOL } from "../_options.ts";
import { ReadBuffer } from "../core/_read_buffer.ts";
import {
  FlowControlProtocol,
  type FlowControlProtocolOptions,
} from "../core/flow_control_protocol.ts";
import type { ProtocolLike } from "../protocol.ts";
import { stateOf, StreamReader } from "./stream_reader.ts";
import type { StreamState } from "./_stream_state.ts";
import { StreamWriter } from "./stream_writer.ts";
import type { Transport } from "../transport.ts";

/**
 * Serves one connection: a coroutine function, an async function, or a plain one. It runs as a
 * task; when that fails or is cancelled, the connection is closed.
 *
 * @category Streams
 */
export type ClientConnected<A extends Deno.Addr = Deno.Addr> = (
  reader: StreamReader,
  writer: StreamWriter<A, Transport<A>>,
) => Coroutine<unknown> | PromiseLike<unknown> | unknown;

/** Throws unless `clientConnected` is a function. */
export function checkClientConnected(clientConnected: unknown): void {
  if (typeof clientConnected === "function") return;
  throw new TypeError(
    `Cannot start a server: expected a function that serves a client, got ${
      describe(clientConnected)
    }`,
  );
}

/**
 * Settings of a {@linkcode StreamReaderProtocol}.
 *
 * @category Streams
 */
export interface StreamReaderProtocolOptions<A extends Deno.Addr = Deno.Addr>
  extends FlowControlProtocolOptions {
  /**
   * Called when the connection is made. A subclass hands a method of its own as a function that
   * calls it: `super(reader, { clientConnected: (reader, writer) => this.serve(reader, writer) })`.
   */
  clientConnected?: ClientConnected<A> | undefined;
}

/**
 * The protocol between a transport and the streams: it feeds a reader. As
 * `asyncio.StreamReaderProtocol`.
 *
 * @category Streams
 *
 * @example Reading a connection that was made for a protocol
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop, StreamReader, StreamReaderProtocol, StreamWriter } from "@gyre/asyncio";
 *
 * const loop = new DenoEventLoop();
 * const line = await loop.runUntilComplete(async () => {
 *   await using server = await loop.createServer(() => ({
 *     connectionMade: (transport) => {
 *       transport.write(new TextEncoder().encode("hello\n"));
 *       transport.close();
 *     },
 *   }), { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *   const reader = new StreamReader();
 *   const [transport, protocol] = await loop.createConnection(
 *     () => new StreamReaderProtocol(reader),
 *     { port },
 *   );
 *   await using _writer = new StreamWriter(transport, protocol, { reader });
 *   return new TextDecoder().decode(await reader.readLine());
 * });
 * loop.close();
 * assertEquals(line, "hello\n");
 * ```
 */
export class StreamReaderProtocol<A extends Deno.Addr = Deno.Addr> extends FlowControlProtocol
  implements ProtocolLike {
  readonly #reader: StreamReader;
  readonly #stream: StreamState;
  readonly #clientConnected: ClientConnected<A> | null;
  readonly #memory = new ReadBuffer();
  /** The foreign context of who created it, which is that of its client's task. */
  readonly #creator = captureEngineContext();
  #isTls = false;
  #transport: Transport | null = null;
  /** Serves the connection. */
  #task: Task<unknown> | null = null;

  /**
   * Creates the protocol that feeds `reader`.
   *
   * @throws {TypeError} If `reader` is none, or `clientConnected` no function.
   */
  constructor(reader: StreamReader, options: StreamReaderProtocolOptions<A> = {}) {
    checkOptions("create a protocol", options, STREAM_READER_PROTOCOL);
    if (!(reader instanceof StreamReader)) {
      throw new TypeError(
        "Cannot create a protocol: expected a StreamReader, as in " +
          `new StreamReaderProtocol(reader, { clientConnected }), got ${describe(reader)}`,
      );
    }
    super(options);
    this.#reader = reader;
    this.#stream = stateOf(reader);
    this.#clientConnected = options.clientConnected ?? null;
    if (this.#clientConnected !== null) checkClientConnected(this.#clientConnected);
  }

  override connectionMade(transport: Transport<A>): void {
    const reader = this.#reader;
    this[inside.move](transport);
    const clientConnected = this.#clientConnected;
    if (clientConnected === null) return;
    const writer = new StreamWriter(transport, this, { reader });
    const serve = () => this[inside.options].loop.createTask(() => clientConnected(reader, writer));
    try {
      const task = runInEngineContext(this.#creator, serve);
      this.#task = task;
      task.addDoneCallback(() => this.#served(task, this.#transport ?? transport));
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /** @ignore */
  override [inside.cancelServing](): boolean {
    return this.#task?.cancel() ?? false;
  }

  /** @ignore */
  override [inside.waitsForPeer](): boolean {
    return this.#task?.done() !== false || this.#stream.isAwaited;
  }

  /** @ignore */
  override get [inside.isServer](): boolean {
    return this.#clientConnected !== null;
  }

  /** @ignore */
  override [inside.takeUnread](): Uint8Array {
    return this.#stream.takeUnread();
  }

  /** @ignore */
  override [inside.move](transport: Transport): void {
    this.#transport = transport;
    this.#reader.setTransport(transport);
    this.#isTls = transport.getExtraInfo("tls") !== undefined;
  }

  /** Returns the memory to read into next. */
  getBuffer(): Uint8Array {
    return this.#memory.take();
  }

  /** Bytes have come. */
  bufferUpdated(count: number): void {
    this.#stream.feedCopy(this.#memory.take(), count);
    this.#memory.adapt(count);
  }

  /** The peer has ended its side; this side stays open, which TLS does not allow. */
  eofReceived(): boolean {
    this.#reader.feedEof();
    return !this.#isTls;
  }

  override connectionLost(error: Error | null): void {
    if (error === null) this.#reader.feedEof();
    else this.#reader.setException(error);
    super.connectionLost(error);
  }

  /** The work on a connection is over: one that failed or was cancelled does not close it itself. */
  #served(task: Task<unknown>, transport: Transport): void {
    if (!task.cancelled()) {
      // `exception()` does not tell a task that threw `null` from one that is fine.
      try {
        return void task.result();
      } catch (exception) {
        const message = "Unhandled exception in clientConnected";
        this[inside.options].loop.callExceptionHandler({ message, exception, transport, task });
      }
    }
    transport.close();
  }
}
