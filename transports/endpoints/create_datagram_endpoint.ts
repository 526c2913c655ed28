import { describe } from "../../loop/values/describe.ts";
import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { destinationOf } from "../../loop/values/host_name.ts";
import type {
  AddressFamily,
  DatagramChannel,
  DatagramConn,
  SocketAddress,
} from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkFactory, createProtocol } from "../core/create_protocol.ts";
import { CREATE_DATAGRAM_ENDPOINT } from "../_options.ts";
import { untilOpened } from "./_until_opened.ts";
import { DatagramEndpoint } from "../core/datagram_transport.ts";
import {
  type AddrInfo,
  type AddrInfoFlag,
  getaddrinfo,
  type GetaddrinfoOptions,
} from "../names/getaddrinfo.ts";
import { familyOf } from "../names/ip_address.ts";
import type { DatagramProtocolLike } from "../protocol.ts";
import type { DatagramTransport } from "../transport.ts";

/**
 * Settings of {@linkcode createDatagramEndpoint}: a local address, a remote one, or both.
 *
 * @category Protocols and transports
 */
export interface CreateDatagramEndpointOptions {
  /**
   * Where to receive; port 0 lets the system choose. Where there is only a remote address, any
   * address and port of the machine.
   */
  localAddress?: SocketAddress | undefined;
  /** The only peer: `sendto()` needs no address, and what comes from elsewhere is dropped. */
  remoteAddress?: SocketAddress | undefined;
  /** Addresses of this family only. */
  family?: AddressFamily | undefined;
  /** Has no effect: datagrams are UDP. */
  proto?: "udp" | undefined;
  /** How names are looked up, as for `getaddrinfo()`. */
  flags?: readonly AddrInfoFlag[] | undefined;
  /**
   * Whether several sockets may be bound to the port; the system shares the datagrams out. On the native
   * backend alone: Deno does not let datagram sockets share a port, and `true` is a TypeError.
   */
  reusePort?: boolean | undefined;
  /** Whether to send to broadcast addresses. */
  allowBroadcast?: boolean | undefined;
  /** A socket that exists, to use instead of a local address. It belongs to the transport. */
  sock?: DatagramConn | undefined;
}

/**
 * Opens an endpoint for datagrams. As `loop.create_datagram_endpoint()`.
 *
 * It stands on `Deno.listenDatagram` where `--unstable-net` enables that, which is faster, and on
 * `node:dgram` elsewhere. Neither tells that nobody listens at the other end: an ICMP refusal does
 * not reach `errorReceived`.
 *
 * @permissions allow-net=<local> and allow-net=<remote>, as `hostname:port`
 * @param loop The loop that the endpoint lives on.
 * @param protocolFactory Creates the protocol.
 * @param options Additional options.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {TypeError} If there is neither a local nor a remote address, nor a `sock`, if the two
 * have no family in common, or with `reusePort` on Deno's own backend.
 * @throws {Deno.errors.AddrInUse} If the local port is taken.
 * @throws {Deno.errors.AddrNotAvailable} If the local address is another machine's.
 * @throws {Deno.errors.NotFound} If a name does not resolve.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @category Protocols and transports
 */
export function createDatagramEndpoint<P extends DatagramProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateDatagramEndpointOptions,
): Future<[DatagramTransport, P]> {
  checkFactory(protocolFactory);
  checkOptions("open a datagram endpoint", options, CREATE_DATAGRAM_ENDPOINT);
  checkLoopOpen(loop, "open a datagram endpoint");
  return startOperation(
    loop,
    endpointSteps(loop, protocolFactory, options),
    "open a datagram endpoint",
  );
}

function* endpointSteps<P extends DatagramProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateDatagramEndpointOptions,
): Coroutine<[DatagramTransport, P]> {
  checkSocket(loop, options);
  const { allowBroadcast = options.sock !== undefined } = options;
  const addresses = yield* resolveBoth(loop, options);
  const channel = yield* openChannel(loop, addresses, options);
  const opened = loop.createFuture<void>();
  let protocol: P;
  try {
    protocol = createProtocol(protocolFactory);
  } catch (error) {
    channel.close();
    throw error;
  }
  const settings = { remote: addresses.remote, allowBroadcast };
  const transport = new DatagramEndpoint(loop, channel, protocol, settings, opened);
  return [yield* untilOpened(transport, opened), protocol];
}

function checkSocket(
  loop: PlatformLoop,
  { sock, reusePort }: CreateDatagramEndpointOptions,
): void {
  if (reusePort && loop.platform.network.sharesDatagramPorts !== true) {
    throw new TypeError(
      "Cannot share a port for datagrams: Deno does not set SO_REUSEPORT on such a socket",
    );
  }
  if (sock === undefined || typeof sock?.receive === "function") return;
  throw new TypeError(
    `Cannot open a datagram endpoint: expected a Deno.DatagramConn as the sock, got ${
      describe(sock)
    }`,
  );
}

function* openChannel(
  loop: PlatformLoop,
  { local, remote }: Addresses,
  { sock, allowBroadcast = false, reusePort = false }: CreateDatagramEndpointOptions,
): Coroutine<DatagramChannel> {
  const { network } = loop.platform;
  if (sock !== undefined) return network.adoptDatagrams(loop, sock);
  if (local === null) {
    throw new TypeError("Cannot open a datagram endpoint: there is no local and no remote address");
  }
  return yield* network.openDatagrams(loop, local, {
    allowBroadcast,
    reusePort,
    ...remote === null ? {} : { remote: { hostname: remote.hostname, port: remote.port } },
  });
}

/** Both ends in numbers: the host would look a name up for every datagram. */
interface Addresses {
  readonly local: SocketAddress | null;
  readonly remote: Deno.NetAddr | null;
}

/** Finds the first two addresses of one family. */
function* resolveBoth(
  loop: PlatformLoop,
  { localAddress, remoteAddress, family, flags }: CreateDatagramEndpointOptions,
): Coroutine<Addresses> {
  const locals = yield* resolve(loop, localAddress, { family, flags });
  const [anyLocal = null] = locals;
  if (remoteAddress === undefined) return { local: anyLocal && anyLocal.address, remote: null };
  for (const info of yield* resolve(loop, remoteAddress, { family, flags })) {
    const remote = peerAt(info.address);
    if (localAddress === undefined) return { local: anyPort(remote.hostname), remote };
    const local = locals.find((local) => local.family === info.family);
    if (local !== undefined) return { local: local.address, remote };
  }
  throw new TypeError(
    `Cannot open a datagram endpoint: "${localAddress?.hostname}" and ` +
      `"${remoteAddress.hostname}" have no family in common`,
  );
}

function* resolve(
  loop: PlatformLoop,
  address: SocketAddress | undefined,
  options: GetaddrinfoOptions,
): Coroutine<AddrInfo[]> {
  if (address === undefined) return [];
  return yield* getaddrinfo(loop, address.hostname, address.port, {
    type: "datagram",
    ...options,
  });
}

/** Who is reached at an address: the wildcards are the machine, which answers from another one. */
function peerAt({ hostname, port }: SocketAddress): Deno.NetAddr {
  return { transport: "udp", hostname: destinationOf(hostname), port };
}

/** Where to receive the answers of `remote`. */
function anyPort(remote: string): SocketAddress {
  if (remote === "::1" || remote.startsWith("127.")) return { hostname: remote, port: 0 };
  return { hostname: familyOf(remote) === "ipv6" ? "::" : "0.0.0.0", port: 0 };
}
