import type { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";

/**
 * Failed futures whose error nobody has looked at yet.
 *
 * Each is reported once: a set time after it failed, or when the loop closes. Nothing waits for
 * garbage collection, so every run reports the same.
 */
export class UnseenFailures {
  /** Seconds from the failure to its report. */
  delay = 1;
  readonly #loop: EventLoop;
  /** Futures, in the order in which they failed, with the time of their report. */
  readonly #failures: Map<Future<unknown>, number> = new Map();
  #timerPending = false;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** `future` has failed. */
  add(future: Future<unknown>): void {
    if (this.#loop.isClosed()) return;
    this.#failures.set(future, this.#loop.time() + this.delay);
    this.#watch();
  }

  /** Somebody has looked at the error of `future`. */
  delete(future: Future<unknown>): void {
    this.#failures.delete(future);
  }

  /** Reports all that failed up to `until`, in seconds of the loop. */
  report(until: number): void {
    for (const [future, due] of this.#failures) {
      if (due > until) break;
      this.#failures.delete(future);
      this.#reportOne(future);
    }
  }

  #watch(): void {
    if (this.#timerPending) return;
    for (const due of this.#failures.values()) {
      this.#timerPending = true;
      this.#loop.callAt(due, () => this.#onTimer());
      return;
    }
  }

  #onTimer(): void {
    this.#timerPending = false;
    this.report(this.#loop.time());
    this.#watch();
  }

  #reportOne(future: Future<unknown>): void {
    const isTask = typeof (future as Task<unknown>).getName === "function";
    this.#loop.callExceptionHandler({
      message: `${isTask ? "Task" : "Future"} exception was never retrieved`,
      exception: future.exception(),
      future,
    });
  }
}
