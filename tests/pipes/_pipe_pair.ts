import {
  type Coroutine,
  DenoEventLoop,
  type Future,
  type ProtocolLike,
  Server,
  type Transport,
} from "../../mod.ts";
import type { Acceptor, ByteChannel, ByteSink, EventLoop, Listener } from "../../loop/mod.ts";
import { interruptedBy } from "../../loop/tasks/interrupted_by.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import { ReadableStreamChannel } from "../../transports/deno/readable_stream_channel.ts";
import { StreamTransport } from "../../transports/core/stream_transport.ts";
import { WritableStreamChannel } from "../../transports/deno/writable_stream_channel.ts";
import type { Backend } from "../transports/_backend.ts";
import { createMemoryPipe } from "./_memory_pipe.ts";

/** Connections that are two pipes, one for each direction, each a stream of the Web. */
export const pipePair: Backend<Deno.UnixAddr> = {
  name: "a pair of pipes",
  capacity: 1024 * 1024,
  createLoop: () => new DenoEventLoop(),
  serve: (loop, factory, options = {}) => {
    const start = () => startOperation(loop, serve(loop, factory, options));
    return options.signal === undefined ? start() : interruptedBy(loop, options.signal, start);
  },
  connect: (loop, address, factory) => startOperation(loop, connect(loop, address, factory)),
};

/** Listeners that accept. */
const listeners: Map<string, PipeListener> = new Map();

function* serve(
  loop: DenoEventLoop,
  factory: () => ProtocolLike,
  options: { signal?: AbortSignal },
): Coroutine<Server<Deno.UnixAddr>> {
  const server = new Server(loop, [new PipeListener()], factory, options);
  yield* server.startServing();
  return server;
}

function* connect<P extends ProtocolLike>(
  loop: DenoEventLoop,
  { path }: Deno.UnixAddr,
  factory: () => P,
): Coroutine<[Transport, P]> {
  const listener = listeners.get(path);
  if (listener === undefined) throw new Deno.errors.ConnectionRefused("Nothing listens there");
  const there = createMemoryPipe();
  const back = createMemoryPipe();
  listener.accept(new PipePairChannel(loop, there.readable, back.writable));
  const opened: Future<void> = loop.createFuture();
  const channel = new PipePairChannel(loop, back.readable, there.writable);
  const protocol = factory();
  const transport = new StreamTransport(loop, channel, protocol, { opened });
  yield* opened;
  return [transport, protocol];
}

/** What pipes are handed to. */
class PipeListener implements Listener<Deno.UnixAddr> {
  readonly address: Deno.UnixAddr = { transport: "unix", path: crypto.randomUUID() };
  #acceptor: Acceptor | null = null;

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    listeners.set(this.address.path, this);
  }

  accept(channel: ByteChannel): void {
    this.#acceptor?.accepted(channel);
  }

  close(): void {
    listeners.delete(this.address.path);
    this.#acceptor?.closed();
    this.#acceptor = null;
  }
}

/** A channel that reads one pipe and writes to another. */
class PipePairChannel implements ByteChannel {
  readonly #reading: ReadableStreamChannel;
  readonly #writing: WritableStreamChannel;

  constructor(
    loop: EventLoop,
    readable: ReadableStream<Uint8Array>,
    writable: WritableStream<Uint8Array>,
  ) {
    this.#reading = new ReadableStreamChannel(loop, readable);
    this.#writing = new WritableStreamChannel(loop, writable);
  }

  attach(sink: ByteSink): void {
    let open = 2;
    const half: ByteSink = {
      buffer: () => sink.buffer(),
      received: (buffer, count) => sink.received(buffer, count),
      ended: () => sink.ended(),
      failed: (error) => sink.failed(error),
      sent: (count) => sink.sent(count),
      closed: () => void (--open === 0 && sink.closed()),
    };
    this.#reading.attach(half);
    this.#writing.attach(half);
  }

  write(bytes: Uint8Array): number {
    return this.#writing.write(bytes);
  }

  resume(): void {
    this.#reading.resume();
  }

  pause(): void {
    this.#reading.pause();
  }

  closeWrite(): void {
    this.#writing.closeWrite();
  }

  close(): void {
    this.#writing.close();
    this.#reading.close();
  }

  abort(): void {
    this.#writing.abort();
    this.#reading.abort();
  }

  getExtraInfo(): unknown {
    return undefined;
  }
}
