import * as inside from "./inside.ts";
import { currentFrame, runningLoop } from "./scheduling/_current.ts";
import type { CancelScope } from "./tasks/_cancel_scope.ts";
import { RUN, RUNNER, RUNNER_RUN } from "./values/_options.ts";
import { checkOptions } from "./values/check_options.ts";
import { describe, lineOf } from "./values/_describe.ts";
import { showAsText } from "./values/_shown_as_text.ts";
import { Interruption } from "./_interruption.ts";
import { type Context, copyContext } from "./scheduling/context.ts";
import { isMainIsolate } from "./platform/deno_isolate.ts";
import { CancelledError, InvalidStateError } from "./errors/errors.ts";
import type { DenoEventLoop } from "./deno_event_loop.ts";
import { EventLoop } from "./event_loop.ts";
import type { Future } from "./tasks/future.ts";
import type { PlatformLoop } from "./platform/platform_loop.ts";
import { newEventLoop } from "./policy.ts";
import { unrestricted } from "./permissions/restricted_platform.ts";
import { hasSignalHandler, listenToSignal } from "./platform/signal_handlers.ts";
import { isCoroutine, isThenable } from "./values/is_coroutine.ts";
import type { Task, TaskBody } from "./tasks/task.ts";
import { printSnapshot } from "./inspection/print_snapshot.ts";
import type { Signals } from "./platform/platform.ts";

/**
 * Seconds that jobs have to end when a runner closes. asyncio waits 300 and then hangs on a job in
 * an endless loop; a program should end by itself, and soon.
 */
const EXECUTOR_TIMEOUT = 5;
/** How often tasks that cancelled tasks have created are cancelled in turn. */
const MOST_ROUNDS = 100;
/** What ends a program from outside. */
const USUAL_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM"];
/** What an {@linkcode AbortSignal} is called as the end of a run. */
const ABORT = "an AbortSignal";

/**
 * Settings of a {@linkcode Runner}.
 *
 * @category Running
 */
export interface RunnerOptions {
  /** Debug mode of the loop. Left as the loop has it by default. */
  debug?: boolean | undefined;
  /** Creates the loop; {@linkcode newEventLoop} by default. */
  loopFactory?: (() => EventLoop) | undefined;
  /**
   * Signals that cancel the main task. `SIGINT` and `SIGTERM` by default, where the system has
   * them; none in a worker.
   */
  signals?: Deno.Signal[] | undefined;
  /**
   * Seconds that the main task has to end after such a signal. Then every task is cancelled, and
   * those that go on for the same time again are abandoned, and named with what they wait for. No
   * limit by default.
   */
  grace?: number | undefined;
}

/**
 * Settings of {@linkcode Runner.run}.
 *
 * @category Running
 */
export interface RunnerRunOptions {
  /** The context of the main task; the runner's own by default. */
  context?: Context | undefined;
  /**
   * Cancels the main task when it aborts, as a first signal does; its reason is the `cause` of the
   * `CancelledError`.
   */
  signal?: AbortSignal | undefined;
}

/**
 * Settings of {@linkcode run} and {@linkcode runMain}.
 *
 * @category Running
 */
export interface RunOptions extends RunnerOptions {
  /**
   * Cancels `main` when it aborts, as a first signal does; its reason is the `cause` of the
   * `CancelledError`.
   */
  signal?: AbortSignal | undefined;
}

/**
 * Runs several main functions on one loop, one after the other. As `asyncio.Runner`.
 *
 * The loop and the context variables stay from one `run()` to the next.
 *
 * @category Running
 *
 * @example Two runs on one loop
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ContextVar, Runner } from "@gyre/asyncio";
 *
 * const count = new ContextVar("count", { default: 0 });
 * const countUp = () => {
 *   count.set(count.get() + 1);
 *   return count.get();
 * };
 * await using runner = new Runner();
 * assertEquals([await runner.run(countUp), await runner.run(countUp)], [1, 2]);
 * ```
 */
export class Runner {
  readonly #options: RunnerOptions;
  #loop: EventLoop | null = null;
  #context: Context | null = null;
  /** What interrupted the last run; that goes on while the runner closes. */
  #interruption: Interruption | null = null;
  /** What ends the listening to a signal each. */
  readonly #listeners: (() => void)[] = [];
  /** Whether the closing follows a run at once. A signal in between must not end the program. */
  #closesNext = false;
  /** Ends with the closing, once that has begun. */
  #closing: Promise<void> | null = null;

