import type { Future } from "../../loop/tasks/future.ts";
import { START_SERVER } from "../_options.ts";
import { createServer, type CreateServerOptions } from "../endpoints/create_server.ts";
import type { StreamOptions } from "./open_connection.ts";
import type { Server } from "../endpoints/server.ts";
import { serveStreams } from "./_open_streams.ts";
import type { ClientConnected } from "./stream_reader_protocol.ts";

/**
 * Where {@linkcode startServer} listens; `A` is the type of the address of a `sock`.
 *
 * @category Streams
 */
export interface StartServerOptions<A extends Deno.Addr = Deno.NetAddr>
  extends CreateServerOptions<A>, StreamOptions {}

/**
 * Listens for TCP connections and serves each with streams. As `asyncio.start_server()`.
 *
 * An error that `clientConnected` throws goes to the loop's exception handler, and the connection
 * is closed. It is also closed when the task is cancelled; otherwise `clientConnected` closes the
 * writer.
 *
 * @permissions allow-net=<hostname>:<port>; without a hostname it is `[::]`
 * @param clientConnected Serves one connection; runs as a task.
 * @param options Where to listen, as for `createServer()`, and the limit of the readers.
 * @throws {InvalidStateError} If no loop is running here.
 * @throws {TypeError} If `clientConnected` is no function.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 *
 * @category Streams
 *
 * @example A server that answers in upper case
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openConnection, run, startServer } from "@gyre/asyncio";
 *
 * const answer = await run(async () => {
 *   await using server = await startServer(async (reader, writer) => {
 *     await using output = writer;
 *     for await (const line of reader) {
 *       output.write(new TextEncoder().encode(new TextDecoder().decode(line).toUpperCase()));
 *       await output.drain();
 *     }
 *   }, { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *
 *   const [reader, writer] = await openConnection({ port });
 *   await using output = writer;
 *   output.write(new TextEncoder().encode("one\ntwo\n"));
 *   output.writeEof();
 *   return new TextDecoder().decode(await reader.read());
 * });
 * assertEquals(answer, "ONE\nTWO\n");
 * ```
 */
export function startServer<A extends Deno.Addr = Deno.NetAddr>(
  clientConnected: ClientConnected<NoInfer<A>>,
  options: StartServerOptions<A> = {},
): Future<Server<A>> {
  return serveStreams(clientConnected, options, START_SERVER, createServer);
}
