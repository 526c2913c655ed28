import * as inside from "../../loop/inside.ts";
import type { Readable, Writable } from "node:stream";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";
import { memoryChanged, UnsentBytes } from "../core/_unsent_bytes.ts";

/** As much as a pipe holds. A longer write is cut, so that its progress shows. */
const PIECE_SIZE = 64 * 1024;

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
    if (this.#stream.closed) this.loop[inside.enqueue]({ [inside.run]: () => this.sink?.closed() });
    else this.#stream.destroy();
  }

  getExtraInfo(name: string): unknown {
    return name === "pipe" ? this.#descriptor : undefined;
  }

  protected fail(error: Error & { code?: string }): void {
    const reason = error.code === "EPIPE"
      ? new Deno.errors.BrokenPipe("Cannot write to a pipe: nobody reads it", { cause: error })
      : error;
    this.loop[inside.enter]({ [inside.run]: () => this.closing || this.sink?.failed(reason) });
  }

  /** The stream closes by itself after an error; the transport then asks for it. */
  #report(closed: () => void): void {
    if (this.closing) this.loop[inside.enter]({ [inside.run]: closed });
  }
}

/** A byte channel that reads a stream of Node's: one over a descriptor. */
export class NodeReadableChannel extends NodeStreamChannel {
  readonly #stream: Readable;
  #reading = false;
  #ended = false;

  constructor(loop: EventLoop, stream: Readable, descriptor: number) {
    super(loop, stream, descriptor);
    this.#stream = stream;
    stream.on("readable", () => this.loop[inside.enter](this));
    stream.on("end", () => {
      this.#ended = true;
      this.loop[inside.enter](this);
    });
  }

  resume(): void {
    this.#reading = true;
    this.loop[inside.enqueue](this);
  }

  pause(): void {
    this.#reading = false;
  }

  /** @ignore Takes what the stream has read ahead, at most its high-water mark. */
  [inside.run](): void {
    while (this.#reading && !this.closing) {
      const chunk: Uint8Array | null = this.#stream.read();
      if (chunk === null) break;
      this.sink?.received(chunk, chunk.length);
    }
    if (!this.#ended || !this.#reading || this.closing) return;
    this.#reading = false;
    this.sink?.ended();
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
export class NodeWritableChannel extends NodeStreamChannel {
  readonly #stream: Writable;
  /** What is still to be sent of the write in flight; its first piece is with the stream. */
  readonly #unsent = new UnsentBytes();

  constructor(loop: EventLoop, stream: Writable, descriptor: number) {
    super(loop, stream, descriptor);
    this.#stream = stream;
  }

  resume(): void {}

  pause(): void {}

  write(bytes: Uint8Array): number {
    this.#unsent.start(bytes);
    this.#sendPiece();
    return 0;
  }

  closeWrite(): void {
    this.close();
  }

  close(): void {
    this.closing = true;
    this.#stream.end(() => this.#stream.destroy());
  }

  protected override fail(error: Error): void {
    super.fail(this.#unsent.explain(error));
  }

  #sendPiece(): void {
    this.#stream.write(this.#unsent.first(PIECE_SIZE), this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    // What failed is reported by the stream itself.
    if (this.closing || error instanceof Error) return;
    const count = this.#unsent.sent(PIECE_SIZE);
    if (count === null) return this.fail(memoryChanged());
    if (this.#unsent.size > 0) this.#sendPiece();
    this.sink?.sent(count);
  };
}
