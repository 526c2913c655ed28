import type { EventLoop } from "../../loop/event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type {
  ByteChannel,
  Pipes,
  ReadableHandle,
  WritableHandle,
} from "../../loop/platform/platform.ts";
import { DenoOperation } from "./_deno_operation.ts";
import { NodeReadableChannel, NodeWritableChannel } from "./_deno_node_stream_channel.ts";
import { ReadableStreamChannel } from "./readable_stream_channel.ts";
import { WritableStreamChannel } from "./writable_stream_channel.ts";

/** Pipes that exist already, on Deno. */
export class DenoPipes implements Pipes {
  openRead(loop: EventLoop, handle: ReadableHandle): Future<ByteChannel> {
    // Deno reads its stdin in a thread, which goes on reading when nobody wants that any more.
    const pipe = handle === Deno.stdin ? 0 : handle;
    return new DenoOperation(loop, () => openRead(loop, pipe), discard);
  }

  openWrite(loop: EventLoop, handle: WritableHandle): Future<ByteChannel> {
    return new DenoOperation(loop, () => openWrite(loop, handle), discard);
  }
}

/**
 * The `node:net` socket over a descriptor takes pipes, FIFOs and Unix sockets that our process was
 * started with. Files and terminals are left to `node:fs`, which reads them in a thread.
 */
async function openRead(loop: EventLoop, handle: ReadableHandle): Promise<ByteChannel> {
  if (typeof handle !== "number") return new ReadableStreamChannel(loop, handle.readable);
  const { Socket } = await import("node:net");
  try {
    const socket = new Socket({ fd: handle, readable: true, writable: false });
    return new NodeReadableChannel(loop, socket, handle);
  } catch {
    const { createReadStream, fstatSync } = await import("node:fs");
    fstatSync(handle);
    return new NodeReadableChannel(loop, createReadStream("", { fd: handle }), handle);
  }
}

async function openWrite(loop: EventLoop, handle: WritableHandle): Promise<ByteChannel> {
  if (typeof handle !== "number") return new WritableStreamChannel(loop, handle.writable);
  const { Socket } = await import("node:net");
  try {
    const socket = new Socket({ fd: handle, readable: false, writable: true });
    return new NodeWritableChannel(loop, socket, handle);
  } catch {
    const { createWriteStream, fstatSync } = await import("node:fs");
    fstatSync(handle);
    return new NodeWritableChannel(loop, createWriteStream("", { fd: handle }), handle);
  }
}

function discard(channel: ByteChannel): void {
  channel.abort();
}
