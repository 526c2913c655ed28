/**
 * A network that only what is permitted goes through.
 *
 * *Theory of operation.* A name must be listed before it is looked up, for a look-up is a message
 * to others. What it resolves to is remembered as the name's, and the connection is made to one of
 * these addresses in numbers: nothing is looked up between the check and the use. A process that
 * may reach a host by its name alone can do neither; there Deno gets the name, and the address that
 * it has reached is checked before anything is sent.
 *
 * @module
 */
import { type CanonicalHost, canonicalHost, destinationOf } from "../values/host_name.ts";
import { PermittedHosts } from "./_permitted_hosts.ts";
import { refusal } from "./_refusal.ts";
import { RestrictedDatagrams } from "./_restricted_datagrams.ts";
import type { Restrictions } from "./_restrictions.ts";
import { isNotCapable } from "../errors/deno_not_capable.ts";
import { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { formatAddress } from "../values/format_address.ts";
import { failedFuture } from "../tasks/failed_future.ts";
import type { Future } from "../tasks/future.ts";
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
  Platform,
  SocketAddress,
} from "../platform/platform.ts";
import { startOperation } from "../tasks/start_operation.ts";
import type { Coroutine } from "../tasks/task.ts";

/** One way to use the network. */
interface Use<T> {
  /** What it does to the address: `connect to`. */
  readonly verb: string;
  /** Whether the address is where something goes to, and not where it is bound. */
  readonly isDestination: boolean;
  /** Does it. */
  readonly start: (address: SocketAddress) => Future<T>;
  /** Returns the address in numbers that the result is for. */
  readonly reached: (result: T) => unknown;
  /** Gives the result up. */
  readonly discard: (result: T) => void;
}

/** The part of a host's network that the permissions of a loop leave. */
export class RestrictedNetwork implements Network {
  readonly #host: Platform;
  readonly #restrictions: Restrictions;
  readonly #hosts: PermittedHosts;

  constructor(host: Platform, restrictions: Restrictions) {
    this.#host = host;
    this.#restrictions = restrictions;
    this.#hosts = new PermittedHosts(restrictions.net);
  }

  get sharesDatagramPorts(): boolean {
    return this.#host.network.sharesDatagramPorts === true;
  }

