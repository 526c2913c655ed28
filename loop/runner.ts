import { type Context, copyContext } from "./context.ts";
import { describe } from "./_describe.ts";
import { isMainIsolate } from "./deno_isolate.ts";
import { CancelledError, InvalidStateError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import { gather } from "./gather.ts";
import type { PlatformLoop } from "./platform_loop.ts";
import { newEventLoop } from "./policy.ts";
import { unrestricted } from "./restricted_platform.ts";
import { hasSignalHandler } from "./signal_handlers.ts";
import { isCoroutine, type Task, type TaskBody } from "./task.ts";
import type { TimerHandle } from "./timer_handle.ts";

/**
 * Seconds that jobs have to end when a runner closes. asyncio waits 300 and then hangs on a job in
 * an endless loop; a program should end by itself, and soon.
 */
const EXECUTOR_TIMEOUT = 5;

/** Settings of a {@linkcode Runner}. */
export interface RunnerOptions {
  /** Debug mode of the loop. Left as the loop has it by default. */
  debug?: boolean;
  /** Creates the loop; {@linkcode newEventLoop} by default. */
  loopFactory?: () => EventLoop;
  /**
   * Signals that cancel the main task. `SIGINT` and `SIGTERM` by default, none in a worker.
   */
  signals?: Deno.Signal[];
  /**
   * Seconds that tasks have to end after such a signal, before they are abandoned. No limit by
   * default. A second signal abandons them at once.
   */
  grace?: number;
}

/** Settings of {@linkcode Runner.run}. */
export interface RunnerRunOptions {
  /** The context of the main task; the runner's own by default. */
  context?: Context;
}

/**
 * Runs several main functions on one loop, one after the other. As `asyncio.Runner`.
 *
 * The loop and the context variables stay from one `run()` to the next.
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
  /** What signals did in the last run; they go on counting while the runner closes. */
  #interruption: Interruption | null = null;
  #closed = false;

  /** Creates a runner; its loop is created when it is first needed. */
  constructor(options: RunnerOptions = {}) {
    this.#options = options;
  }

  /**
   * Returns the loop.
   *
   * @throws {InvalidStateError} If the runner is closed.
   */
  getLoop(): EventLoop {
    if (this.#closed) throw new InvalidStateError("Cannot use a runner: it is closed");
    if (this.#loop === null) {
      this.#loop = (this.#options.loopFactory ?? newEventLoop)();
      if (this.#options.debug !== undefined) this.#loop.setDebug(this.#options.debug);
      this.#context = copyContext();
    }
    return this.#loop;
  }

  /**
   * Runs `main` as a task until it is done.
   *
   * @param main A coroutine, or a function that returns a coroutine, a promise or a value.
   * @returns What `main` gives.
   * @throws {CancelledError} If a signal ended it; the message is the name of the signal.
   * @throws {TypeError} If `main` is neither.
   */
  async run<T>(main: TaskBody<T>, options: RunnerRunOptions = {}): Promise<T> {
    if (typeof main !== "function" && !isCoroutine(main)) {
      throw new TypeError(
        `Cannot run: expected a function or a coroutine, got ${describe(main)}`,
      );
    }
    const loop = this.getLoop();
    if (loop.isRunning()) throw new InvalidStateError("Cannot run: the loop is running already");
    const context = options.context ?? this.#context as Context;
    const task = loop.createTask(main, { context });
    const interruption = this.#interrupt(loop, task);
    const unlisten = this.#listen(loop, interruption);
    try {
      return await loop.runUntilComplete(task);
    } catch (error) {
      throw interruption.abandoned ?? error;
    } finally {
      unlisten();
    }
  }

  /**
   * Cancels the tasks that are left, waits for them, shuts down the default executor and closes
   * the loop. Idempotent.
   *
   * Jobs of the default executor that still run get 5 seconds. For more,
   * `await loop.shutdownDefaultExecutor()` at the end of `main`. Signals are counted on: a second
   * one, or the end of the grace period, abandons what is left.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const loop = this.#loop;
    if (loop === null || loop.isClosed()) return;
    const interruption = this.#interruption ?? this.#interrupt(loop, null);
    const unlisten = this.#listen(loop, interruption);
    try {
      await cancelAllTasks(loop);
      const owner = loop as ResourceOwner;
      const shutdown = owner.shutdownDefaultExecutor?.({ timeout: EXECUTOR_TIMEOUT });
      if (shutdown !== undefined) await loop.runUntilComplete(shutdown);
      const ended = owner._endProcesses?.() ?? null;
      if (ended !== null) await loop.runUntilComplete(ended);
    } catch (error) {
      // What was abandoned was told; the outcome of the run stands.
      if (interruption.abandoned === null) throw error;
    } finally {
      unlisten();
      loop.close();
    }
  }

  /** Closes the runner at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Starts to count signals, of which the first cancels `main`. */
  #interrupt(loop: EventLoop, main: Task<unknown> | null): Interruption {
    this.#interruption?.end();
    return this.#interruption = new Interruption(loop, main, this.#options.grace ?? Infinity);
  }

  /** Tells `interruption` of signals. Returns what ends that. */
  #listen(loop: EventLoop, interruption: Interruption): () => void {
    if (!("platform" in loop)) return () => {};
    // What the runner does on a signal is not for the loop to permit.
    const { signals } = unrestricted((loop as PlatformLoop).platform);
    const wanted = this.#options.signals ?? (isMainIsolate() ? ["SIGINT", "SIGTERM"] : []);
    const unlisten = (wanted as Deno.Signal[]).map((signal) =>
      signals.listen(signal, () => hasSignalHandler(loop, signal) || interruption.onSignal(signal))
    );
    return () => unlisten.forEach((stop) => stop());
  }
}

