import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";
import type { Runnable } from "../../loop/scheduling/ready_queue.ts";

/**
 * Where reading stands. In `reading` and `stopping` a read is with the host, or is held back, or its
 * outcome waits for its turn in the loop.
 */
type ReadState = "paused" | "reading" | "stopping" | "ended";

/** What a read came to: how many bytes, `null` for the end of the stream, or an error. */
export type ReadOutcome = number | null | Error;

const NO_BYTES = new Uint8Array(0);

/**
 * What channels have in common whose host completes reads, as promises do.
 *
 * *Theory of operation.* One read is with the host at a time. One that has completed enters the
 * loop, is reported there, and there the next one is issued: outside of all async functions, so that
 * nothing of them sticks to the chain of reads. The host cannot take a read back. `pause()` lets it
 * complete (`stopping`), and reports it; that is all the back-pressure there is.
 */
export abstract class ReadingChannel implements ByteChannel, Runnable {
  protected readonly loop: EventLoop;
  protected sink: ByteSink | null = null;
  protected isClosed = false;
  #state: ReadState = "paused";
  /** What the last read has filled. */
  #bytes: Uint8Array = NO_BYTES;
  /** How it ended; 0 if nothing is to report, as before the first. */
  #outcome: ReadOutcome = 0;

  constructor(loop: EventLoop) {
    this.loop = loop;
  }

  /** Issues the next read, now or later; `isFirst` after a pause. */
  protected abstract read(isFirst: boolean): void;
  /** Lets go of what the host has. Called once. */
  protected abstract release(): void;
  abstract write(bytes: Uint8Array): number;
  abstract closeWrite(): void;
  abstract getExtraInfo(name: string): unknown;

  attach(sink: ByteSink): void {
    this.sink = sink;
  }

  resume(): void {
    if (this.#state === "stopping") this.#state = "reading";
    else if (this.#state === "paused") {
      this.#state = "reading";
      this.#outcome = 0;
      this.loop[inside.enqueue](this);
    }
  }

  pause(): void {
    if (this.#state === "reading") this.#state = "stopping";
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.release();
    this.loop[inside.enqueue](new Step(() => this.sink?.closed()));
  }

  /** @ignore Reports the read that has completed, and issues the next. */
  [inside.run](): void {
    if (this.isClosed) return;
    const outcome = this.#outcome;
    if (typeof outcome !== "number") return this.#end(outcome);
    if (outcome > 0) this.sink?.received(this.#bytes, outcome);
    if (this.isClosed) return;
    if (this.#state === "stopping") this.#state = "paused";
    else this.read(outcome === 0);
  }

  /** The read has completed. The loop is entered to report it: this may be called from anywhere. */
  protected completed(bytes: Uint8Array, outcome: ReadOutcome): void {
    this.#bytes = bytes;
    this.#outcome = outcome;
    this.loop[inside.enter](this);
  }

  /** No read was issued, as there is no memory for one. Reading goes on with `resume()`. */
  protected notIssued(): void {
    this.#state = "paused";
  }

  #end(outcome: null | Error): void {
    this.#state = "ended";
    if (outcome === null) this.sink?.ended();
    else this.sink?.failed(outcome);
  }
}