  connectTcp(
    loop: EventLoop,
    address: SocketAddress,
    options: ConnectTcpOptions = {},
  ): Future<ByteChannel> {
    const { localAddress } = options;
    const error = localAddress === undefined ? null : this.#hosts.refuseBinding(localAddress);
    if (error !== null) return failedFuture(loop, error);
    return this.#use(loop, address, {
      verb: "connect to",
      isDestination: true,
      start: (checked) => this.#host.network.connectTcp(loop, checked, options),
      reached: (channel) => channel.getExtraInfo("peername"),
      discard: (channel) => channel.abort(),
    });
  }

  listenTcp(
    loop: EventLoop,
    address: SocketAddress,
    options?: ListenTcpOptions,
  ): Future<Listener<Deno.NetAddr>> {
    return this.#use(loop, address, {
      verb: "listen on",
      isDestination: false,
      start: (checked) => this.#host.network.listenTcp(loop, checked, options),
      reached: (listener) => listener.address,
      discard: (listener) => listener.close(),
    });
  }

  connectUnix(loop: EventLoop, path: string): Future<ByteChannel> {
    return this.#usePath(loop, "connect to", path, (checked) => {
      return this.#host.network.connectUnix(loop, checked);
    });
  }

  listenUnix(
    loop: EventLoop,
    path: string,
    options?: ListenUnixOptions,
  ): Future<Listener<Deno.UnixAddr>> {
    return this.#usePath(loop, "listen on", path, (checked) => {
      return this.#host.network.listenUnix(loop, checked, options);
    });
  }

  openDatagrams(
    loop: EventLoop,
    address: SocketAddress,
    options: OpenDatagramsOptions = {},
  ): Future<DatagramChannel> {
    const { remote } = options;
    const error = remote === undefined ? null : this.#hosts.refuseSending(remote);
    if (error !== null) return failedFuture(loop, error);
    return this.#use(loop, address, {
      verb: "open a datagram socket on",
      isDestination: false,
      start: (checked) => startOperation(loop, this.#openSteps(loop, checked, options)),
      reached: (channel) => channel.address,
      discard: (channel) => channel.close(),
    });
  }

  lookup(loop: EventLoop, hostname: string, family?: AddressFamily): Future<HostAddress[]> {
    const { net } = this.#restrictions;
    const host = canonicalHost(hostname);
    if (net.isFull || host?.isNumeric) return this.#host.network.lookup(loop, hostname, family);
    const action = `resolve "${hostname}"`;
    if (host === null || !net.allows(host.text, "any")) {
      return failedFuture(loop, refusal(action, "net", host?.text ?? hostname));
    }
    return startOperation(loop, this.#lookupSteps(loop, host.text, action, family));
  }

  reverseLookup(loop: EventLoop, hostname: string): Future<string | null> {
    const address = canonicalHost(hostname);
    if (address !== null && this.#hosts.allowsAddress(address.text, "any")) {
      return this.#host.network.reverseLookup(loop, hostname);
    }
    const member = address?.text ?? hostname;
    return failedFuture(loop, refusal(`find the name of "${hostname}"`, "net", member));
  }

  adopt(loop: EventLoop, connection: Deno.Conn): ByteChannel {
    return this.#host.network.adopt(loop, connection);
  }

  adoptListener<A extends Deno.Addr>(
    loop: EventLoop,
    listener: Deno.Listener<Deno.Conn, A>,
    options?: AdoptListenerOptions,
  ): Listener<A> {
    return this.#host.network.adoptListener(loop, listener, options);
  }

  adoptDatagrams(loop: EventLoop, socket: DatagramConn): DatagramChannel {
    return this.#restrict(loop, this.#host.network.adoptDatagrams(loop, socket));
  }

  #use<T>(loop: EventLoop, address: SocketAddress, use: Use<T>): Future<T> {
    const { net } = this.#restrictions;
    if (net.isFull) return use.start(address);
    const { hostname, port } = address;
    const host = canonicalHost(hostname);
    const action = `${use.verb} "${formatAddress({ hostname, port })}"`;
    if (host === null) {
      return failedFuture(loop, refusal(action, "net", formatAddress({ hostname, port })));
    }
    if (!host.isNumeric) return startOperation(loop, this.#useName(loop, host, port, action, use));
    const reached = use.isDestination ? destinationOf(host.text) : host.text;
    if (!this.#hosts.allowsAddress(reached, port)) {
      return failedFuture(loop, refusal(action, "net", formatAddress({ hostname: reached, port })));
    }
    return use.start({ hostname: host.text + host.zone, port });
  }

  *#useName<T>(
    loop: EventLoop,
    { text: name }: CanonicalHost,
    port: number,
    action: string,
    use: Use<T>,
  ): Coroutine<T> {
    if (!this.#restrictions.net.allows(name, port)) {
      throw refusal(action, "net", formatAddress({ hostname: name, port }));
    }
    const found = yield* this.#tryLookup(loop, name);
    if (found === null) return yield* this.#useUnresolved(name, port, action, use);
    const allowed = found.filter(({ hostname }) => this.#hosts.allowsAddress(hostname, port));
    if (allowed.length === 0) throw resolvesTo(action, found[0]?.hostname ?? name, port);
    return yield* this.#useFirst(allowed, name, port, action, use);
  }

  /** Tries the addresses in turn. */
  *#useFirst<T>(
    addresses: readonly HostAddress[],
    name: string,
    port: number,
    action: string,
    use: Use<T>,
  ): Coroutine<T> {
    let failure: unknown = null;
    for (const { hostname } of addresses) {
      try {
        return yield* use.start({ hostname, port });
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        if (isNotCapable(error)) return yield* this.#useUnresolved(name, port, action, use);
        failure = error;
      }
    }
    throw failure;
  }

  /** The process may use the host by its name only: looks at the address afterwards. */
  *#useUnresolved<T>(
    name: string,
    port: number,
    action: string,
    use: Use<T>,
  ): Coroutine<T> {
    const result = yield* use.start({ hostname: name, port });
    const { hostname } = use.reached(result) as Deno.NetAddr;
    const address = canonicalAddress(hostname).hostname;
    this.#hosts.remember(name, [address]);
    if (this.#hosts.allowsAddress(address, port)) return result;
    use.discard(result);
    throw resolvesTo(action, address, port);
  }

  *#openSteps(
    loop: EventLoop,
    address: SocketAddress,
    options: OpenDatagramsOptions,
  ): Coroutine<DatagramChannel> {
    const channel = yield* this.#host.network.openDatagrams(loop, address, options);
    return this.#restrict(loop, channel);
  }

  *#lookupSteps(
    loop: EventLoop,
    name: string,
    action: string,
    family?: AddressFamily,
  ): Coroutine<HostAddress[]> {
    const found = yield* this.#resolve(loop, name, family);
    const allowed = found.filter(({ hostname }) => this.#hosts.allowsAddress(hostname, "any"));
    if (allowed.length > 0 || found.length === 0) return allowed;
    throw resolvesTo(action, found[0]?.hostname ?? name, "any");
  }

  /** Looks `name` up; `null` if the process may not. */
  *#tryLookup(loop: EventLoop, name: string): Coroutine<HostAddress[] | null> {
    try {
      return yield* this.#resolve(loop, name);
    } catch (error) {
      if (isNotCapable(error)) return null;
      throw error;
    }
  }

  /** Looks `name` up, and gives the addresses in the form that they are compared in. */
  *#resolve(loop: EventLoop, name: string, family?: AddressFamily): Coroutine<HostAddress[]> {
    const found = yield* this.#host.network.lookup(loop, name, family);
    const addresses = found.map(({ hostname }) => canonicalAddress(hostname));
    this.#hosts.remember(name, addresses.map(({ hostname }) => hostname));
    return addresses;
  }

  #restrict(loop: EventLoop, channel: DatagramChannel): DatagramChannel {
    if (this.#restrictions.net.isFull) return channel;
    return new RestrictedDatagrams(loop, channel, (address) => this.#hosts.refuseSending(address));
  }

  #usePath<T>(
    loop: EventLoop,
    verb: string,
    path: string,
    start: (path: string) => Future<T>,
  ): Future<T> {
    const checked = this.#restrictions.unix.admit(path);
    if (checked !== null) return start(checked);
    return failedFuture(loop, refusal(`${verb} "${path}"`, "unix", path));
  }
}

function canonicalAddress(address: string): HostAddress {
  const hostname = canonicalHost(address)?.text ?? address;
  return { hostname, family: hostname.includes(":") ? "ipv6" : "ipv4" };
}

function resolvesTo(action: string, address: string, port: number | "any"): Error {
  const member = port === "any" ? address : formatAddress({ hostname: address, port });
  return refusal(action, "net", member, `it resolves to ${address}, which the loop may not reach`);
}
