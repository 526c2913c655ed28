import type { Future } from "../../loop/tasks/future.ts";
import { START_UNIX_SERVER } from "../_options.ts";
import { createUnixServer, type CreateUnixServerOptions } from "../endpoints/create_unix_server.ts";
import type { StreamOptions } from "./open_connection.ts";
import type { Server } from "../endpoints/server.ts";
import { serveStreams } from "./_open_streams.ts";
import type { ClientConnected } from "./stream_reader_protocol.ts";

/**
 * Where {@linkcode startUnixServer} listens.
 *
 * @category Streams
 */
export interface StartUnixServerOptions extends CreateUnixServerOptions, StreamOptions {}

/**
 * Listens on a Unix socket and serves each connection with streams. As
 * `asyncio.start_unix_server()`.
 *
 * An error that `clientConnected` throws goes to the loop's exception handler, and the connection
 * is closed. It is also closed when the task is cancelled; otherwise `clientConnected` closes the
 * writer.
 *
 * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
 * @param clientConnected Serves one connection; runs as a task.
 * @param options Where to listen, as for `createUnixServer()`, and the limit of the readers.
 * @throws {InvalidStateError} If no loop is running here.
 * @throws {TypeError} If `clientConnected` is no function.
 * @throws {Deno.errors.AddrInUse} If there is something at the path that is no socket.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 *
 * @category Streams
 *
 * @example A server that greets who connects
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openUnixConnection, run, startUnixServer } from "@gyre/asyncio";
 *
 * const path = `/tmp/${crypto.randomUUID()}.sock`;
 * const answer = await run(async () => {
 *   await using _server = await startUnixServer(async (_reader, writer) => {
 *     await using output = writer;
 *     output.write(new TextEncoder().encode("welcome"));
 *   }, { path });
 *
 *   const [reader, writer] = await openUnixConnection({ path });
 *   await using _writer = writer;
 *   return new TextDecoder().decode(await reader.read());
 * });
 * assertEquals(answer, "welcome");
 * ```
 */
export function startUnixServer(
  clientConnected: ClientConnected<Deno.UnixAddr>,
  options: StartUnixServerOptions,
): Future<Server<Deno.UnixAddr>> {
  return serveStreams(clientConnected, options, START_UNIX_SERVER, createUnixServer);
}
