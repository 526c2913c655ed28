import type { Future } from "../../loop/tasks/future.ts";
import { OPEN_UNIX_CONNECTION } from "../_options.ts";
import {
  createUnixConnection,
  type CreateUnixConnectionOptions,
} from "../endpoints/create_unix_connection.ts";
import type { StreamOptions } from "./open_connection.ts";
import { openStreams } from "./_open_streams.ts";
import type { StreamReader } from "./stream_reader.ts";
import type { StreamWriter } from "./stream_writer.ts";
import type { Transport } from "../transport.ts";

/**
 * Where {@linkcode openUnixConnection} connects to.
 *
 * @category Streams
 */
export interface OpenUnixConnectionOptions extends CreateUnixConnectionOptions, StreamOptions {}

/**
 * Connects to a Unix socket and returns streams to and from it. As
 * `asyncio.open_unix_connection()`.
 *
 * Cancelling gives the attempt up and leaves nothing open. The connection stays open until the
 * writer is closed.
 *
 * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
 * @param options Where to connect to, as for `createUnixConnection()`, and the limit of the reader.
 * @throws {InvalidStateError} If no loop is running here.
 * @throws {Deno.errors.NotFound} If there is nothing at the path.
 * @throws {Deno.errors.ConnectionRefused} If nothing listens there.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 *
 * @category Streams
 *
 * @example A server and a client of a Unix socket
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openUnixConnection, run, startUnixServer } from "@gyre/asyncio";
 *
 * const path = `/tmp/${crypto.randomUUID()}.sock`;
 * const answer = await run(function* () {
 *   const server = yield* startUnixServer(function* (reader, writer) {
 *     writer.write((yield* reader.readLine()).reverse());
 *     writer.close();
 *   }, { path });
 *
 *   const [reader, writer] = yield* openUnixConnection({ path });
 *   writer.write(new TextEncoder().encode("olleh\n"));
 *   const bytes = yield* reader.read();
 *   writer.close();
 *   server.close();
 *   yield* server.waitClosed();
 *   return new TextDecoder().decode(bytes);
 * });
 * assertEquals(answer, "\nhello");
 * ```
 */
export function openUnixConnection(
  options: OpenUnixConnectionOptions,
): Future<[reader: StreamReader, writer: StreamWriter<Deno.UnixAddr, Transport<Deno.UnixAddr>>]> {
  return openStreams(options, OPEN_UNIX_CONNECTION, createUnixConnection);
}
