import { checkOptions } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { type PlatformLoop, runningPlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { STREAM } from "../_options.ts";
import {
  connectReadPipe,
  connectWritePipe,
  type ReadablePipe,
  type WritablePipe,
} from "../endpoints/connect_pipe.ts";
import { FlowControlProtocol } from "../core/flow_control_protocol.ts";
import type { StreamOptions } from "./open_connection.ts";
import { StreamReader } from "./stream_reader.ts";
import { StreamReaderProtocol } from "./stream_reader_protocol.ts";
import { StreamWriter } from "./stream_writer.ts";

/**
 * Returns a stream that reads a pipe: a Web stream, `Deno.stdin`, a file, or a descriptor. It is
 * `connectReadPipe()` with a reader as its protocol.
 *
 * @param pipe What to read. It is closed at its end, or before by `reader.transport`.
 * @param options The limit of the reader.
 * @throws {InvalidStateError} If no loop is running here.
 * @throws {TypeError} If the pipe is no such thing, or somebody else reads it.
 *
 * @category Streams
 *
 * @example The lines of a Web stream
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openReadPipe, run } from "@gyre/asyncio";
 *
 * const text = new Blob(["one\ntwo\n"]).stream();
 * const lines = await run(async () => {
 *   const reader = await openReadPipe(text);
 *   return (await Array.fromAsync(reader)).map((line) => new TextDecoder().decode(line));
 * });
 * assertEquals(lines, ["one\n", "two\n"]);
 * ```
 */
export function openReadPipe(
  pipe: ReadablePipe,
  options: StreamOptions = {},
): Future<StreamReader> {
  checkOptions("open a pipe", options, STREAM);
  const loop = runningPlatformLoop("open a pipe");
  return startOperation(loop, readSteps(loop, pipe, options));
}

/**
 * Returns a stream that writes to a pipe: a Web stream, `Deno.stdout`, a file, or a descriptor. It
 * is `connectWritePipe()` with a writer on top.
 *
 * @param pipe What to write to. Closing the writer closes it.
 * @throws {InvalidStateError} If no loop is running here.
 * @throws {TypeError} If the pipe is no such thing, or somebody else writes to it.
 *
 * @category Streams
 *
 * @example Writing to a Web stream
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openWritePipe, run } from "@gyre/asyncio";
 *
 * const sent: string[] = [];
 * const pipe = new WritableStream<Uint8Array>({
 *   write: (bytes) => void sent.push(new TextDecoder().decode(bytes)),
 * });
 * await run(async () => {
 *   await using writer = await openWritePipe(pipe);
 *   writer.write(new TextEncoder().encode("hello"));
 * });
 * assertEquals(sent, ["hello"]);
 * ```
 */
export function openWritePipe(pipe: WritablePipe): Future<StreamWriter> {
  const loop = runningPlatformLoop("open a pipe");
  return startOperation(loop, writeSteps(loop, pipe));
}

function* readSteps(
  loop: PlatformLoop,
  pipe: ReadablePipe,
  options: StreamOptions,
): Coroutine<StreamReader> {
  const reader = new StreamReader({ limit: options.limit, loop });
  const createProtocol = () => new StreamReaderProtocol(reader, { loop });
  yield* connectReadPipe(loop, createProtocol, pipe);
  return reader;
}

function* writeSteps(loop: PlatformLoop, pipe: WritablePipe): Coroutine<StreamWriter> {
  const createProtocol = () => new FlowControlProtocol({ loop });
  const [transport, protocol] = yield* connectWritePipe(loop, createProtocol, pipe);
  return new StreamWriter(transport, protocol);
}
