/**
 * The part of the seam that reaches pipes which exist already: descriptors that our process was
 * started with, and the host's objects for them.
 *
 * @module
 */
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import type { ByteChannel } from "./network_platform.ts";

/**
 * Something to read from: a descriptor, or an object of the host such as `Deno.stdin` or a file.
 *
 * @category Protocols and transports
 */
export type ReadableHandle = number | { readonly readable: ReadableStream<Uint8Array> };

/**
 * Something to write to: a descriptor, or an object of the host such as `Deno.stdout` or a file.
 *
 * @category Protocols and transports
 */
export type WritableHandle = number | { readonly writable: WritableStream<Uint8Array> };

/**
 * What a loop needs to use pipes that exist.
 *
 * @category Platform
 */
export interface Pipes {
  /** Returns the channel that reads `handle`, which belongs to it from then on. */
  openRead(loop: EventLoop, handle: ReadableHandle): Future<ByteChannel>;
  /** Returns the channel that writes to `handle`, which belongs to it from then on. */
  openWrite(loop: EventLoop, handle: WritableHandle): Future<ByteChannel>;
}
