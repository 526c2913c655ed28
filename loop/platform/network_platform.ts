/**
 * The part of the seam that reaches other programs: connections, listeners, datagrams, names.
 *
 * *Theory of operation.* A {@linkcode ByteChannel} *pushes*: it asks its {@linkcode ByteSink} for
 * a buffer, fills it and reports how much came. That fits an API that completes reads, one that
 * reports readiness, and a simulated link alike, and costs no promise for a message where the host
 * has none. A channel knows nothing of protocols; a transport is the sink that turns its reports
 * into their callbacks. TLS is a channel that is itself the sink of another channel, which is why
 * {@linkcode ByteChannel.attach} may be called again.
 *
 * What takes time is a future: cancelling it gives the work up and leaves nothing open. Every
 * report comes from an entry of the loop, {@linkcode ByteSink.sent} excepted.
 *
 * @module
 */
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";

/**
 * One end of a stream of bytes: TCP, TLS, a Unix socket, a pipe, or a simulated link.
 *
 * @category Platform
 */
export interface ByteChannel {
  /** Whether its two directions end only together, as with TLS. */
  readonly endsWhole?: boolean;
  /**
   * Sets who gets the reports, in place of who got them before. A read that is pending then
   * completes into the buffer of the former sink, and is reported to this one.
   */
  attach(sink: ByteSink): void;
  /**
   * Sends `bytes`, which the channel keeps until {@linkcode ByteSink.sent} has reported them all.
   * Only one write is in flight: the caller waits for its reports before the next. No read fills
   * the memory of `bytes` before they went out.
   *
   * @returns How many bytes are known to have gone out within the call. No report comes for them.
   */
  write(bytes: Uint8Array): number;
  /** Reads until {@linkcode pause}. A new channel does not read. */
  resume(): void;
  /** Stops reading. A read that is pending completes and is reported. */
  pause(): void;
  /** Sends the end of the stream; reading goes on. No write may be in flight. */
  closeWrite(): void;
  /** Closes in good order. No write may be in flight. Ends with {@linkcode ByteSink.closed}. */
  close(): void;
  /** Closes at once; a write in flight is given up. Ends with {@linkcode ByteSink.closed}. */
  abort(): void;
  /** Returns what sends `file`, a `Deno.FsFile` for instance; `null` if the host cannot do that. */
  sendFile?(file: unknown): FileSender | null;
  /** Returns what the channel knows of itself: `peername`, `sockname`, `socket`, `tls`, … */
  getExtraInfo(name: string): unknown;
}

/**
 * Sends parts of a file over a channel without reading them into memory.
 *
 * @category Platform
 */
export interface FileSender {
  /**
   * Sends up to `count` bytes from `offset` on, where no write is in flight.
   *
   * @returns How many went out, 0 at the end of the file; `null` where there is no room, or the
   * channel has failed; "unavailable" if this file cannot be sent so.
   */
  send(offset: number, count: number): number | null | "unavailable";
  /** Calls `ready` once there is room. */
  whenRoom(ready: () => void): void;
  /** Ends it. */
  close(): void;
}

/**
 * Who receives what a {@linkcode ByteChannel} reads.
 *
 * @category Platform
 */
export interface ByteSink {
  /**
   * `false` says that the sink needs no bytes in memory of its own: a channel that can read into
   * its own passes that to {@linkcode received}, and does not ask for a {@linkcode buffer}.
   */
  readonly lends?: boolean;
  /**
   * Returns the buffer that the next read fills, at least one byte long; `null` when there is
   * none: then the channel stops reading.
   */
  buffer(): Uint8Array | null;
  /**
   * The first `count` bytes, at least one, of `buffer` were filled.
   *
   * @param isOwned Whether the memory belongs to the sink from now on, all of it that is filled.
   */
  received(buffer: Uint8Array, count: number, isOwned?: boolean): void;
  /** The peer has ended its side. Nothing more is received. */
  ended(): void;
  /** The channel is broken; nothing more is received or sent, and it waits to be aborted. */
  failed(error: Error): void;
  /**
   * `count` more bytes of the write in flight went out; the rest follows by itself. The only
   * report that may come from outside the loop, so it must not call user code.
   */
  sent(count: number): void;
  /** The channel is closed and its resources released. The last report, exactly once. */
  closed(): void;
}

/**
 * A place in an Internet network: where a server listens, a client connects, datagrams come from and
 * go to. What asyncio has as a tuple; a `Deno.NetAddr` is one.
 *
 * @category Names
 */
export interface SocketAddress {
  /** A host name or a numeric address. */
  hostname: string;
  /** The port. */
  port: number;
}

/**
 * Settings of {@linkcode Network.connectTcp}.
 *
 * @category Platform
 */
export interface ConnectTcpOptions {
  /** Where the connection comes from. Defaults to what the host chooses. */
  localAddress?: SocketAddress | undefined;
}

/**
 * Settings of {@linkcode Network.listenTcp}.
 *
 * @category Platform
 */
export interface ListenTcpOptions {
  /** How many connections may wait to be accepted. */
  backlog?: number | undefined;
  /** Whether several processes may listen on the same port. */
  reusePort?: boolean | undefined;
}

/**
 * Settings of {@linkcode Network.adoptListener}.
 *
 * @category Platform
 */
export interface AdoptListenerOptions {
  /** Whether closing the listener removes the path of its Unix socket. It does by default. */
  cleanup?: boolean | undefined;
}

/**
 * Settings of {@linkcode Network.listenUnix}.
 *
 * @category Platform
 */
export interface ListenUnixOptions extends AdoptListenerOptions {
  /** How many connections may wait to be accepted. */
  backlog?: number | undefined;
}

