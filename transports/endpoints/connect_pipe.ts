import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { ByteChannel, ReadableHandle, WritableHandle } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { describe } from "../../loop/values/describe.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkFactory, createProtocol } from "../core/create_protocol.ts";
import { openTransport } from "./_make_connection.ts";
import type { ProtocolLike } from "../protocol.ts";
import { ReadableStreamChannel } from "../deno/readable_stream_channel.ts";
import type { StreamTransport } from "../core/stream_transport.ts";
import type { ReadTransport, WriteTransport } from "../transport.ts";
import { WritableStreamChannel } from "../deno/writable_stream_channel.ts";

/**
 * What can be read as a pipe: a stream of the Web, such as the output of a `Deno.ChildProcess`;
 * something that has one, such as `Deno.stdin` or a file; or the number of a descriptor.
 *
 * @category Protocols and transports
 */
export type ReadablePipe = ReadableStream<Uint8Array> | ReadableHandle;

/**
 * What can be written to as a pipe: a stream of the Web, something that has one, such as
 * `Deno.stdout` or a file, or the number of a descriptor.
 *
 * @category Protocols and transports
 */
export type WritablePipe = WritableStream<Uint8Array> | WritableHandle;

/**
 * Reads a pipe with a protocol. As `loop.connect_read_pipe()`.
 *
 * The pipe belongs to the transport, which closes it: at its end too, whatever `eofReceived`
 * returns. Nothing is read ahead of the protocol but what one read gives.
 *
 * A read of a file or of a FIFO that was opened as one occupies a thread of the host, of which it
 * has 32, until something comes. Descriptors that the process was started with need none.
 *
 * @param loop The loop that the pipe is read on.
 * @param protocolFactory Creates the protocol.
 * @param pipe What to read.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {TypeError} If the pipe is no such thing, or somebody else reads it.
 *
 * @category Protocols and transports
 *
 * @example Reading a stream of the Web
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop } from "@gyre/asyncio";
 * import { connectReadPipe } from "@gyre/asyncio/transports";
 *
 * const loop = new DenoEventLoop();
 * const size = await loop.runUntilComplete(function* () {
 *   const ended = loop.createFuture<number>();
 *   let count = 0;
 *   yield* connectReadPipe(loop, () => ({
 *     dataReceived: (data: Uint8Array) => void (count += data.length),
 *     connectionLost: () => ended.setResult(count),
 *   }), new Blob(["hello"]).stream());
 *   return yield* ended;
 * });
 * loop.close();
 * assertEquals(size, 5);
 * ```
 */
export function connectReadPipe<P extends ProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  pipe: ReadablePipe,
): Future<[ReadTransport, P]> {
  checkFactory(protocolFactory);
  checkLoopOpen(loop, "open a pipe");
  return startOperation(
    loop,
    connectSteps(loop, protocolFactory, openRead(loop, pipe), "read"),
    "open a pipe",
  );
}

/**
 * Writes to a pipe with a protocol. As `loop.connect_write_pipe()`.
 *
 * The pipe belongs to the transport, which closes it; `writeEof()` does that too. That the reader
 * is gone shows with the next write: the host does not tell before.
 *
 * @param loop The loop that the pipe is written from.
 * @param protocolFactory Creates the protocol.
 * @param pipe What to write to.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {TypeError} If the pipe is no such thing, or somebody else writes to it.
 *
 * @category Protocols and transports
 *
 * @example Writing to a stream of the Web
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop } from "@gyre/asyncio";
 * import { connectWritePipe } from "@gyre/asyncio/transports";
 *
 * const { readable, writable } = new TextDecoderStream();
 * const loop = new DenoEventLoop();
 * const text = await loop.runUntilComplete(async () => {
 *   const [transport] = await connectWritePipe(loop, () => ({}), writable);
 *   transport.write(new TextEncoder().encode("hello"));
 *   transport.close();
 *   return (await Array.fromAsync(readable)).join("");
 * });
 * loop.close();
 * assertEquals(text, "hello");
 * ```
 */
export function connectWritePipe<P extends ProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  pipe: WritablePipe,
): Future<[WriteTransport, P]> {
  checkFactory(protocolFactory);
  checkLoopOpen(loop, "open a pipe");
  return startOperation(
    loop,
    connectSteps(loop, protocolFactory, openWrite(loop, pipe), "write"),
    "open a pipe",
  );
}

function* openRead(loop: PlatformLoop, pipe: ReadablePipe): Coroutine<ByteChannel> {
  if (pipe instanceof ReadableStream) return new ReadableStreamChannel(loop, pipe);
  if (!isHandle(pipe, "readable", ReadableStream)) throw noPipe("read from", pipe);
  return yield* loop.platform.pipes.openRead(loop, pipe);
}

function* openWrite(loop: PlatformLoop, pipe: WritablePipe): Coroutine<ByteChannel> {
  if (pipe instanceof WritableStream) return new WritableStreamChannel(loop, pipe);
  if (!isHandle(pipe, "writable", WritableStream)) throw noPipe("write to", pipe);
  return yield* loop.platform.pipes.openWrite(loop, pipe);
}

function* connectSteps<P extends ProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  opening: Coroutine<ByteChannel>,
  direction: "read" | "write",
): Coroutine<[StreamTransport, P]> {
  const protocol = createProtocol(protocolFactory);
  const channel = yield* opening;
  return [yield* openTransport(loop, channel, protocol, direction), protocol];
}

function isHandle(
  pipe: unknown,
  name: string,
  Class: typeof ReadableStream | typeof WritableStream,
): boolean {
  if (typeof pipe === "number") return Number.isInteger(pipe) && pipe >= 0;
  return typeof pipe === "object" && pipe !== null &&
    (pipe as Record<string, unknown>)[name] instanceof Class;
}

function noPipe(action: string, pipe: unknown): TypeError {
  return new TypeError(
    `Cannot ${action} a pipe: expected a stream or a descriptor, got ${describe(pipe)}`,
  );
}
