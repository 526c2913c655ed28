import type { Future } from "../../loop/tasks/future.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { checkConnection } from "./_check_sock.ts";
import { connect, type ConnectionKind } from "./_connect.ts";
import { CONNECT_ACCEPTED_SOCKET } from "../_options.ts";
import type { ProtocolLike } from "../protocol.ts";
import { secureServer } from "../tls/_secure_channel.ts";
import type { TlsServerSettings } from "../tls/tls_options.ts";
import type { Transport } from "../transport.ts";

/**
 * Settings of {@linkcode connectAcceptedSocket}; `A` is the type of its addresses.
 *
 * @category Protocols and transports
 */
export interface ConnectAcceptedSocketOptions<A extends Deno.Addr = Deno.Addr>
  extends TlsServerSettings {
  /** The connection, which belongs to the transport from then on. */
  sock: Deno.Conn<A>;
}

/**
 * Puts a transport and a protocol on a connection that was accepted outside of the loop. As
 * `loop.connect_accepted_socket()`.
 *
 * @param loop The loop that the connection lives on.
 * @param protocolFactory Creates the protocol.
 * @param options The connection.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {Deno.errors.InvalidData} If TLS is asked for, and the peer does not speak it, or has no
 * certificate that it needs.
 * @throws {InvalidStateError} If `sock` is closed, or used by another transport.
 * @throws {TypeError} If `sock` is no connection, or the options of TLS cannot be used.
 * @category Protocols and transports
 */
export function connectAcceptedSocket<P extends ProtocolLike, A extends Deno.Addr>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: ConnectAcceptedSocketOptions<A>,
): Future<[Transport<A>, P]> {
  return connect(loop, protocolFactory, options, ACCEPTED);
}

const ACCEPTED: ConnectionKind<ConnectAcceptedSocketOptions> = {
  action: "connect an accepted socket",
  table: CONNECT_ACCEPTED_SOCKET,
  secure: secureServer,
  // deno-lint-ignore require-yield -- The connection is there.
  *open(loop, { sock }) {
    checkConnection(sock, "connect an accepted socket");
    return loop.platform.network.adopt(loop, sock);
  },
};
