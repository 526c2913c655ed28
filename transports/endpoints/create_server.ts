import { CancelledError } from "../../loop/errors/errors.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { AddressFamily, Listener, ListenTcpOptions } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkListener } from "./_check_sock.ts";
import { CREATE_SERVER } from "../_options.ts";
import { hostKey } from "../names/ip_address.ts";
import { type AddrInfoFlag, getaddrinfo } from "../names/getaddrinfo.ts";
import type { ProtocolLike } from "../protocol.ts";
import { serve, type ServerKind } from "./_serve.ts";
import type { Server } from "./server.ts";
import type { TlsServerSettings } from "../tls/tls_options.ts";

/**
 * Where {@linkcode createServer} listens; `A` is the type of the address of a `sock`.
 *
 * @category Protocols and transports
 */
export interface CreateServerOptions<A extends Deno.Addr = Deno.NetAddr> extends TlsServerSettings {
  /**
   * Has no effect: what a `Deno.NetAddr` has too, so that one can be given for the options. `"udp"`
   * is a TypeError.
   */
  transport?: Deno.NetAddr["transport"] | undefined;
  /**
   * Host names or numeric addresses; every address of the machine by default. A name stands for the
   * first of its addresses, as in Deno; with `family` for all of that family. What several of them
   * stand for is listened on once.
   */
  hostname?: string | readonly string[] | undefined;
  /** The port; 0, the default, lets the system choose one for each hostname. */
  port?: number | undefined;
  /**
   * Addresses of this family only. Names are looked up for it, which needs `allow-net` for the name
   * without a port, and for its addresses.
   */
  family?: AddressFamily | undefined;
  /**
   * How names are looked up, as for `getaddrinfo()`. `numericHost` takes addresses in numbers only,
   * and looks nothing up.
   */
  flags?: readonly AddrInfoFlag[] | undefined;
  /** How many connections may wait to be accepted; 100 by default. */
  backlog?: number | undefined;
  /** Has no effect: the port of a server that is closed can always be listened on again. */
  reuseAddress?: boolean | undefined;
  /**
   * Whether several processes or workers may listen on the port; the system shares the connections
   * out. Without `--unstable-net` they stand on `node:net`, where each costs more.
   */
  reusePort?: boolean | undefined;
  /**
   * Whether the system probes each connection while it is silent, and ends it when its peer is gone; after two
   * hours where the machine has no other setting. Deno's own setting is off.
   */
  keepAlive?: boolean | undefined;
  /** A listener that exists, to use instead. It belongs to the server from then on. */
  sock?: Deno.Listener<Deno.Conn, A> | undefined;
  /** Whether to accept at once, which is the default; else `startServing()` begins. */
  startServing?: boolean | undefined;
  /**
   * Aborting it ends the server as {@linkcode Server.shutdown} does, with the grace of a
   * `serveForever()` that waits. Before there is a server, it gives up, and throws its reason.
   */
  signal?: AbortSignal | undefined;
}

/**
 * Listens for TCP connections. As `loop.create_server()`.
 *
 * With `tls`, a protocol hears of a connection after its handshake. One that fails is reported to the
 * exception handler in debug mode only.
 *
 * @permissions allow-net=<hostname>:<port>; without a hostname it is `[::]`
 * @param loop The loop that the server lives on.
 * @param protocolFactory Creates the protocol of each connection.
 * @param options Where to listen.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.AddrNotAvailable} If no address of the machine is meant.
 * @throws {Deno.errors.NotFound} If a host name does not resolve.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {InvalidStateError} If the `sock` is used by another server.
 * @throws {TypeError} If there is a `sock` and a place to listen, or it is no listener, or the
 * options of TLS cannot be used.
 *
 * @category Protocols and transports
 *
 * @example A server that tells the time of its loop to everyone
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, openConnection, Protocol, run, type Transport } from "@gyre/asyncio";
 *
 * class Clock extends Protocol {
 *   override connectionMade(transport: Transport): void {
 *     transport.write(new TextEncoder().encode(String(getRunningLoop().time())));
 *     transport.close();
 *   }
 * }
 *
 * const time = await run(async () => {
 *   const loop = getRunningLoop();
 *   await using server = await loop.createServer(() => new Clock(), { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *   const [reader, writer] = await openConnection({ port });
 *   await using _writer = writer;
 *   return Number(new TextDecoder().decode(await reader.read()));
 * });
 * assertEquals(Number.isFinite(time), true);
 * ```
 */