  /**
   * Creates a runner; its loop is created when it is first needed.
   *
   * @throws {TypeError} If an option is not of its type.
   * @throws {RangeError} If `grace` is negative.
   */
  constructor(options: RunnerOptions = {}) {
    checkOptions("create a runner", options, RUNNER);
    this.#options = { ...options };
  }

  /**
   * Returns the loop.
   *
   * @throws {InvalidStateError} If the runner is closed, or `loopFactory` gave a loop that runs or
   * is closed.
   * @throws {TypeError} If `loopFactory` gave no loop.
   */
  getLoop(): DenoEventLoop {
    if (this.#closing !== null) {
      throw new InvalidStateError("Cannot use a runner: it is closed");
    }
    if (this.#loop === null) {
      const { loopFactory, debug } = this.#options;
      this.#loop = loopFactory === undefined ? newEventLoop() : checkLoop(loopFactory());
      if (debug !== undefined) this.#loop.setDebug(debug);
      this.#context = copyContext();
    }
    return this.#loop as DenoEventLoop;
  }

  /**
   * Runs `main` as a task until it is done.
   *
   * @param main A coroutine, or a function that returns a coroutine, a promise or a value.
   * @returns What `main` gives.
   * @throws {CancelledError} If a signal ended it; the message is the name of the signal.
   * @throws {TypeError} If `main` is neither, or there is no signal of a name in `signals`.
   * @throws {InvalidStateError} If the loop is running, or the runner is closed.
   */
  async run<T>(main: TaskBody<T>, options: RunnerRunOptions = {}): Promise<T> {
    checkOptions("run", options, RUNNER_RUN);
    if (typeof main !== "function" && !isCoroutine(main)) {
      const remedy = isThenable(main) ? "; pass the function, as in run(main)" : "";
      throw new TypeError(
        `Cannot run: expected a function or a coroutine, got ${describe(main)}${remedy}`,
      );
    }
    const { signal } = options;
    const loop = this.getLoop();
    if (loop.isRunning()) throw new InvalidStateError("Cannot run: the loop is running already");
    const interruption = this.#interrupt(loop);
    this.#listen(loop, interruption);
    const onAbort = () => interruption.onCancelled(ABORT, signal?.reason);
    try {
      const context = options.context ?? this.#context as Context;
      const task = loop.createTask(main, signal === undefined ? { context } : { context, signal });
      interruption.main = task;
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort);
      return await loop.runUntilComplete(task);
    } catch (error) {
      throw interruption.abandoned ?? error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (!this.#closesNext) this.#unlisten();
    }
  }

