import { checkOptions } from "../loop/check_options.ts";
import type { Future } from "../loop/future.ts";
import type { AddressFamily, DatagramChannel, TcpAddress } from "../loop/platform.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import { checkFactory, createProtocol } from "./_create_protocol.ts";
import { CREATE_DATAGRAM_ENDPOINT } from "./_options.ts";
import { untilOpened } from "./_until_opened.ts";
import { DatagramEndpoint } from "./datagram_transport.ts";
import { getaddrinfo } from "./getaddrinfo.ts";
import type { EndpointProtocol } from "./protocol.ts";
import type { DatagramTransport } from "./transport.ts";

/** Settings of {@linkcode createDatagramEndpoint}: a local address, a remote one, or both. */
export interface CreateDatagramEndpointOptions {
  /** Where to receive; port 0 lets the system choose. Any address of the machine by default. */
  localAddress?: TcpAddress;
  /** The only peer: `sendto()` needs no address, and what comes from elsewhere is dropped. */
  remoteAddress?: TcpAddress;
  /** Addresses of this family only. */
  family?: AddressFamily;
  /** Whether several processes may bind the port. */
  reusePort?: boolean;
  /** Whether to send to broadcast addresses. */
  allowBroadcast?: boolean;
  /** A socket that exists, to use instead of a local address. It belongs to the transport. */
  sock?: Deno.DatagramConn;
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
 * @throws {TypeError} If there is neither a local nor a remote address, nor a `sock`.
 * @throws {Deno.errors.AddrInUse} If the local port is taken.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 */
export function createDatagramEndpoint<P extends EndpointProtocol>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateDatagramEndpointOptions,
): Future<[DatagramTransport, P]> {
  checkFactory(protocolFactory);
  checkOptions("open a datagram endpoint", options, CREATE_DATAGRAM_ENDPOINT);
  return startOperation(loop, endpointSteps(loop, protocolFactory, options));
}

function* endpointSteps<P extends EndpointProtocol>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: CreateDatagramEndpointOptions,
): Coroutine<[DatagramTransport, P]> {
  const remote = yield* resolve(loop, options.remoteAddress, options.family);
  const channel = yield* openChannel(loop, remote, options);
  const opened = loop.createFuture<void>();
  let protocol: P;
  try {
    protocol = createProtocol(protocolFactory);
  } catch (error) {
    channel.close();
    throw error;
  }
  const transport = new DatagramEndpoint(loop, channel, protocol, remote, opened);
  return [yield* untilOpened(transport, opened), protocol];
}

function* openChannel(
  loop: PlatformLoop,
  remote: Deno.NetAddr | null,
  options: CreateDatagramEndpointOptions,
): Coroutine<DatagramChannel> {
  const { network } = loop.platform;
  const { localAddress, sock, family, reusePort = false, allowBroadcast = false } = options;
  if (sock !== undefined) return network.adoptDatagrams(loop, sock);
  if (localAddress === undefined && remote === null) {
    throw new TypeError("Cannot open a datagram endpoint: there is no local and no remote address");
  }
  const local = yield* resolve(loop, localAddress ?? anyPort(remote), family);
  return yield* network.openDatagrams(loop, local as TcpAddress, {
    reusePort,
    allowBroadcast,
    ...remote === null ? {} : { remote: { hostname: remote.hostname, port: remote.port } },
  });
}

/** Where to receive the answers of `remote`. */
function anyPort(remote: Deno.NetAddr | null): TcpAddress {
  const hostname = remote?.hostname ?? "0.0.0.0";
  if (hostname === "::1" || hostname.startsWith("127.")) return { hostname, port: 0 };
  return { hostname: hostname.includes(":") ? "::" : "0.0.0.0", port: 0 };
}

/** Turns a name into a number, once: the host would look it up for every datagram. */
function* resolve(
  loop: PlatformLoop,
  address: TcpAddress | undefined,
  family: AddressFamily | undefined,
): Coroutine<Deno.NetAddr | null> {
  if (address === undefined) return null;
  const { hostname, port } = address;
  const [first] = yield* getaddrinfo(loop, hostname, port, {
    type: "datagram",
    ...family === undefined ? {} : { family },
  });
  return { transport: "udp", hostname: first?.address.hostname ?? hostname, port };
}
