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
import { type CanonicalHost, canonicalHost, destinationOf, isOfThisMachine } from "./_host_name.ts";
import { refusal } from "./_refusal.ts";
import { RestrictedDatagrams } from "./_restricted_datagrams.ts";
import type { Restrictions } from "./_restrictions.ts";
import { isNotCapable } from "./deno_not_capable.ts";
import { CancelledError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import type {
  AddressFamily,
  ByteChannel,
  ConnectTcpOptions,
  DatagramChannel,
  HostAddress,
  Listener,
  ListenTcpOptions,
  Network,
  OpenDatagramsOptions,
  Platform,
  TcpAddress,
} from "./platform.ts";
import { startOperation } from "./start_operation.ts";
import type { Coroutine } from "./task.ts";

/** How many addresses of one name are remembered; the oldest are forgotten first. */
const MOST_ADDRESSES = 64;

/** The name of this machine, whatever the network says. */
const LOCALHOST = "localhost";

/** One way to use the network. */
interface Use<T> {
  /** What it does to the address: `connect to`. */
  readonly verb: string;
  /** Whether the address is where something goes to, and not where it is bound. */
  readonly isDestination: boolean;
  /** Does it. */
  readonly start: (address: TcpAddress) => Future<T>;
  /** Returns the address in numbers that the result is for. */
  readonly reached: (result: T) => unknown;
  /** Gives the result up. */
  readonly discard: (result: T) => void;
}

/** The part of a host's network that the permissions of a loop leave. */
export class RestrictedNetwork implements Network {
  readonly #host: Platform;
  readonly #restrictions: Restrictions;
  /** The addresses that listed names have resolved to. Each name of the list is a key at most. */
  readonly #addressesOf: Map<string, Set<string>> = new Map();

  constructor(host: Platform, restrictions: Restrictions) {
    this.#host = host;
    this.#restrictions = restrictions;
  }

  connectTcp(
    loop: EventLoop,
    address: TcpAddress,
    options?: ConnectTcpOptions,
  ): Future<ByteChannel> {
    return this.#use(loop, address, {
      verb: "connect to",
      isDestination: true,
      start: (checked) => this.#host.network.connectTcp(loop, checked, options),
      reached: (channel) => channel.getExtraInfo("peername"),
      discard: (channel) => channel.abort(),
    });
  }

  listenTcp(loop: EventLoop, address: TcpAddress, options?: ListenTcpOptions): Future<Listener> {
    return this.#use(loop, address, {
      verb: "listen on",
      isDestination: false,
      start: (checked) => this.#host.network.listenTcp(loop, checked, options),
      reached: (listener) => listener.address,
      discard: (listener) => listener.close(),
    });
  }

  connectUnix(loop: EventLoop, path: string): Future<ByteChannel> {
    return this.#usePath(
      loop,
      "connect to",
      path,
      () => this.#host.network.connectUnix(loop, path),
    );
  }

  listenUnix(loop: EventLoop, path: string): Future<Listener> {
    return this.#usePath(loop, "listen on", path, () => this.#host.network.listenUnix(loop, path));
  }

  openDatagrams(
    loop: EventLoop,
    address: TcpAddress,
    options: OpenDatagramsOptions = {},
  ): Future<DatagramChannel> {
    const { remote } = options;
    const error = remote === undefined ? null : this.#checkDatagramTo(remote);
    if (error !== null) return failed(loop, error);
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
      return failed(loop, refusal(action, "net", host?.text ?? hostname));
    }
    return startOperation(loop, this.#lookupSteps(loop, host.text, action, family));
  }

  reverseLookup(loop: EventLoop, hostname: string): Future<string | null> {
    const address = canonicalHost(hostname);
    if (address !== null && this.#allowsAddress(address.text, "any")) {
      return this.#host.network.reverseLookup(loop, hostname);
    }
    const member = address?.text ?? hostname;
    return failed(loop, refusal(`find the name of "${hostname}"`, "net", member));
  }

  adopt(loop: EventLoop, connection: Deno.Conn): ByteChannel {
    return this.#host.network.adopt(loop, connection);
  }

  adoptListener(loop: EventLoop, listener: Deno.Listener): Listener {
    return this.#host.network.adoptListener(loop, listener);
  }

  adoptDatagrams(loop: EventLoop, socket: Deno.DatagramConn): DatagramChannel {
    return this.#restrict(loop, this.#host.network.adoptDatagrams(loop, socket));
  }

  #use<T>(loop: EventLoop, address: TcpAddress, use: Use<T>): Future<T> {
    const { net } = this.#restrictions;
    if (net.isFull) return use.start(address);
    const { hostname, port } = address;
    const host = canonicalHost(hostname);
    const action = `${use.verb} "${format(hostname, port)}"`;
    if (host === null) return failed(loop, refusal(action, "net", format(hostname, port)));
    if (!host.isNumeric) return startOperation(loop, this.#useName(loop, host, port, action, use));
    const reached = use.isDestination ? destinationOf(host.text) : host.text;
    if (!this.#allowsAddress(reached, port)) {
      return failed(loop, refusal(action, "net", format(reached, port)));
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
      throw refusal(action, "net", format(name, port));
    }
    const found = yield* this.#tryLookup(loop, name);
    if (found === null) return yield* this.#useUnresolved(name, port, action, use);
    const allowed = found.filter(({ hostname }) => this.#allowsAddress(hostname, port));
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
    const address = canonicalHost(hostname)?.text ?? hostname;
    this.#remember(name, [address]);
    if (this.#allowsAddress(address, port)) return result;
    use.discard(result);
    throw resolvesTo(action, address, port);
  }

  *#openSteps(
    loop: EventLoop,
    address: TcpAddress,
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
    const found = yield* this.#host.network.lookup(loop, name, family);
    this.#remember(name, found.map(({ hostname }) => hostname));
    const allowed = found.filter(({ hostname }) => this.#allowsAddress(hostname, "any"));
    if (allowed.length > 0 || found.length === 0) return allowed;
    throw resolvesTo(action, found[0]?.hostname ?? name, "any");
  }

  /** Looks `name` up; `null` if the process may not. */
  *#tryLookup(loop: EventLoop, name: string): Coroutine<HostAddress[] | null> {
    try {
      const found = yield* this.#host.network.lookup(loop, name);
      this.#remember(name, found.map(({ hostname }) => hostname));
      return found;
    } catch (error) {
      if (isNotCapable(error)) return null;
      throw error;
    }
  }

  /** Grants `addresses` as what `name` means; those of this machine only to its own name. */
  #remember(name: string, addresses: readonly string[]): void {
    const known = this.#addressesOf.get(name) ?? new Set<string>();
    this.#addressesOf.set(name, known);
    for (const address of addresses) {
      if (isOfThisMachine(address) && name !== LOCALHOST) continue;
      known.delete(address);
      known.add(address);
    }
    for (const oldest of known) {
      if (known.size <= MOST_ADDRESSES) break;
      known.delete(oldest);
    }
  }

  #allowsAddress(address: string, port: number | "any"): boolean {
    const { net } = this.#restrictions;
    if (net.allows(address, port)) return true;
    for (const [name, addresses] of this.#addressesOf) {
      if (addresses.has(address) && net.allows(name, port)) return true;
    }
    return false;
  }

  /** Returns the error for sending datagrams to `address`; `null` if it is permitted. */
  #checkDatagramTo({ hostname, port }: TcpAddress): Error | null {
    if (this.#restrictions.net.isFull) return null;
    const host = canonicalHost(hostname);
    const reached = destinationOf(host?.text ?? hostname);
    if (host?.isNumeric && this.#allowsAddress(reached, port)) return null;
    return refusal(`send to "${format(hostname, port)}"`, "net", format(reached, port));
  }

  #restrict(loop: EventLoop, channel: DatagramChannel): DatagramChannel {
    if (this.#restrictions.net.isFull) return channel;
    return new RestrictedDatagrams(loop, channel, (address) => this.#checkDatagramTo(address));
  }

  #usePath<T>(loop: EventLoop, verb: string, path: string, start: () => Future<T>): Future<T> {
    if (this.#restrictions.unix.allows(path)) return start();
    return failed(loop, refusal(`${verb} "${path}"`, "unix", path));
  }
}

function resolvesTo(action: string, address: string, port: number | "any"): Error {
  const member = port === "any" ? address : format(address, port);
  return refusal(action, "net", member, `it resolves to ${address}, which the loop may not reach`);
}

function format(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Returns a future that has failed with `error`. */
function failed<T>(loop: EventLoop, error: Error): Future<T> {
  const future = loop.createFuture<T>();
  future.setException(error);
  return future;
}
