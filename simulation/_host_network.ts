import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { formatAddress } from "../loop/values/format_address.ts";
import { failedFuture } from "../loop/tasks/failed_future.ts";
import type { Future } from "../loop/tasks/future.ts";
import type {
  AddressFamily,
  ByteChannel,
  ConnectTcpOptions,
  DatagramChannel,
  DatagramConn,
  HostAddress,
  Listener,
  ListenTcpOptions,
  ListenUnixOptions,
  Network,
  SocketAddress,
} from "../loop/platform/platform.ts";
import { canonicalHost, destinationOf } from "../loop/values/host_name.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { parseAddress } from "../transports/names/ip_address.ts";
import type { Connection, ConnectionOptions } from "./_connection.ts";
import { createNetworkError } from "./_deno_errors.ts";
import { type HostStack, isLoopback, isWildcard } from "./_host_stack.ts";
import { SimulatedDatagrams } from "./_simulated_datagrams.ts";
import { SimulatedListener } from "./_simulated_listener.ts";

/** The network of one host, with what is bound to it. */
export type Host = HostStack<
  SimulatedListener<Deno.NetAddr>,
  SimulatedListener<Deno.UnixAddr>,
  SimulatedDatagrams
>;

/** What a host needs of the network between the hosts. */
export interface Backbone {
  /** Returns the addresses of the host called `name`; `undefined` if there is none. */
  addressesOf(name: string): readonly string[] | undefined;
  /** Returns the name of the host with `address`. */
  nameOf(address: string): string | null;
  /** Returns the host with `address`. */
  hostAt(address: string): Host | undefined;
  /** Opens a connection, over the network or inside of one host. */
  connect(loop: EventLoop, medium: "network" | "local", options: ConnectionOptions): Connection;
  /** Sends a datagram. */
  sendDatagram(from: Host, bytes: Uint8Array, source: Deno.NetAddr, to: Deno.NetAddr): void;
  /** Seconds after which a host that does not exist is unreachable. */
  readonly unreachableAfter: number;
  /** Calls `callback` that many seconds later. */
  later(delay: number, callback: () => void): void;
}

/** The network as the programs of one host see it. */
export class HostNetwork implements Network {
  readonly #host: Host;
  readonly #backbone: Backbone;

  constructor(host: Host, backbone: Backbone) {
    this.#host = host;
    this.#backbone = backbone;
  }

