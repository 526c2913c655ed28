import * as inside from "../../loop/inside.ts";
import type { Readable } from "node:stream";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteSink } from "../../loop/platform/platform.ts";

/**
 * Reads a stream of Node's for a channel, while that wants it. The stream reads ahead as much as its
 * high-water mark, also while nobody does.
 */
export class NodeReads {
  /** Who gets what is read. */
  sink: ByteSink | null = null;
  readonly #loop: EventLoop;
  readonly #stream: Readable;
  #isReading = false;
  #hasEnded = false;
  #isStopped = false;

  /** Takes what `stream` reads from now on. */
  constructor(loop: EventLoop, stream: Readable) {
    this.#loop = loop;
    this.#stream = stream;
    stream.on("readable", () => loop[inside.enter](this));
    stream.on("end", () => {
      this.#hasEnded = true;
      loop[inside.enter](this);
    });
  }

  /** Goes on: reports what comes, from the loop. */
  resume(): void {
    this.#isReading = true;
    this.#loop[inside.enqueue](this);
  }

  /** Reports nothing until {@linkcode resume}. */
  pause(): void {
    this.#isReading = false;
  }

  /** Reports nothing any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** @ignore Takes what the stream has read ahead, at most its high-water mark. */
  [inside.run](): void {
    while (this.#isReading && !this.#isStopped) {
      const chunk: Uint8Array | null = this.#stream.read();
      if (chunk === null) break;
      this.sink?.received(chunk, chunk.length);
    }
    if (!this.#hasEnded || !this.#isReading || this.#isStopped) return;
    this.#isReading = false;
    this.sink?.ended();
  }
}
