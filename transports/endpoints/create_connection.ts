import type { Future } from "../../loop/tasks/future.ts";
import type {
  AddressFamily,
  ByteChannel,
  ConnectTcpOptions,
  SocketAddress,
} from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkConnection } from "./_check_sock.ts";
import { connect, type ConnectionKind } from "./_connect.ts";
import { CREATE_CONNECTION } from "../_options.ts";
import { type AddrInfoFlag, getaddrinfo } from "../names/getaddrinfo.ts";
import { interleave, race } from "./happy_eyeballs.ts";
import { setKeepAlive } from "./_keep_alive.ts";
import type { ProtocolLike } from "../protocol.ts";
import { secureClient } from "../tls/_secure_channel.ts";
import type { TlsClientSettings } from "../tls/tls_options.ts";
import type { Transport } from "../transport.ts";

const LOCAL_HOST = "127.0.0.1";

/**
 * Where {@linkcode createConnection} connects to: `hostname` and `port`, or `sock`, whose addresses
 * are of type `A`.
 *
 * @category Protocols and transports
 */
export interface CreateConnectionOptions<A extends Deno.Addr = Deno.NetAddr>
  extends TlsClientSettings {
  /**
   * Has no effect: what a `Deno.NetAddr` has too, so that one can be given for the options. `"udp"`
   * is a TypeError.
   */
  transport?: Deno.NetAddr["transport"] | undefined;
  /** A host name or a numeric address; the local host by default. */
  hostname?: string | undefined;
  /** The port to connect to. */
  port?: number | undefined;
  /** Has no effect: connections are TCP. */
  proto?: "tcp" | undefined;
  /**
   * How the name is looked up, as for `getaddrinfo()`. `numericHost` takes addresses in numbers only,
   * and looks nothing up.
   */
  flags?: readonly AddrInfoFlag[] | undefined;
  /**
   * Addresses of this family only. This, `flags` and the next three make the loop resolve the name itself,
   * which needs `allow-net` for the name and for its addresses, not only for `hostname:port`.
   */
  family?: AddressFamily | undefined;
  /**
   * Seconds that an attempt to connect gets before the next address is tried beside it, as in RFC
   * 8305; 0.25 is usual. By default an attempt begins when the one before has failed.
   */
  happyEyeballsDelay?: number | undefined;
  /**
   * How many addresses of the first family come before the families take turns; 0 keeps their
   * order. 1 by default with `happyEyeballsDelay`, else 0.
   */
  interleave?: number | undefined;
  /** Throws the errors of all attempts as an `AggregateError`; the first one's by default. */
  allErrors?: boolean | undefined;
  /**
   * Where the connection comes from; port 0 lets the system choose. It needs `allow-net` for this
   * address too.
   */
  localAddress?: SocketAddress | undefined;
  /**
   * Whether the system probes the connection while it is silent, and ends it when its peer is gone; after two
   * hours where the machine has no other setting. Deno's own setting is off.
   */
  keepAlive?: boolean | undefined;
  /** A connection that exists, to use instead. It belongs to the transport from then on. */
  sock?: Deno.Conn<A> | undefined;
  /** Aborting it gives the attempt up, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Connects to a TCP server. As `loop.create_connection()`.
 *
 * The protocol is created once the connection is there, with `tls` after the handshake. Cancelling
 * gives the attempt up and leaves nothing open.
 *
 * @permissions allow-net=<hostname>:<port>
 * @param loop The loop that the connection lives on.
 * @param protocolFactory Creates the protocol.
 * @param options Where to connect to.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {Deno.errors.ConnectionRefused} If nothing listens there.
 * @throws {Deno.errors.NotFound} If the host name does not resolve.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {Deno.errors.InvalidData} If TLS is asked for, and the server cannot be trusted or does
 * not speak it.
 * @throws {Deno.errors.UnexpectedEof} If the server hangs up during the handshake of TLS.
 * @throws {Deno.errors.ConnectionAborted} If that handshake takes too long.
 * @throws {TypeError} If the options of TLS cannot be used.
 * @throws {InvalidStateError} If the `sock` is closed, or used by another transport.
 * @throws {TypeError} If there is neither a port nor a `sock`, or both, or that is no connection.
 *
 * @category Protocols and transports
 *
 * @example Reading what a server has to say
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, run } from "@gyre/asyncio";
 *
 * const text = await run(async () => {
 *   const loop = getRunningLoop();
 *   await using server = await loop.createServer(() => ({
 *     connectionMade(transport) {
 *       transport.write(new TextEncoder().encode("hello"));
 *       transport.close();
 *     },
 *   }), { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *
 *   const ended = loop.createFuture<string>();
 *   let received = "";
 *   await loop.createConnection(() => ({
 *     dataReceived: (data: Uint8Array) => void (received += new TextDecoder().decode(data)),
 *     connectionLost: () => ended.setResult(received),
 *   }), { port });
 *   return await ended;
 * });
 * assertEquals(text, "hello");
 * ```
 */
export function createConnection<P extends ProtocolLike, A extends Deno.Addr = Deno.NetAddr>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateConnectionOptions<A>,
): Future<[Transport<A>, P]> {
  return connect(loop, protocolFactory, options, TCP);
}