/**
 * A socket that connections arrive at. It is bound; it accepts once started.
 *
 * @category Platform
 */
export interface Listener<A extends Deno.Addr = Deno.Addr> {
  /** Where it listens, with the port that the host chose. */
  readonly address: A;
  /** Accepts connections from now on. Called once. */
  start(acceptor: Acceptor): void;
  /** Accepts no more; ends with {@linkcode Acceptor.closed} if it was started. Idempotent. */
  close(): void;
}

/**
 * Who receives what arrives at a {@linkcode Listener}.
 *
 * @category Platform
 */
export interface Acceptor {
  /** A connection has arrived. */
  accepted(channel: ByteChannel): void;
  /** Accepting has failed; the listener tries again after a while, unless it is broken. */
  failed(error: Error): void;
  /** The listener is closed and its address free. The last report. */
  closed(): void;
}

/**
 * A socket that sends and receives datagrams.
 *
 * @category Platform
 */
export interface DatagramChannel {
  /** Where it is bound. */
  readonly address: Deno.NetAddr;
  /** Starts receiving into `sink`. Called once. */
  start(sink: DatagramSink): void;
  /** Sends `bytes`, which the channel may keep, after those sent before. */
  send(bytes: Uint8Array, address: Deno.NetAddr): void;
  /** Closes at once. Ends with {@linkcode DatagramSink.closed}. */
  close(): void;
}

/**
 * A socket for datagrams, such as a `Deno.DatagramConn`, whose type only a program with the library
 * `deno.unstable` has.
 *
 * @category Protocols and transports
 */
export interface DatagramConn {
  /** Where it receives. */
  readonly addr: Deno.Addr;
  /** Receives the next datagram into `memory`. */
  receive(memory?: Uint8Array): Promise<[Uint8Array, Deno.Addr]>;
  /** Sends a datagram. */
  send(bytes: Uint8Array, address: Deno.Addr): Promise<number>;
  /** Closes it. */
  close(): void;
}

/**
 * Who receives what a {@linkcode DatagramChannel} reads.
 *
 * @category Platform
 */
export interface DatagramSink {
  /** A datagram has come; `bytes` belong to the receiver. */
  received(bytes: Uint8Array, address: Deno.NetAddr): void;
  /** `count` more bytes were handed to the host. May come from outside the loop, as for bytes. */
  sent(count: number): void;
  /** One datagram could not be sent, or the network reported an error. The channel goes on. */
  failed(error: Error): void;
  /** The channel is closed, because of `error` if nobody has asked for it. The last report, once. */
  closed(error?: Error): void;
}

/**
 * Settings of {@linkcode Network.openDatagrams}.
 *
 * @category Platform
 */
export interface OpenDatagramsOptions {
  /** Whether to send to broadcast addresses. */
  allowBroadcast?: boolean | undefined;
  /** Whether several sockets may be bound to the address, where the network can do that. */
  reusePort?: boolean | undefined;
  /** The only address that is sent to, in numbers: whether that is permitted shows at once. */
  remote?: SocketAddress | undefined;
}

/**
 * The versions of the Internet protocol.
 *
 * @category Names
 */
export type AddressFamily = "ipv4" | "ipv6";

/**
 * A numeric address of a host.
 *
 * @category Names
 */
export interface HostAddress {
  /** Its kind. */
  family: AddressFamily;
  /** The address in numbers. */
  hostname: string;
}

/**
 * What a loop needs of a network.
 *
 * @category Platform
 */
export interface Network {
  /** Whether several sockets for datagrams may share a port. */
  readonly sharesDatagramPorts?: boolean;
  /** Connects to `address`; a name is resolved, and its addresses tried in turn. */
  connectTcp(
    loop: EventLoop,
    address: SocketAddress,
    options?: ConnectTcpOptions,
  ): Future<ByteChannel>;
  /** Binds a listener to `address`; port 0 lets the host choose. */
  listenTcp(
    loop: EventLoop,
    address: SocketAddress,
    options?: ListenTcpOptions,
  ): Future<Listener<Deno.NetAddr>>;
  /** Connects to the Unix socket at `path`. */
  connectUnix(loop: EventLoop, path: string): Future<ByteChannel>;
  /** Binds a listener to a Unix socket that it creates at `path`. */
  listenUnix(
    loop: EventLoop,
    path: string,
    options?: ListenUnixOptions,
  ): Future<Listener<Deno.UnixAddr>>;
  /** Binds a datagram socket to `address`. */
  openDatagrams(
    loop: EventLoop,
    address: SocketAddress,
    options?: OpenDatagramsOptions,
  ): Future<DatagramChannel>;
  /** Returns the numeric addresses of `hostname`, those to try first in front. */
  lookup(loop: EventLoop, hostname: string, family?: AddressFamily): Future<HostAddress[]>;
  /** Returns the name of the host with the numeric address `hostname`; `null` if it has none. */
  reverseLookup(loop: EventLoop, hostname: string): Future<string | null>;
  /** Returns the channel over a datagram socket that the program has made itself. */
  adoptDatagrams(loop: EventLoop, socket: DatagramConn): DatagramChannel;
  /**
   * Returns the channel over a connection that the program has made itself. Throws
   * `InvalidStateError` if something else uses it.
   */
  adopt(loop: EventLoop, connection: Deno.Conn): ByteChannel;
  /**
   * Returns the listener over one that the program has made itself. Throws `InvalidStateError` if
   * something else uses it.
   */
  adoptListener<A extends Deno.Addr>(
    loop: EventLoop,
    listener: Deno.Listener<Deno.Conn, A>,
    options?: AdoptListenerOptions,
  ): Listener<A>;
}
