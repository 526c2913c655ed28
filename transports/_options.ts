/**
 * The options of this folder; see `loop/values/check_options.ts`. What a `sock`, a `path` and the `tls` of
 * a server must be has messages of its own.
 *
 * @module
 */
import {
  ANYTHING,
  countFrom,
  either,
  FLAG,
  FUNCTION,
  listOf,
  LOOP,
  NULL,
  NUMBER,
  OBJECT,
  oneOf,
  type OptionKind,
  optionsIn,
  type OptionTable,
  SECONDS,
  SIGNAL,
  TEXT,
  TEXTS,
} from "../loop/values/check_options.ts";
import type { SocketAddress } from "../loop/platform/platform.ts";
import type { ConnectAcceptedSocketOptions } from "./endpoints/connect_accepted_socket.ts";
import type { CreateConnectionOptions } from "./endpoints/create_connection.ts";
import type { CreateDatagramEndpointOptions } from "./endpoints/create_datagram_endpoint.ts";
import type { CreateServerOptions } from "./endpoints/create_server.ts";
import type { CreateUnixConnectionOptions } from "./endpoints/create_unix_connection.ts";
import type { CreateUnixServerOptions } from "./endpoints/create_unix_server.ts";
import type { FlowControlProtocolOptions } from "./core/flow_control_protocol.ts";
import type { GetaddrinfoOptions } from "./names/getaddrinfo.ts";
import type { OpenConnectionOptions, StreamOptions } from "./streams/open_connection.ts";
import type { OpenUnixConnectionOptions } from "./streams/open_unix_connection.ts";
import type { SendfileOptions } from "./endpoints/sendfile.ts";
import type { ServeForeverOptions, ServerShutdownOptions } from "./endpoints/server.ts";
import type { StartServerOptions } from "./streams/start_server.ts";
import type { StartTlsOptions } from "./endpoints/start_tls.ts";
import type { StartUnixServerOptions } from "./streams/start_unix_server.ts";
import type { StreamReaderOptions } from "./streams/stream_reader.ts";
import type { StreamReaderProtocolOptions } from "./streams/stream_reader_protocol.ts";
import type { StreamWriterOptions } from "./streams/stream_writer.ts";
import type { TlsClientSettings, TlsOptions, TlsServerSettings } from "./tls/tls_options.ts";
import type { WriteBufferLimits } from "./transport.ts";

const FAMILY = oneOf("ipv4", "ipv6");
/** An address of ours, or a `Deno.NetAddr`. */
export const NET_ADDRESS: OptionTable<SocketAddress & { transport?: "tcp" | "udp" }> = {
  transport: oneOf("tcp", "udp"),
  hostname: TEXT,
  port: NUMBER,
};
const ADDRESS: OptionKind = {
  ...optionsIn(NET_ADDRESS),
  expected: "an address with a hostname and a port",
  requires: ["hostname"],
};
const LOOKUP_FLAGS = listOf("passive", "numericHost", "numericService", "canonicalName");
const BYTES = {
  expected: "a Uint8Array",
  type: "object",
  fits: (value: unknown) => value instanceof Uint8Array,
};
const YES = { expected: "true", type: "boolean", fits: (value: unknown) => value === true };

const TLS: OptionTable<TlsOptions> = {
  caCerts: TEXTS,
  cert: TEXT,
  key: TEXT,
  password: TEXT,
  alpnProtocols: TEXTS,
  requestClientCert: either(FLAG, oneOf("optional")),
  sni: FUNCTION,
  ciphers: TEXT,
  minVersion: oneOf("TLSv1.2", "TLSv1.3"),
  maxVersion: oneOf("TLSv1.2", "TLSv1.3"),
  unsafelyDisableHostnameVerification: FLAG,
};

const TLS_CLIENT: OptionTable<TlsClientSettings> = {
  tls: optionsIn(TLS, YES),
  serverHostname: TEXT,
  tlsHandshakeTimeout: NUMBER,
  tlsShutdownTimeout: NUMBER,
};

const TLS_SERVER: OptionTable<TlsServerSettings> = {
  tls: optionsIn(TLS, YES),
  tlsHandshakeTimeout: NUMBER,
  tlsShutdownTimeout: NUMBER,
};

export const CREATE_CONNECTION: OptionTable<CreateConnectionOptions> = {
  hostname: TEXT,
  port: NUMBER,
  transport: oneOf("tcp"),
  ...TLS_CLIENT,
  proto: oneOf("tcp"),
  flags: LOOKUP_FLAGS,
  family: FAMILY,
  happyEyeballsDelay: SECONDS,
  interleave: countFrom(0),
  allErrors: FLAG,
  localAddress: ADDRESS,
  keepAlive: FLAG,
  sock: ANYTHING,
  signal: SIGNAL,
};