const TCP: ConnectionKind<CreateConnectionOptions<Deno.Addr>> = {
  action: "create a connection",
  table: CREATE_CONNECTION,
  secure: (loop, options) => {
    const { hostname = LOCAL_HOST, port } = options;
    return secureClient(loop, options, port === undefined ? undefined : hostname);
  },
  *open(loop, options) {
    const channel = yield* openChannel(loop, options);
    setKeepAlive(channel, options.keepAlive);
    return channel;
  },
};

function* openChannel(
  loop: PlatformLoop,
  options: CreateConnectionOptions<Deno.Addr>,
): Coroutine<ByteChannel> {
  const { hostname = LOCAL_HOST, port, sock } = options;
  if ((port === undefined) === (sock === undefined)) {
    throw new TypeError(
      `Cannot create a connection: expected either a port or a sock, got ${
        port === undefined ? "neither" : "both"
      }`,
    );
  }
  const { network } = loop.platform;
  if (port === undefined) {
    checkConnection(sock, "create a connection");
    return network.adopt(loop, sock);
  }
  const connectOptions = yield* connectOptionsOf(loop, options);
  if (!choosesAddress(options)) {
    return yield* network.connectTcp(loop, { hostname, port }, connectOptions);
  }
  const addresses = yield* findAddresses(loop, hostname, port, options);
  const result = yield* race(
    addresses.map((address) => () => network.connectTcp(loop, address, connectOptions)),
    options.happyEyeballsDelay ?? null,
    (channel: ByteChannel) => channel.abort(),
  );
  if (result.state === "won") return result.value;
  throw options.allErrors === true
    ? new AggregateError(result.errors, `Cannot connect to "${hostname}": every attempt failed`)
    : result.errors[0];
}

function* connectOptionsOf(
  loop: PlatformLoop,
  { family, flags, localAddress }: CreateConnectionOptions<Deno.Addr>,
): Coroutine<ConnectTcpOptions> {
  if (localAddress === undefined) return {};
  const { hostname, port } = localAddress;
  const found = yield* getaddrinfo(loop, hostname, port, { type: "stream", family, flags });
  return { localAddress: found[0]?.address ?? localAddress };
}

/** Whether the loop picks among the addresses of the host, and not the system. */
function choosesAddress(options: CreateConnectionOptions<Deno.Addr>): boolean {
  return options.family !== undefined || options.flags !== undefined ||
    options.happyEyeballsDelay !== undefined ||
    options.interleave !== undefined || options.allErrors === true;
}

/** The addresses of the host in the order in which to try them. */
function* findAddresses(
  loop: PlatformLoop,
  hostname: string,
  port: number,
  { family, flags, happyEyeballsDelay, interleave: first }: CreateConnectionOptions<Deno.Addr>,
): Coroutine<SocketAddress[]> {
  const found = yield* getaddrinfo(loop, hostname, port, { type: "stream", family, flags });
  // A name may have an address twice, as in a file of hosts.
  const hosts = [...new Map(found.map((info) => [info.address.hostname, info])).values()]
    .map((info) => ({ family: info.family, hostname: info.address.hostname }));
  const order = interleave(hosts, first ?? (happyEyeballsDelay === undefined ? 0 : 1));
  return order.map((host) => ({ hostname: host.hostname, port }));
}