  /**
   * Cancels the tasks that are left, waits for them, shuts down the default executor and closes
   * the loop. Once it has begun, further calls wait for the same end.
   *
   * Jobs of the default executor that still run get 5 seconds. For more,
   * `await loop.shutdownDefaultExecutor()` at the end of `main`. A signal that comes meanwhile
   * counts as a second one, and the grace period goes on: what does not end is abandoned.
   *
   * @throws {InvalidStateError} If the loop is running, by `run()` or otherwise, or the call comes
   * from a task that the closing waits for. Nothing has happened then.
   */
  async close(): Promise<void> {
    const loop = this.#loop;
    const isRunning = loop?.isRunning() === true;
    if (this.#closing !== null) {
      if (isRunning && runningLoop() === loop) {
        throw new InvalidStateError("Cannot close a runner: that waits for the tasks of its loop");
      }
      // Who began it gets its error.
      return await this.#closing.catch(() => {});
    }
    if (isRunning) throw new InvalidStateError("Cannot close a runner: its loop is running");
    await (this.#closing = this.#close(loop));
  }

  /** Closes the runner at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Says where it stands: `<Runner created>`, `open`, `running`, `closing` or `closed`. */
  toString(): string {
    const loop = this.#loop;
    if (this.#closing !== null) {
      return lineOf(this, loop === null || loop.isClosed() ? "closed" : "closing");
    }
    return lineOf(this, loop === null ? "created" : loop.isRunning() ? "running" : "open");
  }

  /** @ignore Runs `main` and closes. An error of `main` comes before one of the closing. */
  async [inside.runAndClose]<T>(main: TaskBody<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#closesNext = true;
    const outer = currentFrame()?.scope ?? null;
    let value: T;
    try {
      value = await this.run(main, signal === undefined ? {} : { signal });
    } catch (error) {
      await this.close().catch((exception) => {
        const message = "unhandled exception during run() shutdown";
        this.#loop?.callExceptionHandler({ message, exception });
      });
      if (error instanceof CancelledError) noteArrived(outer, this[inside.signal]);
      throw error;
    }
    await this.close();
    return value;
  }

  /** @ignore The signal that ended the last run or the closing, or came first; `null` if none did. */
  get [inside.signal](): string | null {
    return this.#interruption?.signal ?? null;
  }

  /** @ignore Whether tasks were left that did not end. */
  get [inside.abandoned](): boolean {
    return this.#interruption !== null && this.#interruption.abandoned !== null;
  }

  async #close(loop: EventLoop | null): Promise<void> {
    if (loop === null || loop.isClosed()) return;
    const interruption = this.#interruption ?? this.#interrupt(loop);
    try {
      this.#listen(loop, interruption);
    } catch {
      // A wrong list of signals is for run() to tell; it must not keep the loop open.
    }
    try {
      await endAll(loop, interruption);
    } catch (error) {
      // What was abandoned was told; the outcome of the run stands.
      if (interruption.abandoned === null) throw error;
    } finally {
      interruption.end();
      this.#unlisten();
      loop.close();
    }
  }

  /** Starts to count what interrupts a run. */
  #interrupt(loop: EventLoop): Interruption {
    this.#interruption?.end();
    return this.#interruption = new Interruption(loop, this.#options.grace ?? Infinity);
  }

  /** Tells `interruption` of signals, unless it is told already. */
  #listen(loop: EventLoop, interruption: Interruption): void {
    if (this.#listeners.length > 0 || !("platform" in loop)) return;
    // What the runner does on a signal is not for the loop to permit.
    const { signals } = unrestricted((loop as PlatformLoop).platform);
    const wanted = this.#options.signals;
    for (const signal of new Set(wanted ?? (isMainIsolate() ? USUAL_SIGNALS : []))) {
      const onSignal = () => hasSignalHandler(loop, signal) || interruption.onSignal(signal);
      try {
        this.#listeners.push(listenToSignal(signals, signal, onSignal));
      } catch (error) {
        // A system without one of those that nobody has named runs programs all the same.
        if (wanted === undefined && error instanceof TypeError) continue;
        this.#unlisten();
        throw error;
      }
    }
    if (!loop.getDebug() || !isMainIsolate()) return;
    for (const signal of ASKING) {
      if (!wanted?.includes(signal)) this.#listeners.push(showOnSignal(loop, signals, signal));
    }
  }

  #unlisten(): void {
    for (const stop of this.#listeners.splice(0)) stop();
  }

  static {
    showAsText(this);
  }
}

/**
 * The error of a run inside of another one, which `signal` has ended, is how that arrives in the outer one:
 * its clean-up must not be cut by the same again.
 */
function noteArrived(outer: CancelScope | null, signal: string | null): void {
  if (signal !== null && outer?.dueReason?.message === signal) outer[inside.takeCancel]();
}

/** Signals by which one asks a program how it stands: Ctrl-\ and, on BSD and macOS, Ctrl-T. */
const ASKING = ["SIGQUIT", "SIGINFO"] as const;

/** Prints what there is on `loop` for each `signal`. Returns what ends that. */
function showOnSignal(loop: EventLoop, signals: Signals, signal: Deno.Signal): () => void {
  const onSignal = () => hasSignalHandler(loop, signal) || printSnapshot({ loop });
  try {
    return listenToSignal(signals, signal, onSignal);
  } catch {
    // The system does not have it.
    return () => {};
  }
}

/** A loop that has a default executor and processes. */
type ResourceOwner = EventLoop & {
  shutdownDefaultExecutor?(options: { timeout: number }): Future<void>;
  [inside.endProcesses]?(): Future<void> | null;
};

