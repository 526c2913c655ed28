import type { Future } from "../../loop/tasks/future.ts";
import type { Listener } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkListener } from "./_check_sock.ts";
import { CREATE_UNIX_SERVER } from "../_options.ts";
import { checkPath } from "./_unix_path.ts";
import type { ProtocolLike } from "../protocol.ts";
import { serve, type ServerKind } from "./_serve.ts";
import type { Server } from "./server.ts";
import type { TlsServerSettings } from "../tls/tls_options.ts";

/**
 * Where {@linkcode createUnixServer} listens.
 *
 * @category Protocols and transports
 */
export interface CreateUnixServerOptions extends TlsServerSettings {
  /** Has no effect: what a `Deno.UnixAddr` has too, so that one can be given for the options. */
  transport?: "unix" | undefined;
  /** The path of the socket. One that begins with a zero character is an abstract name of Linux. */
  path?: string | undefined;
  /**
   * How many connections may wait to be accepted. Deno lets 1024 wait, and more cannot be had; a
   * simulated network keeps to the number.
   */
  backlog?: number | undefined;
  /**
   * Whether closing the server removes the path, which is the default. Without that the socket stays
   * there, and connecting to it is refused.
   */
  cleanupSocket?: boolean | undefined;
  /** A listener that exists, to use instead. It belongs to the server from then on. */
  sock?: Deno.Listener<Deno.Conn, Deno.UnixAddr> | undefined;
  /** Whether to accept at once, which is the default; else `startServing()` begins. */
  startServing?: boolean | undefined;
  /**
   * Aborting it ends the server as {@linkcode Server.shutdown} does, with the grace of a
   * `serveForever()` that waits. Before there is a server, it gives up, and throws its reason.
   */
  signal?: AbortSignal | undefined;
}

/**
 * Listens on a Unix socket that it creates. As `loop.create_unix_server()`.
 *
 * A socket that is at the path already is replaced, whoever has left it. Closing the server removes
 * the path, unless something else is there by then, or `cleanupSocket` is `false`.
 *
 * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
 * @param loop The loop that the server lives on.
 * @param protocolFactory Creates the protocol of each connection.
 * @param options Where to listen.
 * @throws {Deno.errors.AddrInUse} If there is something at the path that is no socket.
 * @throws {Deno.errors.NotFound} If the folder does not exist.
 * @throws {Deno.errors.PermissionDenied} If the system does not allow it.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {Deno.errors.NotSupported} If the backlog is longer than Deno's.
 * @throws {InvalidStateError} If the `sock` is used by another server.
 * @throws {TypeError} If the path is empty, or longer than a socket's may be, or the options of TLS
 * cannot be used. If there is neither a path nor a `sock`, or both, or that is no Unix listener.
 * @category Protocols and transports
 */
export function createUnixServer(
  loop: PlatformLoop,
  protocolFactory: () => ProtocolLike,
  options: CreateUnixServerOptions,
): Future<Server<Deno.UnixAddr>> {
  return serve(loop, protocolFactory, options, UNIX);
}

const UNIX: ServerKind<CreateUnixServerOptions> = {
  table: CREATE_UNIX_SERVER,
  *listen(loop, options) {
    return [yield* listen(loop, options)];
  },
};

function* listen(
  loop: PlatformLoop,
  options: CreateUnixServerOptions,
): Coroutine<Listener<Deno.UnixAddr>> {
  const { path, sock, backlog, cleanupSocket: cleanup = true } = options;
  const { network } = loop.platform;
  if (sock === undefined) {
    checkPath(path, "listen on a Unix socket");
    return yield* network.listenUnix(
      loop,
      path,
      backlog === undefined ? { cleanup } : { backlog, cleanup },
    );
  }
  if (path !== undefined) {
    throw new TypeError("Cannot create a server: expected either a path or a sock");
  }
  checkListener(sock, "create a server", "unix");
  return network.adoptListener(loop, sock, { cleanup });
}
