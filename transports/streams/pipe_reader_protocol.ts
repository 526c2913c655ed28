import { CopyingProtocol } from "../core/_copying_protocol.ts";
import { ReadBuffer } from "../core/_read_buffer.ts";
import type { ProtocolLike } from "../protocol.ts";
import { stateOf, type StreamReader } from "./stream_reader.ts";
import type { StreamState } from "./_stream_state.ts";

/** The protocol of a pipe of a child that has a reader: what comes goes straight into its stream. */
export class PipeReaderProtocol extends CopyingProtocol {
  readonly #stream: StreamState;
  readonly #owner: ProtocolLike;
  readonly #memory = new ReadBuffer();

  /** Feeds `reader`. `owner` hears of the end, and ends the reader. */
  constructor(reader: StreamReader, owner: ProtocolLike) {
    super();
    this.#stream = stateOf(reader);
    this.#owner = owner;
  }

  getBuffer(): Uint8Array {
    return this.#memory.take();
  }

  bufferUpdated(count: number): void {
    this.copyFrom(this.#memory.take(), count);
    this.#memory.adapt(count);
  }

  override copyFrom(memory: Uint8Array, count: number): void {
    try {
      this.#stream.feedCopy(memory, count);
    } catch (exception) {
      // The program has ended the stream by hand. The process and its pipe go on.
      const message = "Cannot pass on what a process has printed: its stream has ended";
      this.#stream.options.loop.callExceptionHandler({ message, exception });
    }
  }

  connectionLost(error: Error | null): void {
    this.#owner.connectionLost?.(error);
  }
}
