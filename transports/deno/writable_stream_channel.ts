import * as inside from "../../loop/inside.ts";
import { errorOf } from "../../loop/errors/error_of.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";
import { type PieceSink, PieceWriter } from "../core/_piece_writer.ts";

/**
 * A byte channel that writes to a stream of the Web, such as the input of a child.
 *
 * *Theory of operation.* One piece is with the stream at a time; the next goes when the stream has
 * taken it, so the stream buffers nothing. A write that the stream does not take, because the
 * reader at the other end sleeps, cannot be called back: `abort()` gives up on it, and the stream
 * lets go of its resources when that write ends.
 */
export class WritableStreamChannel implements ByteChannel, PieceSink {
  readonly #loop: EventLoop;
  readonly #stream: WritableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #sink: ByteSink | null = null;
  readonly #pieces = new PieceWriter(this);
  #state: "open" | "broken" | "closed" = "open";

  /**
   * Locks `stream`, which belongs to the channel from now on.
   *
   * @throws {TypeError} If it is locked already.
   */
  constructor(loop: EventLoop, stream: WritableStream<Uint8Array>) {
    if (stream.locked) {
      throw new TypeError("Cannot write to a stream: it is locked to another writer");
    }
    this.#loop = loop;
    this.#stream = stream;
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(this.#onError);
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
  }

  resume(): void {}

  pause(): void {}

  write(bytes: Uint8Array): number {
    return this.#pieces.write(bytes);
  }

  /** Ends the stream. A transport that only writes closes the channel instead. */
  closeWrite(): void {
    this.close();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#writer.close().catch((exception) => this.#reportLoss(exception))
      .finally(() => this.#loop[inside.enter](new Step(() => this.#sink?.closed())));
  }

  abort(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    // It settles when the write in flight does, which may be never.
    this.#writer.abort().catch(() => {});
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  getExtraInfo(name: string): unknown {
    return name === "pipe" ? this.#stream : undefined;
  }

  /** @ignore */
  sendPiece(piece: Uint8Array): void {
    this.#writer.write(piece).then(this.#onWritten, this.#onError);
  }

  /** @ignore */
  pieceSent(count: number): void {
    this.#sink?.sent(count);
  }

  /** @ignore */
  piecesLost(error: Error): void {
    this.#onError(error);
  }

  /** The stream had taken all bytes, and then failed to bring them home. */
  #reportLoss(exception: unknown): void {
    const message = "Cannot close a stream in good order: it failed";
    this.#loop.callExceptionHandler({ message, exception });
  }

  readonly #onWritten = (): void => {
    if (this.#state === "open") this.#pieces.sent();
  };

  readonly #onError = (thrown: unknown): void => {
    if (this.#state !== "open") return;
    this.#state = "broken";
    const error = errorOf(thrown, "write to a stream: it failed with");
    const failure = this.#pieces.explain(error);
    this.#loop[inside.enter](
      new Step(() => this.#state === "broken" && this.#sink?.failed(failure)),
    );
  };
}
