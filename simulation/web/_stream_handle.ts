/**
 * What is behind a handle of `node:net` in a simulation.
 *
 * *Theory of operation.* `node:net` keeps its own sockets, servers and handles; of a handle, the
 * methods that a program of Node's calls are replaced. The first that binds, connects or listens gives the handle a state, which
 * is on a {@linkcode ByteChannel} of the place where the code runs. Results go back as the host gives
 * them: numbers of errors, callbacks on requests, and never within the call that asks.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import type { ByteChannel, ByteSink, Listener } from "../../loop/platform/platform.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Place } from "../_place.ts";
import { SimulatedChannel } from "../_simulated_channel.ts";
import { errorNumber, type HandleRequest, noteRead, noteWrite, numberOf } from "./_deno_node.ts";

/** Bytes that one read brings at most, as of a kernel. */
const READ_SIZE = 65_536;

/** The handle as `node:net` has it. */
export interface StreamHandle {
  onread?(this: StreamHandle, buffer: ArrayBuffer | undefined, status: number): unknown;
  onconnection?(status: number): void;
}

/** An address as `node:net` asks for it. */
export interface HandleAddress {
  address?: string;
  port?: number;
  family?: string;
}

/** A write that has not gone out. */
interface PendingWrite {
  readonly request: HandleRequest;
  readonly bytes: Uint8Array;
  /** How much of it has not gone out. */
  left: number;
}

/** What has come and was not asked for: bytes, or how reading has ended. */
type News = Uint8Array | number;

/** Where a handle is bound: a port, or a path. */
type Binding = { readonly hostname: string; readonly port: number } | string;

/** The state of a handle: a socket, a listener, or one that is only bound. */
export class StreamState implements ByteSink {
  readonly place: Place;
  readonly #handle: StreamHandle;
  #binding: Binding | null = null;
  #listener: Listener | null = null;
  #listenFailure: unknown = null;
  /** Connections that were not accepted yet. */
  readonly #arrivals: ByteChannel[] = [];
  #connecting: Future<ByteChannel> | null = null;
  /** Whether it has connected, rather than accepted. Who serves waits for nothing. */
  #isClient = false;
  /** Ends that something waits for what comes; `null` if nothing does. */
  #release: (() => void) | null = null;
  #channel: ByteChannel | null = null;
  #isReading = false;
  readonly #news: News[] = [];
  /** What the next read fills. */
  readonly #memory: Uint8Array = new Uint8Array(READ_SIZE);
  /** What `node:net` wants to have filled. */
  #userBuffer: Uint8Array | null = null;
  readonly #writes: PendingWrite[] = [];
  #shutdown: HandleRequest | null = null;
  /** How the connection has failed. */
  #failure: number | null = null;
  #isClosed = false;
  #bytesRead = 0;
  #bytesWritten = 0;

  constructor(place: Place, handle: StreamHandle, channel: ByteChannel | null = null) {
    this.place = place;
    this.#handle = handle;
    if (channel !== null) this.#take(channel);
  }

