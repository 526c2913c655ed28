import * as inside from "./inside.ts";
import { describeWaits } from "./inspection/_describe_waits.ts";
import { CancelledError } from "./errors/errors.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Task } from "./tasks/task.ts";
import type { TimerHandle } from "./scheduling/timer_handle.ts";

/** Seconds that tasks have after a second signal, in which who is willing to end does. */
const LAST_MOMENT = 0.5;

/**
 * How far a run was asked to end: not at all; main was cancelled; all tasks were; who went on was
 * abandoned.
 */
type Stage = "running" | "main" | "all" | "abandoned";

/**
 * What interrupts a run, and in which steps.
 *
 * *Theory of operation.* A first signal cancels the main task. A second one, or the end of the
 * grace period, or a signal that comes when main has ended already, cancels every task. Those that
 * still go on after a third one, or once their time is over, are abandoned and named: the loop is
 * stopped. So no task is abandoned that was not asked to end. Steps are counted over the run and
 * the closing of the runner.
 */
export class Interruption {
  /** The main task, once it exists. */
  main: Task<unknown> | null = null;
  /** What the runner waits for besides tasks, as it is named when the wait is given up. */
  waitsFor = "";
  readonly #loop: EventLoop;
  readonly #grace: number;
  #stage: Stage = "running";
  /** The signal that ended the run, or the first one, if any came. */
  #signal: string | null = null;
  /** What the error of a run has as its cause that no signal of the process ended. */
  #cause: unknown = undefined;
  #abandoned: CancelledError | null = null;
  #timer: TimerHandle | null = null;
  #patience: TimerHandle | null = null;
  /** Tasks that were named because they do not end. */
  readonly #named: WeakSet<Task<unknown>> = new WeakSet();

  constructor(loop: EventLoop, grace: number) {
    this.#loop = loop;
    this.#grace = grace;
  }

  /** The error of the run, if its tasks were abandoned. */
  get abandoned(): CancelledError | null {
    return this.#abandoned;
  }

  /** The signal that ended the run, or the first one; `null` if none came. */
  get signal(): string | null {
    return this.#signal;
  }

  /** The process got `signal`. */
  onSignal(signal: string): void {
    this.#signal ??= signal;
    if (this.#stage === "all") this.#abandon(signal);
    else if (this.#stage === "running" && this.main?.done() === false) {
      this.#cancel([this.main], signal);
      this.onCancelled(signal);
    } else if (this.#stage !== "abandoned") {
      this.#cancelAll(signal, Math.min(this.#grace, LAST_MOMENT));
    }
  }

  /** Main was cancelled because of `reason`, by who gave `cause`: its time begins. */
  onCancelled(reason: string, cause?: unknown): void {
    if (this.#stage !== "running") return;
    this.#stage = "main";
    this.#cause = cause;
    this.#after(this.#grace, () => this.#cancelAll(reason, this.#grace));
    this.expectEnd(() => this.main === null ? [] : [this.main]);
  }

  /** `tasks()` are to end; names those that have not after a few seconds, each once. */
  expectEnd(tasks: () => Iterable<Task<unknown>>): void {
    this.#patience?.cancel();
    this.#patience = this.#loop[inside.expectEnd](
      "Waiting for tasks that were cancelled and go on",
      () => {
        const late = [...tasks()].filter((task) => !this.#named.has(task));
        for (const task of late) this.#named.add(task);
        return late;
      },
    );
  }

  /** The run is over: nothing happens any more. */
  end(): void {
    this.#timer?.cancel();
    this.#patience?.cancel();
  }

  #after(delay: number, action: () => void): void {
    this.#timer?.cancel();
    this.#timer = Number.isFinite(delay) ? this.#loop.callLater(delay, action) : null;
  }

  #cancel(tasks: Iterable<Task<unknown>>, reason: string): void {
    for (const task of tasks) this.#loop.callSoonThreadsafe(() => task.cancel(reason));
  }

  #cancelAll(reason: string, delay: number): void {
    this.#stage = "all";
    this.#cancel([...this.#loop[inside.tasks]], reason);
    this.#after(delay, () => this.#abandon(reason));
  }

  #abandon(reason: string): void {
    this.#stage = "abandoned";
    if (this.#signal !== null) this.#signal = reason;
    const cause = this.#cause;
    this.#abandoned = new CancelledError(reason, cause === undefined ? undefined : { cause });
    this.end();
    const left = describeWaits([...this.#loop[inside.tasks]]) || this.waitsFor;
    if (left !== "") console.error(`Ended by ${reason} without waiting any longer: ${left}`);
    this.#loop[inside.tasks].clear();
    this.#loop.stop();
  }
}
