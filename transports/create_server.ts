import type { Future } from "../loop/future.ts";
import type { Listener, ListenTcpOptions } from "../loop/platform.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import { checkFactory } from "./_create_protocol.ts";
import type { StreamProtocol } from "./protocol.ts";
import { Server } from "./server.ts";

/** Where {@linkcode createServer} listens. */
export interface CreateServerOptions {
  /** Host names or numeric addresses; every address of the machine by default. */
  hostname?: string | readonly string[];
  /** The port; 0, the default, lets the system choose one for each hostname. */
  port?: number;
  /** How many connections may wait to be accepted; 100 by default. */
  backlog?: number;
  /** Whether several processes may listen on the port. Deno wants `--unstable-net` for it. */
  reusePort?: boolean;
  /** Whether to accept at once, which is the default; else `startServing()` begins. */
  startServing?: boolean;
}

/**
 * Listens for TCP connections. As `loop.create_server()`.
 *
 * @permissions allow-net
 * @param loop The loop that the server lives on.
 * @param protocolFactory Creates the protocol of each connection.
 * @param options Where to listen.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 */
export function createServer(
  loop: PlatformLoop,
  protocolFactory: () => StreamProtocol,
  options: CreateServerOptions = {},
): Future<Server> {
  checkFactory(protocolFactory);
  return startOperation(loop, serverSteps(loop, protocolFactory, options));
}

function* serverSteps(
  loop: PlatformLoop,
  protocolFactory: () => StreamProtocol,
  options: CreateServerOptions,
): Coroutine<Server> {
  const listeners = yield* listenOnAll(loop, options);
  const server = new Server(loop, listeners, protocolFactory);
  if (options.startServing ?? true) server._start();
  return server;
}

function* listenOnAll(
  loop: PlatformLoop,
  { hostname = "", port = 0, backlog = 100, reusePort = false }: CreateServerOptions,
): Coroutine<Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const name of typeof hostname === "string" ? [hostname] : hostname) {
      listeners.push(yield* listen(loop, name, port, { backlog, reusePort }));
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return listeners;
}

function* listen(
  loop: PlatformLoop,
  hostname: string,
  port: number,
  options: ListenTcpOptions,
): Coroutine<Listener> {
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
