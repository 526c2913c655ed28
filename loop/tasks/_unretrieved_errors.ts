import * as inside from "../inside.ts";
import { nameOfThrown } from "../values/_describe.ts";
import { captureEngineContext } from "../scheduling/_current.ts";
import type { EngineContext } from "../scheduling/_deno_engine_context.ts";
import { type Context, copyContext } from "../scheduling/context.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";
import type { TimerHandle } from "../scheduling/timer_handle.ts";

/** Futures that go on behind a shield of which the outer side is cancelled. */
const shielded: WeakSet<Future<unknown>> = new WeakSet();

/** Who waited for `future` behind a shield is gone: if nobody else looks, its report says so. */
export function noteShielded(future: Future<unknown>): void {
  shielded.add(future);
}

/** When a future failed, and the context variables and the foreign context of what failed. */
interface Failure {
  readonly at: number;
  readonly context: Context;
  readonly engineContext: EngineContext | null;
}

/**
 * Failed futures whose error nobody has looked at yet.
 *
 * Each is reported once: a set time after it failed, or when the loop closes. Nothing waits for
 * garbage collection, so every run reports the same.
 */
export class UnretrievedErrors {
  readonly #loop: EventLoop;
  /** Futures, in the order in which they failed. */
  readonly #failures: Map<Future<unknown>, Failure> = new Map();
  /** Those that a wait is about to hand out: their time begins then. */
  readonly #postponed: Map<Future<unknown>, Failure> = new Map();
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

  /** Lists the futures. */
  list(): Iterable<Future<unknown>> {
    return this.#failures.keys();
  }

  /** `future` has failed. */
  add(future: Future<unknown>): void {
    if (this.#loop.isClosed()) return;
    const context = future[inside.context] ?? copyContext();
    const own = future[inside.engineContext];
    const engineContext = own === undefined ? captureEngineContext() : own;
    this.#failures.set(future, { at: this.#loop.time(), context, engineContext });
    this.#watch();
  }

  /** Somebody has looked at the error of `future`. */
  delete(future: Future<unknown>): void {
    this.#postponed.delete(future);
    if (this.#failures.delete(future)) this.#stopWhenEmpty();
  }

  /** `future` is done, and will be handed out later: then {@linkcode restart} follows. */
  postpone(future: Future<unknown>): void {
    const failure = this.#failures.get(future);
    if (failure === undefined) return;
    this.#failures.delete(future);
    this.#postponed.set(future, failure);
    this.#stopWhenEmpty();
  }

  /** `future` is handed out: who gets it has the whole time to look. */
  restart(future: Future<unknown>): void {
    const failure = this.#postponed.get(future);
    if (failure === undefined) return;
    this.#postponed.delete(future);
    this.#failures.set(future, { ...failure, at: this.#loop.time() });
    this.#watch();
  }

  /** The time of the first report has come. */
  onTimer(): void {
    this.#timer = null;
    this.report(this.#loop.time());
    this.#watch();
  }

  /** Reports all that are left. */
  reportAll(): void {
    this.report(Infinity);
    const postponed = [...this.#postponed];
    this.#postponed.clear();
    for (const [future, failure] of postponed) this.#reportOne(future, failure);
    this.#stopWhenEmpty();
  }

  /** Reports all whose report is due at `now`, in seconds of the loop. */
  report(now: number): void {
    for (const [future, failure] of this.#failures) {
      if (failure.at + this.#delay > now) break;
      this.#failures.delete(future);
      this.#reportOne(future, failure);
    }
  }

  #watch(): void {
    if (this.#timer !== null) return;
    for (const { at } of this.#failures.values()) {
      this.#timer = this.#loop.callAt(at + this.#delay, reportUnretrievedErrors, this);
      return;
    }
  }

  /** A timer without purpose would hold up who waits until nothing is left to do. */
  #stopWhenEmpty(): void {
    if (this.#failures.size > 0 || this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
  }

  #reportOne(future: Future<unknown>, { context, engineContext }: Failure): void {
    const isTask = typeof (future as Task<unknown>).getName === "function";
    const exception = future.exception();
    const message = shielded.has(future)
      ? `${nameOfThrown(exception)} exception in shielded future`
      : `${isTask ? "Task" : "Future"} exception was never retrieved`;
    this.#loop[inside.report]({ message, exception, future }, context, engineContext);
  }
}

function reportUnretrievedErrors(failures: UnretrievedErrors): void {
  failures.onTimer();
}
