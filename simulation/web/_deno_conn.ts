import type {
  ByteChannel,
  ByteSink,
  DatagramChannel,
  Listener,
} from "../../loop/platform/platform.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Place } from "../_place.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";
import { resolve } from "./_deno_dns.ts";

/** Bytes that one read brings at most. */
const READ_SIZE = 65_536;

const LAST_PORT = 65_535;

/** Settings that name a port or a path. */
interface AddressOptions {
  readonly transport?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
  readonly signal?: AbortSignal;
}

/** Who waits for something. */
interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A connection of Deno's in a simulation. */
class SimulatedConn implements Deno.TcpConn, ByteSink {
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBufferLike>>;
  readonly #channel: ByteChannel;
  readonly #memory = new Uint8Array(READ_SIZE);
  /** What has come and was not read; `null` for the end. */
  readonly #news: (Uint8Array | null | Error)[] = [];
  #reader: Waiter<Uint8Array | null> | null = null;
  #writer: { left: number; readonly done: PromiseWithResolvers<void> } | null = null;
  /** What the reader that waits is given. */
  #reading: Promise<unknown> | null = null;
  #isClosed = false;
  #isWritingClosed = false;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
    this.localAddr = channel.getExtraInfo("sockname") as Deno.NetAddr;
    this.remoteAddr = channel.getExtraInfo("peername") as Deno.NetAddr;
    channel.attach(this);
    this.readable = this.#createReadable();
    this.writable = this.#createWritable();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0) return 0;
    const bytes = await this.#take();
    if (bytes === null) return null;
    const count = Math.min(bytes.length, buffer.length);
    buffer.set(bytes.subarray(0, count));
    if (count < bytes.length) this.#news.unshift(bytes.subarray(count));
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#check();
    if (this.#isWritingClosed) {
      throw new Deno.errors.BrokenPipe("Cannot write to a connection: its writing side is closed");
    }
    while (this.#writer !== null) await this.#writer.done.promise;
    const sent = this.#channel.write(bytes.slice());
    if (sent < bytes.length) {
      const done = Promise.withResolvers<void>();
      this.#writer = { left: bytes.length - sent, done };
      await done.promise;
    }
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    this.#check();
    this.#isWritingClosed = true;
    this.#channel.closeWrite();
    return Promise.resolve();
  }

  close(): void {
    this.#check();
    this.#isClosed = true;
    this.#channel.abort();
    const error = new Deno.errors.Interrupted("Cannot read from a connection: it was closed");
    this.#reader?.reject(error);
    this.#writer?.done.reject(error);
    this.#reader = this.#writer = null;
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) this.close();
  }

  ref(): void {}

  unref(): void {}

  setNoDelay(): void {}

  setKeepAlive(): void {}

  buffer(): Uint8Array {
    return this.#memory;
  }

  received(buffer: Uint8Array, count: number): void {
    this.#tell(buffer.slice(0, count));
  }

  ended(): void {
    this.#tell(null);
  }

  failed(error: Error): void {
    this.#writer?.done.reject(error);
    this.#writer = null;
    this.#tell(error);
  }

  sent(count: number): void {
    const writer = this.#writer;
    if (writer === null) return;
    writer.left -= count;
    if (writer.left > 0) return;
    this.#writer = null;
    writer.done.resolve();
  }

  closed(): void {}

  #check(): void {
    if (this.#isClosed) throw new Deno.errors.BadResource("Cannot use a connection: it is closed");
  }

  #take(): Promise<Uint8Array | null> {
    this.#check();
    if (this.#reader !== null) {
      const again = () => this.#take();
      return (this.#reading as Promise<unknown>).then(again, again);
    }
    const news = this.#news.shift();
    if (news instanceof Error) return Promise.reject(news);
    if (news === null) this.#news.unshift(null);
    if (news !== undefined) return Promise.resolve(news);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
    this.#reader = { resolve, reject };
    this.#reading = promise;
    this.#channel.resume();
    return promise;
  }

  #tell(news: Uint8Array | null | Error): void {
    const reader = this.#reader;
    this.#reader = null;
    this.#channel.pause();
    if (reader === null || news === null) this.#news.push(news);
    if (reader === null) return;
    if (news instanceof Error) reader.reject(news);
    else reader.resolve(news);
  }

  #createReadable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const bytes = await this.#take();
        if (bytes !== null) return controller.enqueue(new Uint8Array(bytes));
        controller.close();
        this[Symbol.dispose]();
      },
      cancel: () => this[Symbol.dispose](),
    }, { highWaterMark: 0 });
  }

  #createWritable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return new WritableStream<Uint8Array<ArrayBufferLike>>({
      write: async (bytes) => void await this.write(bytes),
      // As Deno does: the whole connection.
      close: () => this[Symbol.dispose](),
      abort: () => this[Symbol.dispose](),
    });
  }
}

