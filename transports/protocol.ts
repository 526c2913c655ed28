import type { SocketAddress } from "../loop/platform/platform.ts";
import type { BaseTransport, DatagramTransport, Transport } from "./transport.ts";

/**
 * What a stream transport calls. Every method is optional, so a plain object with some of them
 * is a protocol; {@linkcode Protocol} and {@linkcode BufferedProtocol} are classes to extend.
 *
 * Calls come from the loop, one at a time: `connectionMade` once; then data, and `eofReceived`
 * at most once; then `connectionLost` once. `pauseWriting` alone is called from inside `write()`.
 * A transport reads by `getBuffer` and `bufferUpdated` when there is a `getBuffer`, else it calls
 * `dataReceived`.
 *
 * What `dataReceived`, `eofReceived`, `getBuffer` or `bufferUpdated` throw goes to the loop's
 * exception handler and ends the connection; what the others throw only goes there. So does what
 * they throw later, if they are async functions; nobody waits for those.
 *
 * @category Protocols and transports
 */
export interface ProtocolLike {
  /** The connection is made; `transport` writes to it and closes it. */
  connectionMade?(transport: Transport): void;
  /** Bytes have come. They belong to the protocol, in memory of their own. */
  dataReceived?(data: Uint8Array): void;
  /**
   * Returns the memory to read into next, at least one byte.
   *
   * @param sizeHint How many bytes are expected; -1 for any number.
   */
  getBuffer?(sizeHint: number): Uint8Array;
  /** The first `count` bytes of the buffer returned last were filled. */
  bufferUpdated?(count: number): void;
  /**
   * The peer has ended its side.
   *
   * @returns Whether to keep this side open. Without it, or without the method, it is closed.
   */
  eofReceived?(): boolean | void;
  /** More is buffered than the high mark: the protocol had better write no more for now. */
  pauseWriting?(): void;
  /** No more is buffered than the low mark: the protocol may write again. */
  resumeWriting?(): void;
  /** The connection is gone; `error` says why, `null` after an orderly end. The last call. */
  connectionLost?(error: Error | null): void;
}

/**
 * What all protocols have in common. As `asyncio.BaseProtocol`.
 *
 * @category Protocols and transports
 */
export class BaseProtocol<T = BaseTransport> {
  /** The connection is made. */
  connectionMade(_transport: T): void {}

  /** The connection is gone; `error` is `null` after an orderly end. The last call. */
  connectionLost(_error: Error | null): void {}

  /** More is buffered than the high mark. */
  pauseWriting(): void {}

  /** No more is buffered than the low mark. */
  resumeWriting(): void {}
}

/**
 * A protocol that is handed the bytes of a connection. As `asyncio.Protocol`.
 *
 * See {@linkcode ProtocolLike} for when its methods are called.
 *
 * @category Protocols and transports
 *
 * @example A protocol that greets
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop, Protocol, type Transport } from "@gyre/asyncio";
 *
 * class Greeter extends Protocol {
 *   override connectionMade(transport: Transport): void {
 *     transport.write(new TextEncoder().encode("hello"));
 *     transport.close();
 *   }
 * }
 *
 * const loop = new DenoEventLoop();
 * const text = await loop.runUntilComplete(function* () {
 *   const server = yield* loop.createServer(() => new Greeter(), { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *   const heard = loop.createFuture<string>();
 *   yield* loop.createConnection(() => ({
 *     dataReceived: (data: Uint8Array) => heard.setResult(new TextDecoder().decode(data)),
 *   }), { hostname: "127.0.0.1", port });
 *   server.close();
 *   return yield* heard;
 * });
 * loop.close();
 * assertEquals(text, "hello");
 * ```
 */
export class Protocol extends BaseProtocol<Transport> implements ProtocolLike {
  /** Bytes have come. They belong to the protocol, in memory of their own. */
  dataReceived(_data: Uint8Array): void {}

  /** The peer has ended its side; returns whether to keep this side open. */
  eofReceived(): boolean | void {}
}

/**
 * A protocol that reads into memory of its own, so that nothing is copied. As
 * `asyncio.BufferedProtocol`.
 *
 * It may write what it has read straight from that memory: the transport does not read into it
 * again before it went out.
 *
 * @category Protocols and transports
 */
export abstract class BufferedProtocol extends BaseProtocol<Transport> implements ProtocolLike {
  /**
   * Returns the memory to read into next, at least one byte. It is asked for ahead of the data.
   *
   * @param sizeHint How many bytes are expected; -1 for any number.
   */
  abstract getBuffer(sizeHint: number): Uint8Array;

  /** The first `count` bytes of the buffer returned last were filled. */
  abstract bufferUpdated(count: number): void;

  /** The peer has ended its side; returns whether to keep this side open. */
  eofReceived(): boolean | void {}
}

/**
 * What a datagram transport calls. Every method is optional, so a plain object with some of
 * them is a protocol; {@linkcode DatagramProtocol} is a class to extend.
 *
 * What a method throws goes to the loop's exception handler, and the endpoint stays open: one
 * datagram that cannot be read must not end a server for all.
 *
 * @category Protocols and transports
 */
export interface DatagramProtocolLike {
  /** The endpoint is open; `transport` sends and closes. */
  connectionMade?(transport: DatagramTransport): void;
  /** A datagram has come, maybe an empty one. Its bytes belong to the protocol. */
  datagramReceived?(data: Uint8Array, address: SocketAddress): void;
  /** A datagram could not be sent. The endpoint stays open. */
  errorReceived?(error: Error): void;
  /** More is buffered than the high mark. */
  pauseWriting?(): void;
  /** No more is buffered than the low mark. */
  resumeWriting?(): void;
  /** The endpoint is closed; `error` is `null` after an orderly end. The last call. */
  connectionLost?(error: Error | null): void;
}

/**
 * A protocol of datagrams. As `asyncio.DatagramProtocol`.
 *
 * @category Protocols and transports
 *
 * @example A server that sends every datagram back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type SocketAddress, DatagramProtocol, DenoEventLoop } from "@gyre/asyncio";
 * import type { DatagramTransport } from "@gyre/asyncio";
 *
 * class Echo extends DatagramProtocol {
 *   #transport: DatagramTransport | null = null;
 *   override connectionMade(transport: DatagramTransport): void {
 *     this.#transport = transport;
 *   }
 *   override datagramReceived(data: Uint8Array, address: SocketAddress): void {
 *     this.#transport?.sendto(data, address);
 *   }
 * }
 *
 * const loop = new DenoEventLoop();
 * const answer = await loop.runUntilComplete(function* () {
 *   const localAddress = { hostname: "127.0.0.1", port: 0 };
 *   const [server] = yield* loop.createDatagramEndpoint(() => new Echo(), { localAddress });
 *   const remoteAddress = server.getExtraInfo("sockname");
 *   const heard = loop.createFuture<Uint8Array>();
 *   const [client] = yield* loop.createDatagramEndpoint(() => ({
 *     datagramReceived: (data: Uint8Array) => heard.setResult(data),
 *   }), { remoteAddress });
 *   client.sendto(new Uint8Array([1, 2, 3]));
 *   return [...yield* heard];
 * });
 * loop.close();
 * assertEquals(answer, [1, 2, 3]);
 * ```
 */
export class DatagramProtocol extends BaseProtocol<DatagramTransport>
  implements DatagramProtocolLike {
  /** A datagram has come, maybe an empty one. Its bytes belong to the protocol. */
  datagramReceived(_data: Uint8Array, _address: SocketAddress): void {}

  /** A datagram could not be sent. The endpoint stays open. */
  errorReceived(_error: Error): void {}
}
