import type { Future } from "../../loop/tasks/future.ts";
import { OPEN_CONNECTION } from "../_options.ts";
import { createConnection, type CreateConnectionOptions } from "../endpoints/create_connection.ts";
import { openStreams } from "./_open_streams.ts";
import type { StreamReader } from "./stream_reader.ts";
import type { StreamWriter } from "./stream_writer.ts";
import type { Transport } from "../transport.ts";

/**
 * Settings that all streams have.
 *
 * @category Streams
 */
export interface StreamOptions {
  /** The limit of the reader, in bytes; see `StreamReader.setLimit()`. 64 KiB by default. */
  limit?: number | undefined;
}

/**
 * Where {@linkcode openConnection} connects to; `A` is the type of the addresses of a `sock`.
 *
 * @category Streams
 */
export interface OpenConnectionOptions<A extends Deno.Addr = Deno.NetAddr>
  extends CreateConnectionOptions<A>, StreamOptions {}

/**
 * Connects to a TCP server and returns streams to and from it. As `asyncio.open_connection()`.
 *
 * Cancelling gives the attempt up and leaves nothing open. The connection stays open until the
 * writer is closed.
 *
 * @permissions allow-net=<hostname>:<port>
 * @param options Where to connect to, as for `createConnection()`, and the limit of the reader.
 * @throws {InvalidStateError} If no loop is running here.
 * @throws {Deno.errors.ConnectionRefused} If nothing listens there.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 *
 * @category Streams
 *
 * @example A client of a line protocol
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openConnection, run, startServer } from "@gyre/asyncio";
 *
 * const answer = await run(function* () {
 *   const server = yield* startServer(function* (reader, writer) {
 *     const name = new TextDecoder().decode(yield* reader.readLine()).trim();
 *     writer.write(new TextEncoder().encode(`Hello ${name}\n`));
 *     writer.close();
 *   }, { hostname: "127.0.0.1" });
 *   const { port } = server.address;
 *
 *   const [reader, writer] = yield* openConnection({ port });
 *   writer.write(new TextEncoder().encode("Ada\n"));
 *   const line = yield* reader.readLine();
 *   writer.close();
 *   server.close();
 *   yield* server.waitClosed();
 *   return new TextDecoder().decode(line);
 * });
 * assertEquals(answer, "Hello Ada\n");
 * ```
 */
export function openConnection<A extends Deno.Addr = Deno.NetAddr>(
  options: OpenConnectionOptions<A>,
): Future<[reader: StreamReader, writer: StreamWriter<A, Transport<A>>]> {
  return openStreams(options, OPEN_CONNECTION, createConnection);
}
