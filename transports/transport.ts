import type { SocketAddress } from "../loop/platform/platform.ts";
import type { DatagramProtocolLike, ProtocolLike } from "./protocol.ts";
import type { TlsInfo } from "./tls/tls_options.ts";

/**
 * The facts that a transport may know, by name. No transport knows them all.
 *
 * @category Protocols and transports
 */
export interface ExtraInfo<A extends Deno.Addr = Deno.Addr> {
  /** Where the peer is. */
  readonly peername: A;
  /** Where this end is. */
  readonly sockname: A;
  /** What the host has for it: a `Deno.Conn`, or a socket of `node:net` where the loop uses that. */
  readonly socket: object;
  /** What TLS has agreed on. */
  readonly tls: TlsInfo;
  /** The stream that was given for a pipe, or the number of its descriptor. */
  readonly pipe: ReadableStream<Uint8Array> | WritableStream<Uint8Array> | number;
  /** What the host has for a child process. */
  readonly subprocess: Deno.ChildProcess;
}

/**
 * Who tells facts of itself by name.
 *
 * @category Protocols and transports
 */
export interface ExtraInfoSource<A extends Deno.Addr = Deno.Addr> {
  /**
   * Returns a fact; see {@linkcode ExtraInfo} for the names. As `get_extra_info()`.
   *
   * @param name Which fact.
   * @param fallback What to return when it is not known; `undefined` by default.
   */
  getExtraInfo<N extends keyof ExtraInfo<A>, F = undefined>(
    name: N,
    fallback?: F,
  ): ExtraInfo<A>[N] | F;
  /** Returns a fact of another name, of which nothing is known here. */
  getExtraInfo(name: string, fallback?: unknown): unknown;
}

/**
 * What all transports have in common; `A` is the type of the addresses at its ends. As
 * `asyncio.BaseTransport`.
 *
 * @category Protocols and transports
 */
export interface BaseTransport<A extends Deno.Addr = Deno.Addr> extends ExtraInfoSource<A> {
  /**
   * Closes in good order: reads no more, sends what is buffered, then calls
   * `connectionLost(null)`, never from inside this call. Idempotent.
   */
  close(): void;
  /** Whether the connection is closing or closed. */
  isClosing(): boolean;
  /** Sets who is called from now on. As `set_protocol()`. */
  setProtocol(protocol: ProtocolLike): void;
  /** Returns who is called. */
  getProtocol(): ProtocolLike;
}

/**
 * A transport that reads. As `asyncio.ReadTransport`.
 *
 * @category Protocols and transports
 */
export interface ReadTransport<A extends Deno.Addr = Deno.Addr> extends BaseTransport<A> {
  /** Whether data is being received. */
  isReading(): boolean;
  /**
   * Calls the protocol with no more data until {@linkcode resumeReading}. What was read by then
   * is kept. Idempotent.
   */
  pauseReading(): void;
  /** Calls the protocol with data again. Idempotent. */
  resumeReading(): void;
}

/**
 * A transport that writes. As `asyncio.WriteTransport`.
 *
 * @category Protocols and transports
 */
export interface WriteTransport<A extends Deno.Addr = Deno.Addr> extends BaseTransport<A> {
  /**
   * Sends `data`, without waiting. What does not go out at once is buffered; then the memory
   * must stay as it is until it is sent. After the connection is lost, data is dropped.
   *
   * @throws {TypeError} If `data` is not a `Uint8Array`.
   * @throws {InvalidStateError} After {@linkcode writeEof}.
   */
  write(data: Uint8Array): void;
  /**
   * Sends all of `chunks` in one write.
   *
   * @throws {TypeError} If one is not a `Uint8Array`.
   * @throws {InvalidStateError} After {@linkcode writeEof}.
   */
  writelines(chunks: Iterable<Uint8Array>): void;
  /** Ends this side of the stream after what is buffered; the other side goes on. Idempotent. */
  writeEof(): void;
  /** Whether {@linkcode writeEof} is possible: not with TLS, which ends both sides or none. */
  canWriteEof(): boolean;
  /** Closes at once: drops what is buffered, then calls `connectionLost(null)` through the loop. */
  abort(): void;
  /** Returns how many bytes have not gone out yet. */
  getWriteBufferSize(): number;
  /** Returns the marks, in bytes, as `[low, high]`. */
  getWriteBufferLimits(): [low: number, high: number];
  /**
   * Sets the marks of flow control: `pauseWriting` is called when more than `high` bytes are
   * buffered, `resumeWriting` when no more than `low` are left.
   *
   * @throws {RangeError} Unless `high >= low >= 0`.
   */
  setWriteBufferLimits(limits?: WriteBufferLimits): void;
}

/**
 * The marks of flow control.
 *
 * @category Protocols and transports
 */
export interface WriteBufferLimits {
  /** In bytes; defaults to four times `low`, or to 64 KiB. */
  high?: number | undefined;
  /** In bytes; defaults to a quarter of `high`. */
  low?: number | undefined;
}

/**
 * A transport that reads and writes a stream of bytes. As `asyncio.Transport`.
 *
 * @category Protocols and transports
 */
export interface Transport<A extends Deno.Addr = Deno.Addr>
  extends ReadTransport<A>, WriteTransport<A> {}

/**
 * A transport of datagrams. As `asyncio.DatagramTransport`.
 *
 * @category Protocols and transports
 */
export interface DatagramTransport extends ExtraInfoSource<Deno.NetAddr> {
  /**
   * Sends a datagram, without waiting, after those sent before. An empty one is sent too.
   *
   * What cannot be sent is told to `errorReceived`, and changes nothing else: a name that does not
   * resolve, an address of the wrong family, port 0, more than 65,507 bytes.
   *
   * @param data Its bytes; they must stay as they are until it is sent.
   * @param address Where to; needed unless the endpoint is connected. A name is looked up for each
   * datagram.
   * @throws {TypeError} If `data` is not a `Uint8Array`, or there is no address or it is none.
   * @throws {RangeError} If the port is not between 0 and 65535, or the endpoint is connected to
   * another address.
   */
  sendto(data: Uint8Array, address?: SocketAddress): void;
  /** Sends what is buffered, then calls `connectionLost(null)` through the loop. Idempotent. */
  close(): void;
  /** Drops what is buffered, then calls `connectionLost(null)` through the loop. */
  abort(): void;
  /** Whether the endpoint is closing or closed. */
  isClosing(): boolean;
  /** Returns how many bytes have not gone out yet. */
  getWriteBufferSize(): number;
  /** Returns the marks, in bytes, as `[low, high]`. */
  getWriteBufferLimits(): [low: number, high: number];
  /** Sets the marks of flow control, as for a stream. */
  setWriteBufferLimits(limits?: WriteBufferLimits): void;
  /**
   * Sets who is called from now on. As `set_protocol()`.
   *
   * @throws {TypeError} If it is no object.
   */
  setProtocol(protocol: DatagramProtocolLike): void;
  /** Returns who is called. */
  getProtocol(): DatagramProtocolLike;
}