  connectTcp(
    loop: EventLoop,
    address: SocketAddress,
    options: ConnectTcpOptions = {},
  ): Future<ByteChannel> {
    return startOperation(loop, this.#connectSteps(loop, address, options));
  }

  listenTcp(
    loop: EventLoop,
    address: SocketAddress,
    options: ListenTcpOptions = {},
  ): Future<Listener<Deno.NetAddr>> {
    return atOnce(loop, () => {
      const { listeners } = this.#host;
      const bound = this.#bind(address, listeners, options.reusePort ?? false, "listen on");
      const listener = new SimulatedListener(loop, bound, options.backlog, (closed) => {
        listeners.delete(closed);
      });
      listeners.add(listener);
      return listener;
    });
  }

  connectUnix(loop: EventLoop, path: string): Future<ByteChannel> {
    return startOperation(loop, this.#connectUnixSteps(loop, path));
  }

  listenUnix(
    loop: EventLoop,
    path: string,
    { backlog, cleanup = true }: ListenUnixOptions = {},
  ): Future<Listener<Deno.UnixAddr>> {
    return atOnce(loop, () => {
      const { paths } = this.#host;
      if (paths.get(path)?.isClosed) paths.delete(path);
      if (paths.has(path)) throw createNetworkError("addressInUse", `listen on "${path}"`);
      const address: Deno.UnixAddr = { transport: "unix", path };
      const listener = new SimulatedListener(loop, address, backlog, (closed) => {
        if (cleanup && paths.get(path) === closed) paths.delete(path);
      });
      paths.set(path, listener);
      return listener;
    });
  }

  openDatagrams(loop: EventLoop, address: SocketAddress): Future<DatagramChannel> {
    return atOnce(loop, () => {
      const host = this.#host;
      const bound = this.#bind(address, host.datagrams, false, "open a datagram socket on");
      const socket = new SimulatedDatagrams(loop, { ...bound, transport: "udp" }, {
        send: (bytes, source, to) => this.#sendDatagram(bytes, source, to),
        unbind: (closed) => host.datagrams.delete(closed),
      });
      host.datagrams.add(socket);
      return socket;
    });
  }

  lookup(loop: EventLoop, hostname: string, family?: AddressFamily): Future<HostAddress[]> {
    return atOnce(loop, () => this.#resolve(hostname, `resolve "${hostname}"`, family));
  }

  reverseLookup(loop: EventLoop, hostname: string): Future<string | null> {
    return atOnce(loop, () => {
      return isLoopback(hostname) ? "localhost" : this.#backbone.nameOf(hostname);
    });
  }

  adopt(_loop: EventLoop, _connection: Deno.Conn): ByteChannel {
    throw new InvalidStateError("Cannot adopt a connection in a simulation: it is a real one");
  }

  adoptListener<A extends Deno.Addr>(
    _loop: EventLoop,
    _listener: Deno.Listener<Deno.Conn, A>,
  ): Listener<A> {
    throw new InvalidStateError("Cannot adopt a listener in a simulation: it is a real one");
  }

  adoptDatagrams(_loop: EventLoop, _socket: DatagramConn): DatagramChannel {
    throw new InvalidStateError("Cannot adopt a socket in a simulation: it is a real one");
  }

  *#connectSteps(
    loop: EventLoop,
    address: SocketAddress,
    { localAddress }: ConnectTcpOptions,
  ): Coroutine<ByteChannel> {
    const action = `connect to "${formatAddress(address)}"`;
    const source = localAddress === undefined
      ? null
      : this.#bind(localAddress, this.#host.listeners, true, "connect from");
    let failure: unknown = null;
    for (const { hostname } of this.#resolve(address.hostname, action)) {
      try {
        const destination = netAddress(destinationOf(hostname), address.port);
        return yield* this.#connectTo(loop, destination, source, action);
      } catch (error) {
        failure = error;
        if (!(error instanceof Error) || !("code" in error)) throw error;
      }
    }
    throw failure;
  }

  *#connectTo(
    loop: EventLoop,
    destination: Deno.NetAddr,
    given: Deno.NetAddr | null,
    action: string,
  ): Coroutine<ByteChannel> {
    const client = this.#host;
    const source = given ??
      netAddress(this.#sourceFor(destination), client.takePort(client.listeners));
    const server = this.#hostAt(destination.hostname);
    if (server === undefined) return yield* this.#findNobody(loop, action);
    return yield* this.#connect(loop, "network", {
      client,
      server,
      source,
      destination,
      names: { client: source, server: destination },
      action,
      findListener: () => server.listeners.find(destination.hostname, destination.port),
    });
  }

