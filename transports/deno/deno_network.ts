import { loadOutside } from "../../loop/platform/platform_loop.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { formatAddress, formatHost } from "../../loop/values/format_address.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type {
  AddressFamily,
  AdoptListenerOptions,
  ByteChannel,
  ConnectTcpOptions,
  DatagramChannel,
  DatagramConn,
  HostAddress,
  Listener,
  ListenTcpOptions,
  ListenUnixOptions,
  Network,
  OpenDatagramsOptions,
  SocketAddress,
} from "../../loop/platform/platform.ts";
import { flagsMissing, isNotCapable } from "../../loop/errors/deno_not_capable.ts";
import { isWindows, missingOnWindows } from "../../loop/platform/deno_system.ts";
import { untilAddressesAreFree } from "./_deno_closing_listeners.ts";
import {
  isOutOfDescriptors,
  printable,
  tooManyOpenFiles,
} from "../../loop/errors/deno_too_many_files.ts";
import { adoptListener, DenoListener } from "./_deno_listener.ts";
import { nameMissingUnixFlags } from "./_deno_unix_permission.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { explainNetworkError } from "./_deno_network_error.ts";
import { DenoOperation } from "./_deno_operation.ts";
import { guardUnixPath, prepareUnixPath } from "./_deno_unix_file.ts";
import { DenoDatagramChannel } from "./deno_datagram_channel.ts";
import { nameNotFound } from "../names/deno_name_not_found.ts";
import { adoptConnection, DenoByteChannel } from "./deno_byte_channel.ts";
import { takeSocket } from "./deno_shared_sockets.ts";

/** Binds a socket; what does that has a type only with the library `deno.unstable`. */
function listenDatagram(address: SocketAddress): DatagramConn {
  const { listenDatagram } = Deno as unknown as {
    listenDatagram(options: SocketAddress & { transport: "udp" }): DatagramConn;
  };
  return listenDatagram({ transport: "udp", ...address });
}

/** How many connections may wait at a Unix socket. Deno takes no other number. */
const UNIX_BACKLOG = 1024;

/** The network as Deno has it. */
export class DenoNetwork implements Network {
  connectTcp(
    loop: EventLoop,
    address: SocketAddress,
    options: ConnectTcpOptions = {},
  ): Future<ByteChannel> {
    const { localAddress } = options;
    const origin = localAddress === undefined ? "" : ` from ${quote(localAddress)}`;
    return open(loop, `connect to ${quote(address)}${origin}`, async (signal) => {
      await untilAddressesAreFree();
      signal.throwIfAborted();
      if (localAddress !== undefined) {
        const { connectNodeSocket, NodeSocketChannel } = await loadOutside(() =>
          import("./_deno_node_socket_channel.ts")
        );
        return new NodeSocketChannel(loop, await connectNodeSocket(address, localAddress, signal));
      }
      return new DenoByteChannel(loop, await Deno.connect({ ...address, signal }));
    });
  }

  listenTcp(
    loop: EventLoop,
    address: SocketAddress,
    options: ListenTcpOptions = {},
  ): Future<Listener<Deno.NetAddr>> {
    const { backlog, reusePort } = options;
    const action = `listen on ${quote(address)}`;
    return open(loop, action, async (): Promise<Listener<Deno.NetAddr>> => {
      await untilAddressesAreFree();
      const shared = takeSocket(address);
      if (shared !== null) {
        const { listenOnShared } = await import("./_deno_node_listener.ts");
        return await listenOnShared(loop, shared, options);
      }
      // Without the flag Deno ends the process.
      if (reusePort && !isUnstableNetEnabled()) {
        const { listenOnNode, NodeListener } = await loadOutside(() =>
          import("./_deno_node_listener.ts")
        );
        return new NodeListener(loop, await listenOnNode(address, options), options);
      }
      const listener = Deno.listen({ ...address, tcpBacklog: backlog, reusePort } as ListenOptions);
      return new DenoListener(loop, listener);
    });
  }

  connectUnix(loop: EventLoop, path: string): Future<ByteChannel> {
    return openUnix(loop, "connect to", path, async () => {
      await untilAddressesAreFree();
      return new DenoByteChannel(loop, await Deno.connect({ transport: "unix", path }));
    });
  }

  listenUnix(
    loop: EventLoop,
    path: string,
    { backlog = 0, cleanup = true }: ListenUnixOptions = {},
  ): Future<Listener<Deno.UnixAddr>> {
    return openUnix(loop, "listen on", path, async () => {
      if (backlog > UNIX_BACKLOG) throw new Deno.errors.NotSupported(tooLong(path, backlog));
      await prepareUnixPath(path);
      const listener = Deno.listen({ transport: "unix", path });
      return new DenoListener(loop, listener, guardUnixPath(path, cleanup));
    });
  }