/** Ends what is left on `loop`: tasks, jobs, processes. One that fails does not keep the others. */
async function endAll(loop: EventLoop, interruption: Interruption): Promise<void> {
  const owner = loop as ResourceOwner;
  await endTasks(loop, interruption);
  try {
    // Where tasks were abandoned nobody waits for jobs: closing the loop ends them.
    if (interruption.abandoned === null) {
      interruption.waitsFor = "jobs of the default executor run";
      const shutdown = owner.shutdownDefaultExecutor?.({ timeout: EXECUTOR_TIMEOUT });
      if (shutdown !== undefined) await loop.runUntilComplete(shutdown);
    }
  } finally {
    interruption.waitsFor = "processes that were killed have not ended";
    const ended = owner[inside.endProcesses]?.() ?? null;
    if (ended !== null) await loop.runUntilComplete(ended);
  }
}

/** Cancels the tasks that are left, and those that they create meanwhile; waits for them. */
async function endTasks(loop: EventLoop, interruption: Interruption): Promise<void> {
  if (loop[inside.tasks][Symbol.iterator]().next().done === true) return;
  interruption.expectEnd(() => loop[inside.tasks]);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const tasks = [...loop[inside.tasks]];
    if (tasks.length === 0) return;
    for (const task of tasks) task.cancel();
    await loop.runUntilComplete(allDone(loop, tasks));
    for (const task of tasks) reportFailure(loop, task);
  }
}

/** Returns a future of `loop` that is done with the last of `tasks`. */
function allDone(loop: EventLoop, tasks: readonly Task<unknown>[]): Future<void> {
  const future = loop.createFuture<void>();
  let left = tasks.length;
  const onDone = () => {
    left -= 1;
    if (left === 0) future.setResult();
  };
  for (const task of tasks) task.addDoneCallback(onDone);
  return future;
}

/** Tells of the error of a task that had to be cancelled. */
function reportFailure(loop: EventLoop, task: Task<unknown>): void {
  if (task.cancelled()) return;
  const exception = task.exception();
  if (exception === null) return;
  const message = "unhandled exception during run() shutdown";
  loop.callExceptionHandler({ message, exception, task });
}

/** Returns what a `loopFactory` gave, if it is a loop that can be run. */
function checkLoop(loop: unknown): EventLoop {
  if (!(loop instanceof EventLoop)) {
    throw new TypeError(
      `Cannot run: expected an EventLoop of loopFactory, got ${describe(loop)}`,
    );
  }
  if (loop.isClosed() || loop.isRunning()) {
    throw new InvalidStateError(
      `Cannot run: the loop of loopFactory is ${loop.isClosed() ? "closed" : "running already"}`,
    );
  }
  return loop;
}

/**
 * Runs `main` on a new loop, and cleans up after it. As `asyncio.run()`.
 *
 * When `main` is done, the tasks that are left are cancelled and waited for, the default executor
 * is shut down and the loop is closed. The first `SIGINT` or `SIGTERM` cancels `main`. A second
 * one, or one that comes when `main` has ended, cancels every task; half a second later, or on a
 * third one, those that go on are abandoned and named. So does the end of `grace`, in steps of its
 * own. Tasks that go on for seconds although they were cancelled are named once.
 *
 * In debug mode `SIGQUIT` (`Ctrl-\`) prints what each task waits for; see {@linkcode printSnapshot}.
 *
 * A signal that ends it makes it throw; {@linkcode runMain} ends the program instead.
 *
 * @param main A function that returns a coroutine, a promise or a value; or a coroutine.
 * @param options Additional options.
 * @returns What `main` gives.
 * @throws {CancelledError} If a signal ended it; the message is the name of the signal.
 * @throws {TypeError} If `main` or an option is not of its type.
 *
 * @category Running
 *
 * @example Hello
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, sleep } from "@gyre/asyncio";
 *
 * const text = await run(async () => {
 *   await sleep(0.001);
 *   return "Hello";
 * });
 * assertEquals(text, "Hello");
 * ```
 */
export async function run<T>(main: TaskBody<T>, options: RunOptions = {}): Promise<T> {
  checkOptions("run", options, RUN);
  const { signal, ...ofRunner } = options;
  return await new Runner(ofRunner)[inside.runAndClose](main, signal);
}
