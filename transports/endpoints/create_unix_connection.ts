import type { Future } from "../../loop/tasks/future.ts";
import type { ByteChannel } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkConnection } from "./_check_sock.ts";
import { connect, type ConnectionKind } from "./_connect.ts";
import { CREATE_UNIX_CONNECTION } from "../_options.ts";
import { checkPath } from "./_unix_path.ts";
import type { ProtocolLike } from "../protocol.ts";
import { secureClient } from "../tls/_secure_channel.ts";
import type { TlsClientSettings } from "../tls/tls_options.ts";
import type { Transport } from "../transport.ts";

/**
 * Where {@linkcode createUnixConnection} connects to.
 *
 * @category Protocols and transports
 */
export interface CreateUnixConnectionOptions extends TlsClientSettings {
  /** Has no effect: what a `Deno.UnixAddr` has too, so that one can be given for the options. */
  transport?: "unix" | undefined;
  /** The path of the socket. One that begins with a zero character is an abstract name of Linux. */
  path?: string | undefined;
  /** A connection that exists, to use instead. It belongs to the transport from then on. */
  sock?: Deno.Conn<Deno.UnixAddr> | undefined;
  /** Aborting it gives the attempt up, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Connects to a Unix socket. As `loop.create_unix_connection()`.
 *
 * The protocol is created once the connection is there. Cancelling gives the attempt up and leaves
 * nothing open.
 *
 * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
 * @param loop The loop that the connection lives on.
 * @param protocolFactory Creates the protocol.
 * @param options Where to connect to.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {Deno.errors.NotFound} If there is nothing at the path.
 * @throws {Deno.errors.ConnectionRefused} If nothing listens there.
 * @throws {Deno.errors.PermissionDenied} If the system does not allow it.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {Deno.errors.InvalidData} If TLS is asked for, and the server cannot be trusted or does
 * not speak it.
 * @throws {TypeError} If the path is empty, or longer than a socket's may be, or the options of TLS
 * cannot be used.
 * @category Protocols and transports
 */
export function createUnixConnection<P extends ProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateUnixConnectionOptions,
): Future<[Transport<Deno.UnixAddr>, P]> {
  return connect(loop, protocolFactory, options, UNIX);
}

const UNIX: ConnectionKind<CreateUnixConnectionOptions> = {
  action: "create a connection",
  table: CREATE_UNIX_CONNECTION,
  secure: secureClient,
  open: openChannel,
};

function* openChannel(
  loop: PlatformLoop,
  { path, sock }: CreateUnixConnectionOptions,
): Coroutine<ByteChannel> {
  const { network } = loop.platform;
  if (sock === undefined) {
    checkPath(path, "connect to a Unix socket");
    return yield* network.connectUnix(loop, path);
  }
  if (path !== undefined) {
    throw new TypeError("Cannot create a connection: expected either a path or a sock, got both");
  }
  checkConnection(sock, "create a connection", "unix");
  return network.adopt(loop, sock);
}