/** A loop that has a default executor and processes. */
type ResourceOwner = EventLoop & {
  shutdownDefaultExecutor?(options: { timeout: number }): Future<void>;
  _endProcesses?(): Future<void> | null;
};

/**
 * What signals do to a run: the first cancels the main task, the second abandons all tasks. They
 * are counted over the run and the closing of the runner, where tasks may ignore them as well.
 */
class Interruption {
  /** The error of the run, when its tasks were abandoned. */
  abandoned: CancelledError | null = null;
  readonly #loop: EventLoop;
  readonly #main: Task<unknown> | null;
  readonly #grace: number;
  #signalled = false;
  #timer: TimerHandle | null = null;

  constructor(loop: EventLoop, main: Task<unknown> | null, grace: number) {
    this.#loop = loop;
    this.#main = main;
    this.#grace = grace;
  }

  onSignal(signal: string): void {
    if (this.#signalled) return this.#abandon(signal);
    this.#signalled = true;
    this.#loop.callSoonThreadsafe(() => this.#main?.cancel(signal));
    this.#timer = this.#loop.callLater(this.#grace, () => this.#abandon(signal));
  }

  end(): void {
    this.#timer?.cancel();
  }

  #abandon(signal: string): void {
    this.abandoned ??= new CancelledError(signal);
    this.end();
    const names = [...this.#loop.tasks].map((task) => task.getName()).join(", ");
    console.error(
      `Ended by ${signal} without waiting for tasks that ignored it: ${names || "none is left"}`,
    );
    this.#loop.tasks.clear();
    this.#loop.stop();
  }
}

/** Cancels the tasks that are left, waits for them, and reports their errors. */
async function cancelAllTasks(loop: EventLoop): Promise<void> {
  const tasks = [...loop.tasks];
  if (tasks.length === 0) return;
  for (const task of tasks) task.cancel();
  await loop.runUntilComplete(gather(tasks, { returnExceptions: true }));
  for (const task of tasks) {
    if (task.cancelled()) continue;
    const exception = task.exception();
    if (exception === null) continue;
    const message = "unhandled exception during run() shutdown";
    loop.callExceptionHandler({ message, exception, task });
  }
}

/**
 * Runs `main` on a new loop, and cleans up after it. As `asyncio.run()`.
 *
 * When `main` is done, the tasks that are left are cancelled and waited for, the default executor
 * is shut down and the loop is closed. The first `SIGINT` or `SIGTERM` cancels `main`; a second
 * one ends the run at once.
 *
 * @param main A function that returns a coroutine, a promise or a value; or a coroutine.
 * @param options Additional options.
 * @returns What `main` gives.
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
export async function run<T>(main: TaskBody<T>, options: RunnerOptions = {}): Promise<T> {
  await using runner = new Runner(options);
  return await runner.run(main);
}