  openDatagrams(
    loop: EventLoop,
    address: SocketAddress,
    options: OpenDatagramsOptions = {},
  ): Future<DatagramChannel> {
    const action = `open a datagram socket on ${quote(address)}`;
    return open(loop, action, async (): Promise<DatagramChannel> => {
      // A socket would say so only when something is sent.
      if (options.remote !== undefined) checkNetPermission(options.remote);
      if (isUnstableNetEnabled()) {
        return new DenoDatagramChannel(loop, listenDatagram(address));
      }
      const { bindNodeDatagrams, NodeDatagramChannel } = await loadOutside(() =>
        import("./_deno_node_datagram_channel.ts")
      );
      return new NodeDatagramChannel(loop, await bindNodeDatagrams(address, options));
    });
  }

  adoptDatagrams(loop: EventLoop, socket: DatagramConn): DatagramChannel {
    return new DenoDatagramChannel(loop, socket);
  }

  lookup(loop: EventLoop, hostname: string, family?: AddressFamily): Future<HostAddress[]> {
    return new DenoOperation(loop, () => lookup(hostname, family), () => {});
  }

  reverseLookup(loop: EventLoop, hostname: string): Future<string | null> {
    return new DenoOperation(loop, () => reverseLookup(hostname), () => {});
  }

  adopt(loop: EventLoop, connection: Deno.Conn): ByteChannel {
    return adoptConnection(loop, connection);
  }

  adoptListener<A extends Deno.Addr>(
    loop: EventLoop,
    listener: Deno.Listener<Deno.Conn, A>,
    { cleanup = true }: AdoptListenerOptions = {},
  ): Listener<A> {
    const addr: Deno.Addr = listener.addr;
    const isUnix = addr.transport === "unix";
    return adoptListener(loop, listener, isUnix ? guardUnixPath(addr.path, cleanup) : undefined);
  }
}

/** `tcpBacklog` is missing in the types of Deno. */
type ListenOptions = Deno.TcpListenOptions & { transport?: "tcp" };

/** Starts the work of `action`, which ends with something to close. */
function open<T extends { close(): void }>(
  loop: EventLoop,
  action: string,
  start: (signal: AbortSignal) => T | Promise<T>,
): Future<T> {
  const work = async (signal: AbortSignal) => {
    try {
      return await start(signal);
    } catch (error) {
      if (isFailedLookup(error) && isOutOfDescriptors()) throw tooManyOpenFiles(action);
      throw printable(explainNetworkError(printable(error), action));
    }
  };
  return new DenoOperation(loop, work, (value) => value.close());
}

/** As {@linkcode open} for a Unix socket, which needs more than one permission. */
function openUnix<T extends { close(): void }>(
  loop: EventLoop,
  verb: string,
  path: string,
  start: () => Promise<T>,
): Future<T> {
  const action = `${verb} "${path}"`;
  return open(loop, action, () => {
    if (isWindows()) throw missingOnWindows(action, "Unix sockets");
    return start().catch((error) => {
      throw isNotCapable(error) ? nameMissingUnixFlags(error, action, path) : error;
    });
  });
}

/** Whether Deno runs with `--unstable-net`; it offers nothing else to ask. */
function isUnstableNetEnabled(): boolean {
  return "listenDatagram" in Deno;
}

async function lookup(hostname: string, family?: AddressFamily): Promise<HostAddress[]> {
  const dns = await import("node:dns/promises");
  let addresses: { address: string; family: number }[];
  try {
    addresses = await dns.lookup(hostname, { all: true });
  } catch (error) {
    throw explainLookup(error, hostname);
  }
  return addresses
    .map(({ address, family }): HostAddress => ({
      family: family === 6 ? "ipv6" : "ipv4",
      hostname: address,
    }))
    .filter((address) => family === undefined || address.family === family);
}

async function reverseLookup(hostname: string): Promise<string | null> {
  const dns = await import("node:dns/promises");
  try {
    return (await dns.lookupService(hostname, 0)).hostname;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOTFOUND") return null;
    throw explainLookup(error, hostname);
  }
}

/** Node says that a permission is missing in its own way. */
function explainLookup(error: unknown, hostname: string): unknown {
  if (isOutOfDescriptors()) return tooManyOpenFiles(`resolve "${hostname}"`);
  const { code } = error as { code?: string };
  if (code === "ENOTFOUND") return nameNotFound(hostname, "the name does not resolve", error);
  if (code !== "EPERM") return error;
  return flagsMissing(`resolve "${hostname}"`, [`--allow-net=${formatHost(hostname)}`], error);
}

/** Whether `error` may be what comes of a look-up that could not open what it needed. */
function isFailedLookup(error: unknown): boolean {
  if (!(error instanceof Error) || isNotCapable(error)) return false;
  const { code } = error as { code?: string };
  return code === undefined || code === "EINVAL";
}

function tooLong(path: string, backlog: number): string {
  return `Cannot listen on "${path}": Deno lets ${UNIX_BACKLOG} connections wait, not ${backlog}`;
}

function quote(address: SocketAddress): string {
  return `"${formatAddress(address)}"`;
}
