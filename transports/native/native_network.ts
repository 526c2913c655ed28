import { isNotCapable } from "../../loop/errors/deno_not_capable.ts";
import {
  isOutOfDescriptors,
  printable,
  tooManyOpenFiles,
} from "../../loop/errors/deno_too_many_files.ts";
import { CancelledError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { failedFuture } from "../../loop/tasks/failed_future.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import type {
  ByteChannel,
  ConnectTcpOptions,
  DatagramChannel,
  Listener,
  ListenTcpOptions,
  ListenUnixOptions,
  OpenDatagramsOptions,
  SocketAddress,
} from "../../loop/platform/platform.ts";
import { formatAddress } from "../../loop/values/format_address.ts";
import { areAddressesFree, untilAddressesAreFree } from "../deno/_deno_closing_listeners.ts";
import { checkNetPermission } from "../deno/_deno_net_permission.ts";
import { explainNetworkError } from "../deno/_deno_network_error.ts";
import { DenoOperation } from "../deno/_deno_operation.ts";
import { identifyFile, prepareUnixPath } from "../deno/_deno_unix_file.ts";
import { checkUnixPermission, nameMissingUnixFlags } from "../deno/_deno_unix_permission.ts";
import { DenoNetwork } from "../deno/deno_network.ts";
import { Connecting } from "./native_connecting.ts";
import { NativeDatagramChannel } from "./native_datagram_channel.ts";
import {
  checked,
  closeDescriptor,
  openSocket,
  setNoDelay,
  setOption,
} from "./native_descriptors.ts";
import {
  AF_INET6,
  AF_UNIX,
  SO_BROADCAST,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./native_layouts.ts";
import { libc } from "./native_libc.ts";
import { NativeListener } from "./native_listener.ts";
import { lookUp } from "./native_lookup.ts";
import {
  decodePath,
  decodeUnmapped,
  encodeAddress,
  encodePath,
  mapAddress,
  ownAddress,
  type RawAddress,
} from "./native_raw_address.ts";

/** How many connections may wait where no backlog is given. */
const DEFAULT_BACKLOG = 128;
const UNIX_BACKLOG = 1024;

/**
 * The network by system calls. What the program has made itself by Deno's API, and looking names up
 * for `getaddrinfo()`, is as on Deno's own backend.
 *
 * Deno does not see these calls, so each asks for the permission that Deno's own would have taken.
 */
export class NativeNetwork extends DenoNetwork {
  readonly sharesDatagramPorts = true;

  override connectTcp(
    loop: EventLoop,
    address: SocketAddress,
    { localAddress }: ConnectTcpOptions = {},
  ): Future<ByteChannel> {
    const origin = localAddress === undefined ? "" : ` from ${quote(localAddress)}`;
    const explain = explainer(`connect to ${quote(address)}${origin}`);
    try {
      checkPort(address);
      checkNetPermission(address);
      if (localAddress !== undefined) checkNetPermission(checkPort(localAddress));
      const own = localAddress === undefined ? null : encodeAddress(localAddress);
      const target = encodeAddress(address);
      const isNumeric = own !== null || localAddress === undefined;
      if (target !== null && isNumeric && areAddressesFree()) {
        return new Connecting(loop, target, own, tcpAddress, explain);
      }
    } catch (error) {
      return failedFuture(loop, explain(error));
    }
    return startOperation(loop, connectByName(loop, address, localAddress, explain));
  }

  override listenTcp(
    loop: EventLoop,
    address: SocketAddress,
    { backlog = DEFAULT_BACKLOG, reusePort = false }: ListenTcpOptions = {},
  ): Future<Listener<Deno.NetAddr>> {
    return open(loop, `listen on ${quote(address)}`, async () => {
      checkNetPermission(checkPort(address));
      await untilAddressesAreFree();
      const { bytes, family } = await firstAddress(address);
      return whileOpening(openSocket(family, SOCK_STREAM), (descriptor) => {
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
        if (reusePort) setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
        // Connections inherit it.
        setNoDelay(descriptor);
        checked(libc.bind(descriptor, bytes, bytes.length));
        checked(libc.listen(descriptor, backlog));
        const own = decodeUnmapped(ownAddress(descriptor), "tcp");
        return new NativeListener<Deno.NetAddr>(loop, descriptor, own, tcpAddress);
      });
    });
  }

  override connectUnix(loop: EventLoop, path: string): Future<ByteChannel> {
    const explain = unixExplainer("connect to", path);
    try {
      checkUnixPermission(path);
      const target = pathAddress("connect to", path);
      const connect = () => new Connecting(loop, target, null, unixAddress, explain);
      return areAddressesFree()
        ? connect()
        : startOperation(loop, onceFree(loop, connect, explain));
    } catch (error) {
      return failedFuture(loop, explain(error));
    }
  }

  override listenUnix(
    loop: EventLoop,
    path: string,
    { backlog = UNIX_BACKLOG, cleanup = true }: ListenUnixOptions = {},
  ): Future<Listener<Deno.UnixAddr>> {
    const explain = unixExplainer("listen on", path);
    const start = async () => {
      checkUnixPermission(path);
      const { bytes } = pathAddress("listen on", path);
      await prepareUnixPath(path);
      return whileOpening(openSocket(AF_UNIX, SOCK_STREAM), (descriptor) => {
        checked(libc.bind(descriptor, bytes, bytes.length));
        checked(libc.listen(descriptor, backlog));
        const own = identifyFile(path);
        const address: Deno.UnixAddr = { transport: "unix", path };
        return new NativeListener<Deno.UnixAddr>(loop, descriptor, address, unixAddress, () => {
          if (cleanup && own !== null && identifyFile(path) === own) Deno.removeSync(path);
        });
      });
    };
    return openExplained(loop, start, explain);
  }

  override openDatagrams(
    loop: EventLoop,
    address: SocketAddress,
    { allowBroadcast = false, reusePort = false, remote }: OpenDatagramsOptions = {},
  ): Future<DatagramChannel> {
    return open(loop, `open a datagram socket on ${quote(address)}`, async () => {
      checkNetPermission(checkPort(address));
      if (remote !== undefined) checkNetPermission(checkPort(remote));
      const { bytes, family } = await firstAddress(address);
      const peer = remote === undefined ? null : await firstAddress(remote);
      return whileOpening(openSocket(family, SOCK_DGRAM), (descriptor) => {
        if (allowBroadcast) setOption(descriptor, SOL_SOCKET, SO_BROADCAST, 1);
        if (reusePort) setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
        checked(libc.bind(descriptor, bytes, bytes.length));
        if (peer !== null) {
          const fitting = family === AF_INET6 && peer.family !== AF_INET6 ? mapAddress(peer) : peer;
          checked(libc.connect(descriptor, fitting.bytes, fitting.bytes.length));
        }
        return new NativeDatagramChannel(loop, descriptor, family, remote !== undefined);
      });
    });
  }
}

/** Waits until the addresses of what was closed are free, and connects. */
function* onceFree(
  loop: EventLoop,
  connect: () => Future<ByteChannel>,
  explain: (error: unknown) => unknown,
): Coroutine<ByteChannel> {
  yield* new DenoOperation(loop, untilAddressesAreFree, () => {});
  let connecting: Future<ByteChannel>;
  try {
    connecting = connect();
  } catch (error) {
    throw explain(error);
  }
  return yield* connecting;
}

function* connectByName(
  loop: EventLoop,
  address: SocketAddress,
  localAddress: SocketAddress | undefined,
  explain: (error: unknown) => unknown,
): Coroutine<ByteChannel> {
  let targets: RawAddress[];
  let own: RawAddress | null = null;
  try {
    targets = yield* found(loop, address);
    if (localAddress !== undefined) own = (yield* found(loop, localAddress))[0] ?? null;
  } catch (error) {
    throw error instanceof CancelledError ? error : explain(error);
  }
  let failure: unknown = null;
  for (const target of targets) {
    const connect = () => new Connecting(loop, target, own, tcpAddress, explain);
    try {
      return yield* onceFree(loop, connect, explain);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      failure = error;
    }
  }
  throw failure;
}

function found(loop: EventLoop, { hostname, port }: SocketAddress): Future<RawAddress[]> {
  return new DenoOperation(loop, () => addressesOf({ hostname, port }), () => {});
}

async function addressesOf(address: SocketAddress): Promise<RawAddress[]> {
  const numeric = encodeAddress(address);
  return numeric !== null ? [numeric] : await lookUp(address.hostname, address.port);
}

/** Returns the first address of a host: an address needs no turn of the host. */
async function firstAddress(address: SocketAddress): Promise<RawAddress> {
  const [first] = await addressesOf(address);
  return first as RawAddress;
}

/** Does `use` with `descriptor`; closes that if it throws. */
function whileOpening<T>(descriptor: number, use: (descriptor: number) => T): T {
  try {
    return use(descriptor);
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}

/** Starts the work of `action`, which ends with something to close. */
function open<T extends { close(): void }>(
  loop: EventLoop,
  action: string,
  start: () => Promise<T>,
): Future<T> {
  return openExplained(loop, start, explainer(action));
}

function openExplained<T extends { close(): void }>(
  loop: EventLoop,
  start: () => Promise<T>,
  explain: (error: unknown) => unknown,
): Future<T> {
  const work = async () => {
    try {
      return await start();
    } catch (error) {
      throw explain(error);
    }
  };
  return new DenoOperation(loop, work, (value) => value.close());
}

/** Returns what says of an error what has failed with it. */
function explainer(action: string): (error: unknown) => unknown {
  return (error) => {
    const { code } = error as { code?: string };
    if (code === "ENOTFOUND" && isOutOfDescriptors()) return tooManyOpenFiles(action);
    return printable(explainNetworkError(printable(error), action));
  };
}

/** As {@linkcode explainer} for a Unix socket, which needs more than one permission. */
function unixExplainer(verb: string, path: string): (error: unknown) => unknown {
  const action = `${verb} "${path}"`;
  const explain = explainer(action);
  return (error) => {
    return isNotCapable(error)
      ? nameMissingUnixFlags(error as Error, action, path)
      : explain(error);
  };
}

function pathAddress(verb: string, path: string): RawAddress {
  const address = encodePath(path);
  if (address !== null) return address;
  throw new TypeError(`Cannot ${verb} "${path}": path must be shorter than SUN_LEN`);
}

function tcpAddress(bytes: Uint8Array): Deno.NetAddr {
  return decodeUnmapped(bytes, "tcp");
}

function unixAddress(bytes: Uint8Array): Deno.UnixAddr {
  return { transport: "unix", path: decodePath(bytes) };
}

function quote(address: SocketAddress): string {
  return `"${formatAddress(address)}"`;
}

/** Returns `address`, if its port is one. */
function checkPort(address: SocketAddress): SocketAddress {
  const { port } = address;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return address;
  throw new RangeError(`Cannot use port ${port}: it is not between 0 and 65535`);
}