  *#connectUnixSteps(loop: EventLoop, path: string): Coroutine<ByteChannel> {
    const host = this.#host;
    const action = `connect to "${path}"`;
    if (!host.paths.has(path)) throw createNetworkError("notFound", action);
    const name: Deno.UnixAddr = { transport: "unix", path };
    const place = netAddress(path, 0);
    return yield* this.#connect(loop, "local", {
      client: host,
      server: host,
      source: place,
      destination: place,
      names: { client: { transport: "unix", path: null as unknown as string }, server: name },
      action,
      findListener: () => {
        const listener = host.paths.get(path);
        return listener?.isClosed === true ? undefined : listener;
      },
    });
  }

  #sendDatagram(bytes: Uint8Array, source: Deno.NetAddr, to: Deno.NetAddr): void {
    const action = `send a datagram to "${formatAddress(to)}"`;
    const ofFamily = source.hostname === "::"
      ? undefined
      : source.hostname.includes(":")
      ? "ipv6"
      : "ipv4";
    const [target] = this.#resolve(to.hostname, action, ofFamily);
    if (target === undefined) throw createNetworkError("familyNotSupported", action);
    const destination = { ...to, hostname: destinationOf(target.hostname) };
    const hostname = isWildcard(source.hostname) ? this.#sourceFor(destination) : source.hostname;
    this.#backbone.sendDatagram(this.#host, bytes, { ...source, hostname }, destination);
  }

  /** Opens a connection and waits for it. */
  *#connect(
    loop: EventLoop,
    medium: "network" | "local",
    options: Omit<ConnectionOptions, "opened" | "failed" | "over">,
  ): Coroutine<ByteChannel> {
    const opened = loop.createFuture<ByteChannel>();
    let channel: ByteChannel | null = null;
    const connection = this.#backbone.connect(loop, medium, {
      ...options,
      opened: (made) => {
        channel = made;
        loop[inside.enter](new Step(() => opened.done() || opened.setResult(made)));
      },
      failed: (error) =>
        loop[inside.enter](new Step(() => opened.done() || opened.setException(error))),
      over: () => {},
    });
    try {
      return yield* opened;
    } catch (error) {
      if (channel === null) connection.abandon();
      else (channel as ByteChannel).abort();
      throw error;
    }
  }

  *#findNobody(loop: EventLoop, action: string): Coroutine<never> {
    const found = loop.createFuture<never>();
    this.#backbone.later(this.#backbone.unreachableAfter, () => {
      if (!found.done()) found.setException(createNetworkError("hostUnreachable", action));
    });
    return yield* found;
  }

  #hostAt(address: string): Host | undefined {
    if (isLoopback(address) || isWildcard(address)) return this.#host;
    return this.#backbone.hostAt(address);
  }

  /** Returns which of the host's own addresses packets to `destination` come from. */
  #sourceFor({ hostname }: Deno.NetAddr): string {
    if (isLoopback(hostname) || isWildcard(hostname)) {
      return hostname.includes(":") ? "::1" : "127.0.0.1";
    }
    const family = hostname.includes(":");
    return this.#host.addresses.find((own) => own.includes(":") === family) ?? "0.0.0.0";
  }

  #resolve(hostname: string, action: string, family?: AddressFamily): HostAddress[] {
    const addresses = this.#addressesOf(hostname);
    if (addresses === undefined) throw createNetworkError("unresolved", action);
    return addresses
      .map((address): HostAddress => ({
        family: address.includes(":") ? "ipv6" : "ipv4",
        hostname: address,
      }))
      .filter((address) => family === undefined || address.family === family);
  }

  #addressesOf(hostname: string): readonly string[] | undefined {
    const address = parseAddress(hostname);
    if (address !== null) return [address.hostname];
    const host = canonicalHost(hostname);
    if (host?.isNumeric) return [host.text];
    if (hostname === "localhost") return ["127.0.0.1", "::1"];
    return this.#backbone.addressesOf(hostname);
  }

  /** Returns the address to bind, with a port. */
  #bind(
    { hostname, port }: SocketAddress,
    table: Host["listeners"] | Host["datagrams"],
    mayShare: boolean,
    what: string,
  ): Deno.NetAddr {
    const host = this.#host;
    const action = `${what} "${formatAddress({ hostname, port })}"`;
    const [{ hostname: address } = { hostname }] = this.#resolve(hostname, action);
    if (!isWildcard(address) && !host.owns(address)) {
      throw createNetworkError("addressNotAvailable", action);
    }
    if (port === 0) return netAddress(address, host.takePort(table));
    if (!mayShare && table.conflicts(address, port)) {
      throw createNetworkError("addressInUse", action);
    }
    return netAddress(address, port);
  }
}

function netAddress(hostname: string, port: number): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

/** Returns a future that is done with what `work` gives. */
function atOnce<T>(loop: EventLoop, work: () => T): Future<T> {
  const future = loop.createFuture<T>();
  try {
    future.setResult(work());
  } catch (error) {
    return failedFuture(loop, error);
  }
  return future;
}
