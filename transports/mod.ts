/**
 * Transports and protocols: connections, servers, and the objects that their callbacks are on.
 *
 * @example A protocol that echoes, and a client of it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop } from "@gyre/asyncio";
 * import { Protocol, type Transport } from "@gyre/asyncio/transports";
 *
 * class Echo extends Protocol {
 *   #transport: Transport | null = null;
 *   override connectionMade(transport: Transport): void {
 *     this.#transport = transport;
 *   }
 *   override dataReceived(data: Uint8Array): void {
 *     this.#transport?.write(data);
 *   }
 * }
 *
 * const loop = new DenoEventLoop();
 * const answer = await loop.runUntilComplete(function* () {
 *   const server = yield* loop.createServer(() => new Echo(), { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *   const heard = loop.createFuture<string>();
 *   const [transport] = yield* loop.createConnection(() => ({
 *     dataReceived: (data: Uint8Array) => heard.setResult(new TextDecoder().decode(data)),
 *   }), { port });
 *   transport.write(new TextEncoder().encode("hello"));
 *   const text = yield* heard;
 *   transport.close();
 *   server.close();
 *   yield* server.waitClosed();
 *   return text;
 * });
 * loop.close();
 * assertEquals(answer, "hello");
 * ```
 *
 * @module
 */
export {
  connectReadPipe,
  connectWritePipe,
  type ReadablePipe,
  type WritablePipe,
} from "./endpoints/connect_pipe.ts";
export {
  connectAcceptedSocket,
  type ConnectAcceptedSocketOptions,
} from "./endpoints/connect_accepted_socket.ts";
export { createConnection, type CreateConnectionOptions } from "./endpoints/create_connection.ts";
export { createServer, type CreateServerOptions } from "./endpoints/create_server.ts";
export {
  createUnixConnection,
  type CreateUnixConnectionOptions,
} from "./endpoints/create_unix_connection.ts";
export { createUnixServer, type CreateUnixServerOptions } from "./endpoints/create_unix_server.ts";
export {
  FlowControlProtocol,
  type FlowControlProtocolOptions,
} from "./core/flow_control_protocol.ts";
export {
  openConnection,
  type OpenConnectionOptions,
  type StreamOptions,
} from "./streams/open_connection.ts";
export {
  openUnixConnection,
  type OpenUnixConnectionOptions,
} from "./streams/open_unix_connection.ts";
export { openReadPipe, openWritePipe } from "./streams/open_pipe.ts";
export {
  BaseProtocol,
  BufferedProtocol,
  DatagramProtocol,
  type DatagramProtocolLike,
  Protocol,
  type ProtocolLike,
} from "./protocol.ts";
export type { AnySocketAddress, NonBlockingSocket } from "./endpoints/sock_operations.ts";
export type { Descriptor } from "./endpoints/watch_descriptor.ts";
export { type SendableFile, sendfile, type SendfileOptions } from "./endpoints/sendfile.ts";
export {
  type ServeForeverOptions,
  Server,
  type ServerShutdownOptions,
} from "./endpoints/server.ts";
export { startServer, type StartServerOptions } from "./streams/start_server.ts";
export { startTls, type StartTlsOptions } from "./endpoints/start_tls.ts";
export { startUnixServer, type StartUnixServerOptions } from "./streams/start_unix_server.ts";
export { StreamReader, type StreamReaderOptions } from "./streams/stream_reader.ts";
export {
  type ClientConnected,
  StreamReaderProtocol,
  type StreamReaderProtocolOptions,
} from "./streams/stream_reader_protocol.ts";
export { StreamWriter, type StreamWriterOptions } from "./streams/stream_writer.ts";
export type {
  TlsCertificate,
  TlsClientSettings,
  TlsIdentity,
  TlsInfo,
  TlsOptions,
  TlsServerSettings,
  TlsTimeouts,
  TlsVersion,
} from "./tls/tls_options.ts";
export type {
  BaseTransport,
  DatagramTransport,
  ExtraInfo,
  ExtraInfoSource,
  ReadTransport,
  Transport,
  WriteBufferLimits,
  WriteTransport,
} from "./transport.ts";
export {
  type AddrInfo,
  type AddrInfoFlag,
  getaddrinfo,
  type GetaddrinfoOptions,
  type SocketProtocol,
  type SocketType,
} from "./names/getaddrinfo.ts";
export { getnameinfo, type NameInfoFlag } from "./names/getnameinfo.ts";
export {
  createDatagramEndpoint,
  type CreateDatagramEndpointOptions,
} from "./endpoints/create_datagram_endpoint.ts";
