import type { Future } from "../loop/future.ts";
import type { ByteChannel } from "../loop/platform.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import { checkFactory, createProtocol } from "./_create_protocol.ts";
import { interruptedBy } from "./_interrupted_by.ts";
import type { StreamProtocol } from "./protocol.ts";
import { StreamTransport } from "./stream_transport.ts";
import type { Transport } from "./transport.ts";

/** Where {@linkcode createConnection} connects to: `hostname` and `port`, or `sock`. */
export interface CreateConnectionOptions {
  /** A host name or a numeric address; the local host by default. */
  hostname?: string;
  /** The port to connect to. */
  port?: number;
  /** A connection that exists, to use instead. It belongs to the transport from then on. */
  sock?: Deno.Conn;
  /** Aborting it gives the attempt up, and throws its reason. */
  signal?: AbortSignal;
}

/**
 * Connects to a TCP server. As `loop.create_connection()`.
 *
 * The protocol is created once the connection is there. Cancelling gives the attempt up and leaves
 * nothing open.
 *
 * @permissions allow-net
 * @param loop The loop that the connection lives on.
 * @param protocolFactory Creates the protocol.
 * @param options Where to connect to.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {Deno.errors.ConnectionRefused} If nothing listens there.
 * @throws {Deno.errors.NotFound} If the host name does not resolve.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {TypeError} If there is neither a port nor a `sock`, or both.
 */
export function createConnection<P extends StreamProtocol>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateConnectionOptions,
): Future<[Transport, P]> {
  checkFactory(protocolFactory);
  const start = () => startOperation(loop, connectSteps(loop, protocolFactory, options));
  return startOperation(loop, interruptedBy(options.signal, start));
}

function* connectSteps<P extends StreamProtocol>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateConnectionOptions,
): Coroutine<[Transport, P]> {
  const channel = yield* openChannel(loop, options);
  return yield* makeConnection(loop, channel, protocolFactory);
}

function* openChannel(
  loop: PlatformLoop,
  { hostname = "127.0.0.1", port, sock }: CreateConnectionOptions,
): Coroutine<ByteChannel> {
  if ((port === undefined) === (sock === undefined)) {
    throw new TypeError(
      `Cannot create a connection: expected either a port or a sock, got ${
        port === undefined ? "neither" : "both"
      }`,
    );
  }
  if (port === undefined) return loop.platform.network.adopt(loop, sock as Deno.Conn);
  return yield* loop.platform.network.connectTcp(loop, { hostname, port });
}

/** Puts a transport and a protocol on `channel`, and waits until the connection is made. */
function* makeConnection<P extends StreamProtocol>(
  loop: PlatformLoop,
  channel: ByteChannel,
  protocolFactory: () => P,
): Coroutine<[Transport, P]> {
  let protocol: P;
  try {
    protocol = createProtocol(protocolFactory);
  } catch (error) {
    channel.abort();
    throw error;
  }
  const opened = loop.createFuture<void>();
  const transport = new StreamTransport(loop, channel, protocol, { opened });
  try {
    yield* opened;
  } catch (error) {
    transport.abort();
    throw error;
  }
  return [transport, protocol];
}
