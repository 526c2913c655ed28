import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { Readable, Writable } from "node:stream";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";
import { type PieceSink, PieceWriter } from "../core/_piece_writer.ts";
import { NodeReads } from "./_deno_node_reads.ts";

/**
 * What both directions have in common. Only one of them is used: the transport on the channel is
 * told which.
 */
abstract class NodeStreamChannel implements ByteChannel {
  protected readonly loop: EventLoop;
  protected sink: ByteSink | null = null;
  protected closing = false;
  readonly #stream: Readable | Writable;
  readonly #descriptor: number;

  constructor(loop: EventLoop, stream: Readable | Writable, descriptor: number) {
    this.loop = loop;
    this.#stream = stream;
    this.#descriptor = descriptor;
    stream.on("error", (error: Error) => this.fail(error));
    stream.on("close", () => this.#report(() => this.sink?.closed()));
  }

  abstract resume(): void;
  abstract pause(): void;
  abstract write(bytes: Uint8Array): number;
  abstract closeWrite(): void;
  abstract close(): void;

  attach(sink: ByteSink): void {
    this.sink = sink;
  }

  abort(): void {
    this.closing = true;
    if (this.#stream.closed) this.loop[inside.enqueue](new Step(() => this.sink?.closed()));
    else this.#stream.destroy();
  }

  getExtraInfo(name: string): unknown {
    return name === "pipe" ? this.#descriptor : undefined;
  }

  protected fail(error: Error & { code?: string }): void {
    const reason = error.code === "EPIPE"
      ? new Deno.errors.BrokenPipe("Cannot write to a pipe: nobody reads it", { cause: error })
      : error;
    this.loop[inside.enter](new Step(() => this.closing || this.sink?.failed(reason)));
  }

  /** The stream closes by itself after an error; the transport then asks for it. */
  #report(closed: () => void): void {
    if (this.closing) this.loop[inside.enter](new Step(closed));
  }
}

/** A byte channel that reads a stream of Node's: one over a descriptor. */
export class NodeReadableChannel extends NodeStreamChannel {
  readonly #reads: NodeReads;

  constructor(loop: EventLoop, stream: Readable, descriptor: number) {
    super(loop, stream, descriptor);
    this.#reads = new NodeReads(loop, stream);
  }

  override attach(sink: ByteSink): void {
    super.attach(sink);
    this.#reads.sink = sink;
  }

  resume(): void {
    this.#reads.resume();
  }

  pause(): void {
    this.#reads.pause();
  }

  override abort(): void {
    this.#reads.stop();
    super.abort();
  }

  write(): number {
    throw new TypeError("Cannot write to a pipe: it is open for reading");
  }

  closeWrite(): void {}

  close(): void {
    this.abort();
  }
}

/** A byte channel that writes to a stream of Node's: one over a descriptor. */
export class NodeWritableChannel extends NodeStreamChannel implements PieceSink {
  readonly #stream: Writable;
  readonly #pieces = new PieceWriter(this);

  constructor(loop: EventLoop, stream: Writable, descriptor: number) {
    super(loop, stream, descriptor);
    this.#stream = stream;
  }

  resume(): void {}

  pause(): void {}

  write(bytes: Uint8Array): number {
    return this.#pieces.write(bytes);
  }

  closeWrite(): void {
    this.close();
  }

  close(): void {
    this.closing = true;
    this.#stream.end(() => this.#stream.destroy());
  }

  protected override fail(error: Error): void {
    super.fail(this.#pieces.explain(error));
  }

  /** @ignore */
  sendPiece(piece: Uint8Array): void {
    this.#stream.write(piece, this.#onWritten);
  }

  /** @ignore */
  pieceSent(count: number): void {
    this.sink?.sent(count);
  }

  /** @ignore */
  piecesLost(error: Error): void {
    this.fail(error);
  }

  readonly #onWritten = (error?: Error | null): void => {
    // What failed is reported by the stream itself.
    if (!this.closing && !(error instanceof Error)) this.#pieces.sent();
  };
}