export function createServer<A extends Deno.Addr = Deno.NetAddr>(
  loop: PlatformLoop,
  protocolFactory: () => ProtocolLike,
  options: CreateServerOptions<A> = {},
): Future<Server<A>> {
  return serve(loop, protocolFactory, options, TCP);
}

const TCP: ServerKind<CreateServerOptions<Deno.Addr>> = {
  table: CREATE_SERVER,
  listen: listenOnAll,
};

function* listenOnAll(
  loop: PlatformLoop,
  options: CreateServerOptions<Deno.Addr>,
): Coroutine<Listener[]> {
  const { sock, hostname = "", port = 0, backlog = 100, reusePort = false } = options;
  if (sock !== undefined) return [adopt(loop, sock, options)];
  const names = typeof hostname === "string" ? [hostname] : withoutCovered(hostname);
  const listeners: Listener<Deno.NetAddr>[] = [];
  try {
    for (const name of names) {
      for (const host of yield* hostsOf(loop, name, options)) {
        const listener = yield* listenBeside(listeners, loop, host, port, { backlog, reusePort });
        if (listener !== null) listeners.push(listener);
      }
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return listeners;
}

function adopt(
  loop: PlatformLoop,
  sock: Deno.Listener<Deno.Conn, Deno.Addr>,
  { hostname, port }: CreateServerOptions<Deno.Addr>,
): Listener {
  if (hostname !== undefined || port !== undefined) {
    throw new TypeError("Cannot create a server: expected either a place to listen or a sock");
  }
  checkListener(sock, "create a server");
  return loop.platform.network.adoptListener(loop, sock);
}

/** Leaves out what another of the names covers: `::` takes IPv4 connections as well. */
function withoutCovered(names: readonly string[]): readonly string[] {
  const isCovered = names.some((name) => keyOf(name) === "::");
  return isCovered ? names.filter((name) => name !== "0.0.0.0") : names;
}

/**
 * Listens on one more address. Returns `null` if that is the address of one of `listeners` already,
 * which shows for a name once it is bound, or is in use.
 */
function* listenBeside(
  listeners: readonly Listener<Deno.NetAddr>[],
  loop: PlatformLoop,
  hostname: string,
  port: number,
  options: ListenTcpOptions,
): Coroutine<Listener<Deno.NetAddr> | null> {
  const bound = new Set(listeners.map(({ address }) => keyOf(address.hostname)));
  if (bound.has(keyOf(hostname))) return null;
  let listener: Listener<Deno.NetAddr>;
  try {
    listener = yield* listen(loop, hostname, port, options);
  } catch (error) {
    if (bound.size > 0 && isInUse(error) && bound.has(yield* addressOf(loop, hostname))) {
      return null;
    }
    throw error;
  }
  if (!bound.has(keyOf(listener.address.hostname))) return listener;
  listener.close();
  return null;
}

/** Returns the address that `hostname` stands for; it itself if that cannot be found out. */
function* addressOf(loop: PlatformLoop, hostname: string): Coroutine<string> {
  try {
    const [first] = yield* getaddrinfo(loop, hostname, 0, { type: "stream" });
    return keyOf(first?.address.hostname ?? hostname);
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    return hostname;
  }
}

/** Returns one text for all ways to write an address; no name means every one of the machine. */
function keyOf(hostname: string): string {
  return hostname === "" ? "::" : hostKey(hostname);
}

/** Whether `error` says that something listens there already. */
function isInUse(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "EADDRINUSE";
}

/** What to listen on for `hostname`: it as it is, or its addresses of the wanted family. */
function* hostsOf(
  loop: PlatformLoop,
  hostname: string,
  { family, flags }: CreateServerOptions<Deno.Addr>,
): Coroutine<string[]> {
  if (family === undefined && flags === undefined) return [hostname];
  const host = hostname === "" ? null : hostname;
  const found = yield* getaddrinfo(loop, host, 0, {
    type: "stream",
    family,
    flags: ["passive", ...flags ?? []],
  });
  return found.map((info) => info.address.hostname);
}

function* listen(
  loop: PlatformLoop,
  hostname: string,
  port: number,
  options: ListenTcpOptions,
): Coroutine<Listener<Deno.NetAddr>> {
  const { network } = loop.platform;
  if (hostname !== "") return yield* network.listenTcp(loop, { hostname, port }, options);
  try {
    return yield* network.listenTcp(loop, { hostname: "::", port }, options);
  } catch (error) {
    if (!isWithoutIpv6(error)) throw error;
    return yield* network.listenTcp(loop, { hostname: "0.0.0.0", port }, options);
  }
}

/** Whether `error` says that the machine has no IPv6. */
function isWithoutIpv6(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}