/** A listener of Deno's in a simulation. */
class SimulatedDenoListener implements Deno.TcpListener {
  readonly addr: Deno.NetAddr;
  readonly #listener: Listener;
  readonly #arrivals: SimulatedConn[] = [];
  readonly #waiters: Waiter<Deno.TcpConn>[] = [];
  #isClosed = false;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.addr = listener.address as Deno.NetAddr;
    listener.start({
      accepted: (channel) => {
        const conn = new SimulatedConn(channel);
        const waiter = this.#waiters.shift();
        if (waiter === undefined) this.#arrivals.push(conn);
        else waiter.resolve(conn);
      },
      failed: () => {},
      closed: () => {},
    });
  }

  accept(): Promise<Deno.TcpConn> {
    if (this.#isClosed) return Promise.reject(closedListener());
    const conn = this.#arrivals.shift();
    if (conn !== undefined) return Promise.resolve(conn);
    return new Promise((resolve, reject) => void this.#waiters.push({ resolve, reject }));
  }

  close(): void {
    if (this.#isClosed) throw closedListener();
    this.#isClosed = true;
    this.#listener.close();
    for (const conn of this.#arrivals) conn[Symbol.dispose]();
    for (const { reject } of this.#waiters.splice(0)) reject(closedListener());
  }

  ref(): void {}

  unref(): void {}

  [Symbol.dispose](): void {
    if (!this.#isClosed) this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Deno.TcpConn> {
    for (;;) {
      try {
        yield await this.accept();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
        return;
      }
    }
  }
}

function closedListener(): Error {
  return new Deno.errors.BadResource("Cannot accept a connection: the listener is closed");
}

/** A socket for datagrams of Deno's in a simulation. */
class SimulatedDatagramConn {
  readonly addr: Deno.NetAddr;
  readonly #channel: DatagramChannel;
  readonly #arrived: [Uint8Array, Deno.Addr][] = [];
  readonly #waiters: Waiter<[Uint8Array, Deno.Addr]>[] = [];
  #isClosed = false;

  constructor(channel: DatagramChannel) {
    this.#channel = channel;
    this.addr = { ...channel.address, transport: "udp" };
    channel.start({
      received: (bytes, from) => {
        const datagram: [Uint8Array, Deno.Addr] = [bytes, { ...from, transport: "udp" }];
        const waiter = this.#waiters.shift();
        if (waiter === undefined) this.#arrived.push(datagram);
        else waiter.resolve(datagram);
      },
      sent: () => {},
      failed: () => {},
      closed: () => {},
    });
  }

  async receive(memory?: Uint8Array): Promise<[Uint8Array, Deno.Addr]> {
    this.#check();
    const next = this.#arrived.shift() ??
      await new Promise<[Uint8Array, Deno.Addr]>((resolve, reject) => {
        this.#waiters.push({ resolve, reject });
      });
    if (memory === undefined) return next;
    const count = Math.min(memory.length, next[0].length);
    memory.set(next[0].subarray(0, count));
    return [memory.subarray(0, count), next[1]];
  }

  send(bytes: Uint8Array, address: Deno.NetAddr): Promise<number> {
    this.#check();
    this.#channel.send(bytes, address);
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#check();
    this.#isClosed = true;
    this.#channel.close();
    const error = new Deno.errors.BadResource("Cannot receive a datagram: the socket is closed");
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<[Uint8Array, Deno.Addr]> {
    try {
      while (!this.#isClosed) yield await this.receive();
    } catch (error) {
      // As Deno's, it ends with the socket.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #check(): void {
    if (this.#isClosed) throw new Deno.errors.BadResource("Cannot use a socket: it is closed");
  }
}

/** Returns what stands for the function of Deno's called `key`; `undefined` if nothing does. */
export function serveDeno(key: string, world: World): unknown {
  switch (key) {
    case "connect":
      return (options: AddressOptions) => connect(world.place, options);
    case "listen":
      return (options: AddressOptions) => listen(world.place, options);
    case "listenDatagram":
      return (options: AddressOptions) => {
        const { loop, platform } = world.place;
        const { hostname = "127.0.0.1", port = 0 } = options;
        if (options.path !== undefined) {
          throw createRefusal("Deno.listenDatagram() on a path", false)();
        }
        // Done at once.
        return new SimulatedDatagramConn(
          platform.network.openDatagrams(loop, { hostname, port }).result(),
        );
      };
    case "resolveDns":
      return (name: string, type: string) => resolveDns(world.place, name, type);
    default:
      return undefined;
  }
}

async function connect(place: Place, options: AddressOptions): Promise<Deno.Conn> {
  const { hostname = "127.0.0.1", port = 0, path, signal } = options;
  const { loop, platform: { network } } = place;
  signal?.throwIfAborted();
  if (!(port >= 0 && port <= LAST_PORT)) {
    throw new RangeError(`Cannot connect to port ${port}: it must be from 0 to ${LAST_PORT}`);
  }
  const connecting: Future<ByteChannel> = path === undefined
    ? network.connectTcp(loop, { hostname, port })
    : network.connectUnix(loop, path);
  const opened = Promise.withResolvers<ByteChannel>();
  const abort = () => {
    connecting.cancel();
    opened.reject(signal?.reason);
  };
  signal?.addEventListener("abort", abort, { once: true });
  connecting.addDoneCallback(() => {
    signal?.removeEventListener("abort", abort);
    if (connecting.cancelled()) return;
    const error = connecting.exception();
    if (error === null) opened.resolve(connecting.result());
    else opened.reject(error);
  });
  return new SimulatedConn(await opened.promise);
}

function listen({ loop, platform: { network } }: Place, options: AddressOptions): Deno.Listener {
  const { hostname = "0.0.0.0", port = 0, path } = options;
  // Both are done at once.
  const listening: Future<Listener> = path === undefined
    ? network.listenTcp(loop, { hostname, port })
    : network.listenUnix(loop, path);
  return new SimulatedDenoListener(listening.result());
}

function resolveDns(place: Place, name: string, type: string): Promise<string[]> {
  if (type === "PTR") {
    const host = place.platform.network.reverseLookup(place.loop, name).result();
    return host === null ? unknownName(name) : Promise.resolve([host]);
  }
  if (type !== "A" && type !== "AAAA") {
    return createRefusal(`Deno.resolveDns() of ${type}`, true)();
  }
  const addresses = resolve(place, name, type === "A" ? 4 : 6);
  return addresses.length === 0 ? unknownName(name) : Promise.resolve(addresses);
}

function unknownName(name: string): Promise<never> {
  return Promise.reject(new Deno.errors.NotFound(`Cannot resolve "${name}": no such name`));
}
