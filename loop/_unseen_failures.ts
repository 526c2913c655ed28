import type { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";
import type { TimerHandle } from "./timer_handle.ts";

/**
 * Failed futures whose error nobody has looked at yet.
 *
 * Each is reported once: a set time after it failed, or when the loop closes. Nothing waits for
 * garbage collection, so every run reports the same.
 */
export class UnseenFailures {
  readonly #loop: EventLoop;
  /** Futures and when they failed, in that order. */
  readonly #failures: Map<Future<unknown>, number> = new Map();
  /** Those that a wait is about to hand out: their time begins then. */
  readonly #postponed: Set<Future<unknown>> = new Set();
  #delay = 1;
  /** Set to the report of the failure that was first, while there is one. */
  #timer: TimerHandle | null = null;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Seconds from the failure to its report. */
  get delay(): number {
    return this.#delay;
  }

  /** Sets the delay, for what has failed already too. */
  set delay(seconds: number) {
    this.#delay = seconds;
    this.#timer?.cancel();
    this.#timer = null;
    this.#watch();
  }

  /** `future` has failed. */
  add(future: Future<unknown>): void {
    if (this.#loop.isClosed()) return;
    this.#failures.set(future, this.#loop.time());
    this.#watch();
  }

  /** Somebody has looked at the error of `future`. */
  delete(future: Future<unknown>): void {
    this.#failures.delete(future);
    this.#postponed.delete(future);
  }

  /** `future` is done, and will be handed out later: then {@linkcode restart} follows. */
  postpone(future: Future<unknown>): void {
    if (this.#failures.delete(future)) this.#postponed.add(future);
  }

  /** `future` is handed out: who gets it has the whole time to look. */
  restart(future: Future<unknown>): void {
    if (this.#postponed.delete(future)) this.add(future);
  }

  /** Reports all that are left. */
  reportAll(): void {
    this.report(Infinity);
    for (const future of this.#postponed) this.#reportOne(future);
    this.#postponed.clear();
  }

  /** Reports all whose report is due at `now`, in seconds of the loop. */
  report(now: number): void {
    for (const [future, failedAt] of this.#failures) {
      if (failedAt + this.#delay > now) break;
      this.#failures.delete(future);
      this.#reportOne(future);
    }
  }

  #watch(): void {
    if (this.#timer !== null) return;
    for (const failedAt of this.#failures.values()) {
      this.#timer = this.#loop.callAt(failedAt + this.#delay, () => this.#onTimer());
      return;
    }
  }

  #onTimer(): void {
    this.#timer = null;
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