  ref(): void {
    if (this.#isClient && !this.#isClosed) this.#release ??= this.place.keepGoing();
  }

  unref(): void {
    this.#release?.();
    this.#release = null;
  }

  bind(binding: Binding): number {
    this.#binding = binding;
    return 0;
  }

  connect(request: HandleRequest, to: Binding): number {
    const { loop, platform: { network } } = this.place;
    const from = this.#binding;
    const connecting = typeof to === "string" ? network.connectUnix(loop, to) : network.connectTcp(
      loop,
      to,
      from === null || typeof from === "string" ? {} : {
        localAddress: from,
      },
    );
    this.#connecting = connecting;
    this.#isClient = true;
    this.ref();
    connecting.addDoneCallback(() => {
      if (connecting.cancelled() || this.#connecting !== connecting) return;
      this.#connecting = null;
      const error = connecting.exception();
      if (error === null) this.#take(connecting.result());
      const status = error === null ? 0 : numberOf(error);
      const isOpen = status === 0;
      this.place.run(() => request.oncomplete(status, this.#handle, request, isOpen, isOpen));
    });
    return 0;
  }

  listen(backlog: number): number {
    const { loop, platform: { network } } = this.place;
    const at = this.#binding ?? { hostname: "0.0.0.0", port: 0 };
    const options = { backlog };
    // Both are done at once.
    const listening: Future<Listener> = typeof at === "string"
      ? network.listenUnix(loop, at, options)
      : network.listenTcp(loop, at, options);
    const error = listening.exception();
    this.#listenFailure = error;
    if (error !== null) return numberOf(error);
    this.#listener = listening.result();
    this.#listener.start({
      accepted: (channel) => {
        this.#arrivals.push(channel);
        this.place.run(() => this.#handle.onconnection?.(0));
      },
      failed: () => {},
      closed: () => {},
    });
    return 0;
  }

  /** Why it does not listen, if it was to; `null` if it does. */
  get listenFailure(): unknown {
    return this.#listenFailure;
  }

  /** Returns the connection that was told of last. */
  accept(): ByteChannel | null {
    return this.#arrivals.shift() ?? null;
  }

  readStart(): number {
    if (this.#channel === null) return errorNumber("ENOTCONN");
    this.#isReading = true;
    if (this.#news.length > 0) this.place.later(0, () => this.#tell());
    this.#channel.resume();
    return 0;
  }

  readStop(): number {
    this.#isReading = false;
    this.#channel?.pause();
    return 0;
  }

  useUserBuffer(buffer: Uint8Array): void {
    this.#userBuffer = buffer;
  }

  write(request: HandleRequest, bytes: Uint8Array): number {
    const channel = this.#channel;
    if (channel === null || this.#isClosed) return errorNumber("EBADF");
    if (this.#failure !== null) return errorNumber("EPIPE");
    this.#bytesWritten += bytes.length;
    const sent = this.#writes.length === 0 ? channel.write(bytes) : 0;
    const left = bytes.length - sent;
    if (left > 0) this.#writes.push({ request, bytes, left });
    noteWrite(bytes.length, left > 0);
    return 0;
  }

  shutdown(request: HandleRequest): number {
    if (this.#channel === null || this.#failure !== null) return errorNumber("ENOTCONN");
    this.#shutdown = request;
    if (this.#writes.length === 0) this.#endWriting();
    return 0;
  }

  /** Breaks the connection for the peer, too. */
  reset(): number {
    if (this.#channel instanceof SimulatedChannel) this.#channel[inside.reset]();
    return 0;
  }

  close(done: (() => void) | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.unref();
    this.#isReading = false;
    this.#connecting?.cancel();
    this.#connecting = null;
    this.#listener?.close();
    for (const channel of this.#arrivals) channel.abort();
    this.#channel?.abort();
    const writes = this.#writes.splice(0);
    this.place.later(0, () => {
      for (const { request } of writes) request.oncomplete(errorNumber("ECANCELED"));
      done?.();
    });
  }

  getsockname(out: HandleAddress): number {
    const address = this.#listener?.address ?? this.#channel?.getExtraInfo("sockname");
    if (address !== undefined) return writeAddress(address as Deno.Addr, out);
    const binding = this.#binding;
    if (binding === null || typeof binding === "string") return errorNumber("EBADF");
    return writeAddress({ transport: "tcp", ...binding }, out);
  }

  getpeername(out: HandleAddress): number {
    const address = this.#channel?.getExtraInfo("peername");
    if (address === undefined) return errorNumber("ENOTCONN");
    return writeAddress(address as Deno.Addr, out);
  }

  getBytesRead(): number {
    return this.#bytesRead;
  }

  getBytesWritten(): number {
    return this.#bytesWritten;
  }

  buffer(): Uint8Array {
    return this.#memory;
  }

  received(buffer: Uint8Array, count: number): void {
    this.#bytesRead += count;
    this.#news.push(buffer.slice(0, count));
    this.#tellHere();
  }

  ended(): void {
    this.#news.push(errorNumber("EOF"));
    this.#tellHere();
  }

  failed(error: Error): void {
    this.#failure = numberOf(error);
    const writes = this.#writes.splice(0);
    this.#news.push(this.#failure);
    this.place.run(() => {
      for (const { request } of writes) request.oncomplete(this.#failure);
      this.#tell();
    });
  }

  sent(count: number): void {
    const [write] = this.#writes;
    if (write === undefined) return;
    write.left -= count;
    if (write.left > 0) return;
    this.#writes.shift();
    // This report may come from outside of the loop.
    this.place.later(0, () => this.#isClosed || write.request.oncomplete(0));
    this.#writeNext();
  }

  closed(): void {}

  #take(channel: ByteChannel): void {
    this.#channel = channel;
    channel.attach(this);
  }

  #tellHere(): void {
    this.place.run(() => this.#tell());
  }

  /** Tells what has come, as long as it is asked for. */
  #tell(): void {
    while (this.#isReading && !this.#isClosed) {
      const news = this.#news.shift();
      if (news === undefined) return;
      if (typeof news === "number") {
        this.#isReading = false;
        this.#handle.onread?.(undefined, news);
      } else this.#tellBytes(news);
    }
  }

  #tellBytes(bytes: Uint8Array): void {
    noteRead();
    const target = this.#userBuffer;
    if (target === null) {
      this.#handle.onread?.(bytes.buffer as ArrayBuffer, bytes.length);
      return;
    }
    const count = Math.min(bytes.length, target.length);
    target.set(bytes.subarray(0, count));
    if (count < bytes.length) this.#news.unshift(bytes.subarray(count));
    this.#handle.onread?.(undefined, count);
  }

  #writeNext(): void {
    const channel = this.#channel;
    for (let write = this.#writes[0]; write !== undefined; write = this.#writes[0]) {
      write.left -= channel?.write(write.bytes) ?? 0;
      if (write.left > 0) return;
      const { request } = write;
      this.#writes.shift();
      this.place.later(0, () => this.#isClosed || request.oncomplete(0));
    }
    if (this.#shutdown !== null) this.#endWriting();
  }

  #endWriting(): void {
    const request = this.#shutdown;
    this.#shutdown = null;
    this.#channel?.closeWrite();
    this.place.later(0, () => request?.oncomplete(0));
  }
}

function writeAddress(address: Deno.Addr, out: HandleAddress): number {
  if ("path" in address) out.address = address.path ?? "";
  else if ("hostname" in address) {
    out.address = address.hostname;
    out.port = address.port;
    out.family = address.hostname.includes(":") ? "IPv6" : "IPv4";
  }
  return 0;
}
