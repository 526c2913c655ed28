import { checkOptions } from "../loop/check_options.ts";
import type { Future } from "../loop/future.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import { checkFactory } from "./_create_protocol.ts";
import { CREATE_UNIX_SERVER } from "./_options.ts";
import { checkPath } from "./_unix_path.ts";
import type { StreamProtocol } from "./protocol.ts";
import { secureServer } from "./_secure_channel.ts";
import { Server } from "./server.ts";
import type { TlsServerSettings } from "./tls_options.ts";

/** Where {@linkcode createUnixServer} listens. */
export interface CreateUnixServerOptions extends TlsServerSettings {
  /** Has no effect: what a `Deno.UnixAddr` has too, so that one can be given for the options. */
  transport?: "unix" | undefined;
  /** The path of the socket. One that begins with a zero character is an abstract name of Linux. */
  path: string;
  /** Whether to accept at once, which is the default; else `startServing()` begins. */
  startServing?: boolean | undefined;
}

/**
 * Listens on a Unix socket that it creates. As `loop.create_unix_server()`.
 *
 * A socket that is at the path already is replaced, whoever has left it. Closing the server removes
 * the path, unless something else is there by then.
 *
 * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
 * @param loop The loop that the server lives on.
 * @param protocolFactory Creates the protocol of each connection.
 * @param options Where to listen.
 * @throws {Deno.errors.AddrInUse} If there is something at the path that is no socket.
 * @throws {Deno.errors.NotFound} If the folder does not exist.
 * @throws {Deno.errors.PermissionDenied} If the system does not allow it.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {TypeError} If the path is empty, or longer than a socket's may be, or the options of TLS
 * cannot be used.
 */
export function createUnixServer(
  loop: PlatformLoop,
  protocolFactory: () => StreamProtocol,
  options: CreateUnixServerOptions,
): Future<Server> {
  checkFactory(protocolFactory);
  checkOptions("create a server", options, CREATE_UNIX_SERVER);
  return startOperation(loop, serverSteps(loop, protocolFactory, options));
}

function* serverSteps(
  loop: PlatformLoop,
  protocolFactory: () => StreamProtocol,
  options: CreateUnixServerOptions,
): Coroutine<Server> {
  const { path, startServing = true } = options;
  checkPath(path, "listen on a Unix socket");
  const secure = secureServer(loop, options);
  const listener = yield* loop.platform.network.listenUnix(loop, path);
  const server = new Server(loop, [listener], protocolFactory, secure);
  if (startServing) server._start();
  return server;
}
