import type { ProtocolLike } from "../protocol.ts";

/**
 * A buffered protocol of ours that can also take bytes from where a channel has read them, which
 * saves the copy into its own memory.
 */
export abstract class CopyingProtocol implements ProtocolLike {
  abstract getBuffer(sizeHint: number): Uint8Array;
  abstract bufferUpdated(count: number): void;
  /** Copies the first `count` bytes of memory that is used again. */
  abstract copyFrom(memory: Uint8Array, count: number): void;
}