export const CREATE_SERVER: OptionTable<CreateServerOptions> = {
  hostname: either(TEXT, TEXTS),
  port: NUMBER,
  transport: oneOf("tcp"),
  ...TLS_SERVER,
  family: FAMILY,
  backlog: countFrom(0),
  reuseAddress: FLAG,
  reusePort: FLAG,
  flags: LOOKUP_FLAGS,
  keepAlive: FLAG,
  sock: ANYTHING,
  startServing: FLAG,
  signal: SIGNAL,
};

export const CREATE_UNIX_CONNECTION: OptionTable<CreateUnixConnectionOptions> = {
  path: ANYTHING,
  ...TLS_CLIENT,
  transport: oneOf("unix"),
  sock: ANYTHING,
  signal: SIGNAL,
};

export const CREATE_UNIX_SERVER: OptionTable<CreateUnixServerOptions> = {
  path: ANYTHING,
  ...TLS_SERVER,
  transport: oneOf("unix"),
  backlog: countFrom(0),
  cleanupSocket: FLAG,
  sock: ANYTHING,
  startServing: FLAG,
  signal: SIGNAL,
};

export const CONNECT_ACCEPTED_SOCKET: OptionTable<ConnectAcceptedSocketOptions> = {
  ...TLS_SERVER,
  sock: ANYTHING,
};

export const CREATE_DATAGRAM_ENDPOINT: OptionTable<CreateDatagramEndpointOptions> = {
  localAddress: ADDRESS,
  remoteAddress: ADDRESS,
  family: FAMILY,
  proto: oneOf("udp"),
  flags: LOOKUP_FLAGS,
  reusePort: FLAG,
  allowBroadcast: FLAG,
  sock: ANYTHING,
};

export const STREAM: OptionTable<StreamOptions> = { limit: countFrom(1) };

export const OPEN_CONNECTION: OptionTable<OpenConnectionOptions> = {
  ...CREATE_CONNECTION,
  ...STREAM,
};

export const OPEN_UNIX_CONNECTION: OptionTable<OpenUnixConnectionOptions> = {
  ...CREATE_UNIX_CONNECTION,
  ...STREAM,
};

export const START_SERVER: OptionTable<StartServerOptions> = { ...CREATE_SERVER, ...STREAM };

export const START_UNIX_SERVER: OptionTable<StartUnixServerOptions> = {
  ...CREATE_UNIX_SERVER,
  ...STREAM,
};

export const START_TLS: OptionTable<StartTlsOptions> = {
  tls: optionsIn(TLS, YES),
  serverSide: FLAG,
  serverHostname: TEXT,
  unread: BYTES,
  tlsHandshakeTimeout: NUMBER,
  tlsShutdownTimeout: NUMBER,
};

export const GETADDRINFO: OptionTable<GetaddrinfoOptions> = {
  family: FAMILY,
  type: oneOf("stream", "datagram"),
  proto: oneOf("tcp", "udp"),
  flags: LOOKUP_FLAGS,
};

export const SENDFILE: OptionTable<SendfileOptions> = {
  offset: NUMBER,
  count: NUMBER,
  fallback: FLAG,
};

export const FLOW_CONTROL_PROTOCOL: OptionTable<FlowControlProtocolOptions> = { loop: LOOP };

export const STREAM_READER: OptionTable<StreamReaderOptions> = { ...STREAM, loop: LOOP };

export const STREAM_READER_PROTOCOL: OptionTable<StreamReaderProtocolOptions> = {
  ...FLOW_CONTROL_PROTOCOL,
  clientConnected: FUNCTION,
};

export const STREAM_WRITER: OptionTable<StreamWriterOptions> = { reader: OBJECT };

export const WRITE_BUFFER_LIMITS: OptionTable<WriteBufferLimits> = {
  high: countFrom(0),
  low: countFrom(0),
};

/** What `getnameinfo()` takes. */
export const NAME_INFO_FLAGS: OptionKind = listOf("numericHost", "numericService", "nameRequired");

/** What `getaddrinfo()` takes as a host. */
export const HOST: OptionKind = either(TEXT, NULL);

export const SHUTDOWN: OptionTable<ServerShutdownOptions> = { grace: SECONDS };

export const SERVE_FOREVER: OptionTable<ServeForeverOptions> = { ...SHUTDOWN, signal: SIGNAL };
