import { checkLoopOpen } from "./errors/loop_closed.ts";
import * as inside from "./inside.ts";
import {
  captureEngineContext,
  isInEngineContext,
  outsideOfTasks,
  requireLoop,
  runInEngineContext,
  runningLoop,
  runningTask,
} from "./scheduling/_current.ts";
import { Driver, type LoopStatistics } from "./scheduling/_driver.ts";
import { EVENT_LOOP, TASK } from "./values/_options.ts";
import { checkPlain, checkRunsWhenCalled, isPlainFunction } from "./values/_function_kind.ts";
import type { EngineContext } from "./scheduling/_deno_engine_context.ts";
import type { Runnable } from "./scheduling/_runnable.ts";
import { checkSeconds } from "./values/_seconds.ts";
import { checkTaskBody } from "./tasks/_task_body.ts";
import { showAsText } from "./values/_shown_as_text.ts";
import { describeWaits } from "./inspection/_describe_waits.ts";
import { createDeadlockError } from "./inspection/_deadlock.ts";
import { TaskList } from "./tasks/_task_list.ts";
import { stepOwner } from "./tasks/step_owner.ts";
import { UnretrievedErrors } from "./tasks/_unretrieved_errors.ts";
import { checkOptions, isAlone, NO_OPTIONS } from "./values/check_options.ts";
import { DenoClock } from "./platform/deno_clock.ts";
import { type Awaitable, ensureFuture } from "./tasks/ensure_future.ts";
import { describe, describeThrown, lineOf } from "./values/_describe.ts";
import { type Context, currentValues } from "./scheduling/context.ts";
import { InvalidStateError } from "./errors/errors.ts";
import { type Callback, Handle } from "./scheduling/handle.ts";
import { TimerHandle } from "./scheduling/timer_handle.ts";
import { forgetError, Future } from "./tasks/future.ts";
import type { Clock, Poller } from "./platform/platform.ts";
import type { ReadyQueue } from "./scheduling/ready_queue.ts";
import { createChecked, Task, type TaskBody, type TaskOptions } from "./tasks/task.ts";
import { Meter, type SlowStep } from "./inspection/meter.ts";
import { type LoopSnapshot, takeSnapshot } from "./inspection/snapshot.ts";
import type { TimerQueue } from "./scheduling/_timer_queue.ts";
import { inWords } from "./values/in_words.ts";

/**
 * Settings of an {@linkcode EventLoop}.
 *
 * @category Running
 */
export interface EventLoopOptions {
  /** The clock that drives it. Defaults to the host's. */
  clock?: Clock | undefined;
  /** @ignore What decides the order of callbacks. Defaults to the order of scheduling. */
  ready?: ReadyQueue | undefined;
  /** Records origins and reports slow callbacks. Off by default. */
  debug?: boolean | undefined;
}

/**
 * What the exception handler is told. The keys are asyncio's.
 *
 * @category Running
 */
export interface ExceptionContext {
  /** What happened. */
  message: string;
  /** The error. */
  exception?: unknown;
  /** The handle whose callback failed. */
  handle?: Handle;
  /** The future concerned. */
  future?: Future<unknown>;
  /** The task concerned. */
  task?: Task<unknown>;
  /** The protocol concerned. */
  protocol?: unknown;
  /** The transport concerned. */
  transport?: unknown;
  /** In debug mode, where the handle, future or task was created. */
  sourceTraceback?: string;
}

/**
 * Receives what nobody else handles. See `setExceptionHandler`.
 *
 * @category Running
 */
export type ExceptionHandler = (loop: EventLoop, context: ExceptionContext) => void;

/** Seconds of waiting for what was asked to end, before it is named. */
const PATIENCE = 3;

/** Frames of this folder say nothing about who created an object. */
const OWN_FOLDER = new URL(".", import.meta.url).href;

/** Frames of the package, of the engine and of Deno say nothing about who awaits. */
const OWN_LINE = ownLine(new URL("../", import.meta.url).href);

/**
 * Creates the tasks of a loop; see `setTaskFactory`.
 *
 * @category Running
 */
export type TaskFactory = <T>(
  loop: EventLoop,
  body: TaskBody<T>,
  options: TaskOptions,
) => Task<T>;

/**
 * Schedules callbacks and runs tasks, one after the other. As `asyncio.BaseEventLoop`.
 *
 * It does not block its thread: several loops may run at once. For connections, processes and
 * executors see {@linkcode DenoEventLoop}, which extends it.
 *
 * @category Running
 *
 * @example Callbacks run in the order in which they were scheduled
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventLoop } from "@gyre/asyncio";
 *
 * const log: string[] = [];
 * const loop = new EventLoop();
 * loop.callLater(0.001, () => loop.stop());
 * loop.callSoon((text) => log.push(text), "first");
 * loop.callSoon((text) => log.push(text), "second");
 * await loop.runForever();
 * loop.close();
 * assertEquals(log, ["first", "second"]);
 * ```
 */
export class EventLoop {
  /**
   * Seconds that a callback may take in debug mode before it is reported. As asyncio's
   * `slow_callback_duration`.
   */
  slowCallbackDuration = 0.1;
  /** @ignore Tasks that are not done, in the order of creation. */
  readonly [inside.tasks]: TaskList = new TaskList();
  /** @ignore Errors that nobody has looked at. */
  readonly [inside.unretrievedErrors]: UnretrievedErrors = new UnretrievedErrors(this);
  /** @ignore What was created and has to be awaited to begin: a forgotten `await` is told at the end. */
  readonly [inside.notBegun]: Set<Future<unknown>> = new Set();
  /** @ignore What measures the loop: in debug mode, and where somebody asks for it. */
  [inside.meter]: Meter | null = null;
  readonly #driver: Driver;
  /** @ignore The options of futures and tasks that have no others; one object for them all. */
  readonly [inside.ownOptions]: { readonly loop: EventLoop } = { loop: this };
  #timerSequence = 0;
  #closed = false;
  #debug: boolean;
  #measuring = false;
  readonly #slowHandlers: Set<(step: SlowStep) => void> = new Set();
  #exceptionHandler: ExceptionHandler | null = null;
  #taskFactory: TaskFactory | null = null;
  /** Where handles, futures and tasks were created; debug mode only. */
  readonly #origins: WeakMap<object, string> = new WeakMap();
  /** Where tasks wait; debug mode only. */
  readonly #places: WeakMap<object, string> = new WeakMap();

  /** Creates a loop that is not running. */
  constructor(options: EventLoopOptions = {}) {
    checkOptions("create an event loop", options, EVENT_LOOP);
    const insight = { stepOwner, createDeadlockError: () => createDeadlockError(this) };
    this.#driver = new Driver(this, options.clock ?? new DenoClock(), insight, options.ready);
    this.#debug = options.debug ?? false;
    this.#measure();
  }

  /** Says where it stands, as `repr()`: `<DenoEventLoop running>`. */
  toString(): string {
    return lineOf(this, this.#closed ? "closed" : this.isRunning() ? "running" : "stopped");
  }

  /** Returns the time of the loop's clock in seconds. As `loop.time()`. */
  time(): number {
    return this.#driver.time();
  }

  /**
   * Calls `callback(...args)` in the next iteration. As `loop.call_soon()`.
   *
   * Callbacks run in the order of these calls, each exactly once, with the context variables of
   * the caller. What one throws goes to the exception handler, and so does what the promise of an
   * async function rejects with.
   *
   * @throws {TypeError} If `callback` is no function, or a generator function, which needs a task.
   * @throws {InvalidStateError} If the loop is closed.
   */
  callSoon<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): Handle {
    this[inside.checkCallback](callback, "schedule");
    const handle = new Handle(this, callback as Callback, args);
    this.#driver[inside.enqueue](handle);
    return handle;
  }

  /**
   * As {@linkcode callSoon}. It stands for asyncio's `call_soon_threadsafe()`: JavaScript threads
   * share no functions, so a worker calls back through a port; see `createCallbackPort`.
   */
  callSoonThreadsafe<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): Handle {
    return this.callSoon(callback, ...args);
  }

  /**
   * Calls `callback(...args)` after `delay` seconds. As `loop.call_later()`.
   *
   * Timers with the same deadline fire in the order scheduled. A delay of zero or less fires in
   * the next iteration, `Infinity` never.
   *
   * @param delay Seconds from now.
   * @throws {TypeError} If `delay` is not a number, or `callback` no function or a generator.
   * @throws {RangeError} If `delay` is `NaN`.
   * @throws {InvalidStateError} If the loop is closed.
   */
  callLater<A extends unknown[]>(
    delay: number,
    callback: (...args: A) => unknown,
    ...args: A
  ): TimerHandle {
    checkSeconds("schedule a callback", "delay", delay);
    return this.#addTimer(this.time() + delay, callback as Callback, args);
  }

  /**
   * Calls `callback(...args)` at `when`, in seconds of {@linkcode time}. As `loop.call_at()`.
   *
   * @throws {TypeError} If `when` is not a number, or `callback` no function or a generator.
   * @throws {RangeError} If `when` is `NaN`.
   * @throws {InvalidStateError} If the loop is closed.
   */
  callAt<A extends unknown[]>(
    when: number,
    callback: (...args: A) => unknown,
    ...args: A
  ): TimerHandle {
    checkSeconds("schedule a callback", "when", when);
    return this.#addTimer(when, callback as Callback, args);
  }

  /**
   * Stops the run after the current iteration. Callbacks that are ready run; those they add wait
   * for the next run. Called while stopped, it makes the next run end after one iteration.
   */
  stop(): void {
    this.#driver.stop();
  }

  /** Whether the loop is running. */
  isRunning(): boolean {
    return this.#driver.running;
  }

  /** Whether {@linkcode close} was called. */
  isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Closes the loop, drops what is scheduled and reports the errors that nobody looked at.
   * Idempotent; a closed loop stays closed.
   *
   * @throws {InvalidStateError} If the loop is running.
   */
  close(): void {
    if (this.isRunning()) {
      throw new InvalidStateError("Cannot close the event loop: it is running");
    }
    if (this.#closed) return;
    this.#closed = true;
    this.#driver.clear();
    this[inside.unretrievedErrors].reportAll();
    this.#warnOfForgotten();
  }

  /** Seconds after which an error that nobody looked at is reported; 1 by default. */
  get unretrievedErrorDelay(): number {
    return this[inside.unretrievedErrors].delay;
  }

  /** Sets the delay of the report. */
  set unretrievedErrorDelay(seconds: number) {
    checkSeconds("set the delay of reports", "unretrievedErrorDelay", seconds);
    this[inside.unretrievedErrors].delay = seconds;
  }

  /** Creates a pending future of this loop. */
  createFuture<T>(): Future<T> {
    return new Future(this[inside.ownOptions]);
  }

  /**
   * Schedules `body` as a task. As `loop.create_task()`.
   *
   * @param body A coroutine, or a function that returns a coroutine, a promise or a value.
   * @throws {TypeError} If `body` is neither, or a task factory gives no task.
   * @throws {InvalidStateError} If the loop is closed.
   */
  createTask<T>(body: TaskBody<T>, options: TaskOptions = NO_OPTIONS): Task<T> {
    if (this.isClosed()) checkLoopOpen(this, "create a task");
    const factory = this.#taskFactory;
    if (options === NO_OPTIONS && factory === null) return new Task(body, this[inside.ownOptions]);
    if (!isAlone("name", options)) checkOptions("create a task", options, TASK);
    if (factory !== null) return this.#createByFactory(factory, body, options);
    return createChecked(this, body, options);
  }

  /** Returns the factory set with {@linkcode setTaskFactory}, or `null`. */
  getTaskFactory(): TaskFactory | null {
    return this.#taskFactory;
  }

  /** Sets what `createTask()` calls; `null` restores the default. */
  setTaskFactory(factory: TaskFactory | null): void {
    if (factory !== null) checkPlain(factory, "set the task factory");
    this.#taskFactory = factory;
  }

  /**
   * Runs until {@linkcode stop} is called, and keeps the process alive meanwhile, also with
   * nothing scheduled.
   *
   * @throws {InvalidStateError} If the loop is running already or closed.
   */
  async runForever(): Promise<void> {
    this.#checkRunnable();
    await this.#driver.drive();
  }

  /**
   * Runs until `awaitable` is done.
   *
   * @param awaitable A future, a promise, a coroutine, or a function that returns one of them;
   * what is not a future becomes a task.
   * @returns Its result.
   * @throws {InvalidStateError} If the loop is running already or closed, or stops before the
   * awaitable is done. The awaitable's own error otherwise.
   */
  async runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T> {
    this.#checkRunnable();
    const isNew = !(awaitable instanceof Future);
    const future = ensureFuture(awaitable, { loop: this });
    const stop = () => this.stop();
    future.addDoneCallback(stop);
    try {
      await this.#driver.drive();
    } catch (error) {
      if (isNew && future.done() && !future.cancelled()) forgetError(future);
      throw error;
    } finally {
      future.removeDoneCallback(stop);
    }
    if (!future.done()) {
      throw new InvalidStateError("Cannot return the result of the run: the loop stopped before");
    }
    return future.result();
  }

  /** Whether debug mode is on. */
  getDebug(): boolean {
    return this.#debug;
  }

  /** Turns debug mode on or off: origins are recorded and slow callbacks reported. */
  setDebug(enabled: boolean): void {
    this.#debug = enabled;
    this.#measure();
  }

  /** Whether {@linkcode snapshot} has ages, times and what has ended; see {@linkcode setMeasuring}. */
  getMeasuring(): boolean {
    return this[inside.meter] !== null;
  }

  /**
   * Turns measuring on or off, for {@linkcode snapshot}: the time that tasks spend in steps, how
   * late timers fire, what has ended. Debug mode measures as well, and each step. Otherwise, where
   * a step takes little, a sample of the steps is measured: that costs no more than a few percent.
   */
  setMeasuring(enabled: boolean): void {
    this.#measuring = enabled;
    this.#measure();
  }

  /**
   * Has `handler` called for each step that takes {@linkcode slowCallbackDuration} or longer. Turns
   * measuring on; outside of debug mode, where steps are short and many, one may be missed.
   *
   * @returns Ends that.
   *
   * @example What holds up everybody
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { createTask, getRunningLoop, run, sleep } from "@gyre/asyncio";
   *
   * const slow: (string | null)[] = [];
   * await run(async () => {
   *   const loop = getRunningLoop();
   *   loop.slowCallbackDuration = 0.02;
   *   loop.onSlowCallback((step) => slow.push(step.task));
   *   await createTask(async () => {
   *     await sleep(0.001);
   *     for (const end = loop.time() + 0.03; loop.time() < end;); // works
   *   }, { name: "worker" });
   * }, { debug: true }); // which also warns
   * assertEquals(slow, ["worker"]);
   * ```
   */
  onSlowCallback(handler: (step: SlowStep) => void): () => void {
    checkPlain(handler, "watch slow callbacks");
    this.#slowHandlers.add(handler);
    this.#measure();
    return () => {
      this.#slowHandlers.delete(handler);
      this.#measure();
    };
  }

  /**
   * Says what there is on the loop and what each task waits for, as plain data that `JSON` takes.
   * Linear in what there is; nothing changes by it.
   *
   * @example What a task waits for
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { createTask, getRunningLoop, Queue, run, sleep } from "@gyre/asyncio";
   *
   * await run(async () => {
   *   const queue = new Queue({ maxSize: 5 });
   *   const worker = createTask(() => queue.get(), { name: "worker" });
   *   await sleep(0);
   *   const found = getRunningLoop().snapshot().tasks.find((task) => task.name === "worker");
   *   assertEquals(found?.waitsFor, ["queue.get of Queue (0 of 5)"]);
   *   worker.cancel();
   * });
   * ```
   */
  snapshot(): LoopSnapshot {
    return takeSnapshot(this, this.#driver);
  }

  /** Returns the handler set with {@linkcode setExceptionHandler}, or `null`. */
  getExceptionHandler(): ExceptionHandler | null {
    return this.#exceptionHandler;
  }

  /** Sets who receives errors that nobody else handles; `null` restores the default. */
  setExceptionHandler(handler: ExceptionHandler | null): void {
    if (handler !== null) checkRunsWhenCalled(handler, "set the exception handler");
    this.#exceptionHandler = handler;
  }

  /** Logs `context` with `console.error`. As `loop.default_exception_handler()`. */
  defaultExceptionHandler(context: ExceptionContext): void {
    const { message, exception, ...details } = context;
    const lines = [message || "Unhandled exception in event loop"];
    for (const key of Object.keys(details).sort()) {
      const value = (details as Record<string, unknown>)[key];
      lines.push(key === "sourceTraceback" ? `created\n${value}` : `${key}: ${tellApart(value)}`);
    }
    if (exception === undefined) console.error(lines.join("\n"));
    else logThrown(lines.join("\n") + "\n", exception);
  }

  /**
   * Hands `context` to the exception handler. As `loop.call_exception_handler()`.
   *
   * The handler sees the context variables of the task concerned, or of the callback.
   */
  callExceptionHandler(context: ExceptionContext): void {
    const failed = context.task ?? context.future;
    const variables = failed?.[inside.context] ?? null;
    this[inside.report](context, variables, failed?.[inside.engineContext]);
  }

  /**
   * @ignore As {@linkcode callExceptionHandler}; the handler runs in `variables` and in the foreign
   * context, if given.
   */
  [inside.report](
    context: ExceptionContext,
    variables: Context | null,
    engineContext?: EngineContext | null,
  ): void {
    if (engineContext === undefined) return this.#report(context, variables);
    runInEngineContext(engineContext, () => this.#report(context, variables));
  }

  #report(context: ExceptionContext, variables: Context | null): void {
    const origin = context.task ?? context.future ?? context.handle;
    const traceback = origin === undefined ? undefined : this.#origins.get(origin);
    if (traceback !== undefined) context.sourceTraceback ??= traceback;
    const handler = this.#exceptionHandler;
    if (handler === null) return this.#logException(context);
    try {
      const result: unknown = variables === null
        ? handler(this, context)
        : variables.run(handler, this, context);
      if (result instanceof Promise) result.catch((error) => this.#handlerFailed(error, context));
    } catch (error) {
      this.#handlerFailed(error, context);
    }
  }

  /**
   * @ignore Names those of `tasks()` that have not ended a few seconds from now, once, as `what`: nothing
   * else would say why a program stands still. Returns the timer, to be cancelled when they have.
   */
  [inside.expectEnd](what: string, tasks: () => Iterable<Task<unknown>>): TimerHandle {
    return this.callLater(PATIENCE, () => {
      const late = [...tasks()].filter((task) => !task.done());
      if (late.length > 0) console.error(`${what}: ${describeWaits(late)}`);
    });
  }

  /** How much the loop has done since it was created. */
  statistics(): LoopStatistics {
    return this.#driver.statistics();
  }

  /** @ignore The timers that are pending. */
  get [inside.timers](): TimerQueue {
    return this.#driver.timers;
  }

  /** @ignore Records where `object` is created, for reports in debug mode. */
  [inside.rememberOrigin](object: object): void {
    const lines = callersOf(object.constructor);
    if (lines.length === 0) return;
    const first = lines.findIndex((line) => !line.includes(OWN_FOLDER));
    this.#origins.set(object, lines.slice(Math.max(first, 0)).join("\n"));
  }

  /** @ignore Where `object` was created; `null` outside of debug mode. */
  [inside.originOf](object: object): string | null {
    return this.#origins.get(object) ?? null;
  }

  /** @ignore Notes that `task` waits where the caller of this is. */
  [inside.noteWait](task: object): void {
    const lines = callersOf(this[inside.noteWait]);
    const own = lines.find((line) => !OWN_LINE.test(line));
    if (own !== undefined) this.#places.set(task, own.trim().replace(/^at (async )?/, ""));
  }

  /** @ignore Where `task` waits; `null` outside of debug mode. */
  [inside.waitsAt](task: object): string | null {
    return this.#places.get(task) ?? null;
  }

  /** @ignore Throws unless the loop takes callbacks and `callback` is one. */
  [inside.checkCallback](callback: unknown, action: string): void {
    if (this.#closed) checkLoopOpen(this, `${action} a callback`);
    if (!isPlainFunction(callback)) checkRunsWhenCalled(callback, `${action} a callback`);
  }

  /** @ignore Adds `entry` to the ready queue, and wakes the loop if it waits. */
  [inside.enqueue](entry: Runnable): void {
    if (!this.#closed) this.#driver[inside.enqueue](entry);
  }

  /** @ignore Runs `entry` for an event of the host: at once if the loop waits, else in its turn. */
  [inside.enter](entry: Runnable): void {
    if (!this.#closed) this.#driver[inside.enter](entry);
  }

  /** @ignore Whether the loop waits, so that an event runs at once. */
  get [inside.isWaiting](): boolean {
    return this.#driver.waiting;
  }

  /** @ignore Sets what looks for events while the loop runs. */
  [inside.setPoller](poller: Poller | null): void {
    this.#driver.setPoller(poller);
  }

  static {
    showAsText(this);
  }

  /** Measures from now on, or no longer, as is asked for. */
  #measure(): void {
    const wanted = this.#debug || this.#measuring || this.#slowHandlers.size > 0;
    let meter: Meter | null = null;
    if (wanted) {
      meter = this[inside.meter] ?? new Meter(this, this.#driver, (step) => this.#noteSlow(step));
      meter.isExact = this.#debug || this.#slowHandlers.size > 0;
    }
    if (meter === this[inside.meter]) return;
    this[inside.meter]?.noteTime(this.time());
    this[inside.meter] = this[inside.tasks].meter = meter;
    this.#driver.setMeter(meter);
  }

  #noteSlow(step: SlowStep): void {
    if (this.#debug) {
      console.warn(`Executing ${step.what} took ${step.seconds.toFixed(3)} seconds`);
    }
    for (const handler of this.#slowHandlers) {
      try {
        handler(step);
      } catch (exception) {
        this.callExceptionHandler({
          message: "Exception in a handler of slow callbacks",
          exception,
        });
      }
    }
  }

  #createByFactory<T>(factory: TaskFactory, body: TaskBody<T>, options: TaskOptions): Task<T> {
    checkTaskBody(body);
    // A factory may write into its options: they are those of one call.
    const task: unknown = factory(this, body, { ...options });
    if (!(task instanceof Task)) {
      throw new TypeError(`Cannot create a task: the task factory gave ${describe(task)}`);
    }
    if ((task.getLoop() as EventLoop) !== this) {
      throw new InvalidStateError(
        "Cannot create a task: the task factory gave one that belongs to another loop",
      );
    }
    return task;
  }

  #addTimer(when: number, callback: Callback, args: readonly unknown[]): TimerHandle {
    this[inside.checkCallback](callback, "schedule");
    const timers = this.#driver.timers;
    const values = currentValues();
    const timer = new TimerHandle(
      this,
      when,
      this.#timerSequence++,
      callback,
      args,
      values,
      timers,
    );
    this.#driver.addTimer(timer);
    return timer;
  }

  /** As Python of a coroutine that was never awaited. */
  #warnOfForgotten(): void {
    for (const future of this[inside.notBegun]) {
      if (future.done()) continue;
      const origin = this[inside.originOf](future);
      const created = origin === null ? "" : `; it was created\n${origin}`;
      console.warn(`A ${inWords(future)} was never awaited, so that it has not begun${created}`);
    }
    this[inside.notBegun].clear();
  }

  #handlerFailed(exception: unknown, context: ExceptionContext): void {
    this.#logException({ message: "Unhandled error in exception handler", exception });
    this.#logException(context);
  }

  #logException(context: ExceptionContext): void {
    try {
      this.defaultExceptionHandler(context);
    } catch (error) {
      logThrown("Exception in default exception handler", error);
    }
  }

  #checkRunnable(): void {
    if (this.isClosed()) {
      throw new InvalidStateError("Cannot run the event loop: it is closed");
    }
    if (this.isRunning()) {
      throw new InvalidStateError("Cannot run the event loop: it is running already");
    }
  }
}

/** The stack above `callee`; none where `Error.prepareStackTrace` gives something else than a text. */
function callersOf(callee: Parameters<typeof Error.captureStackTrace>[1]): string[] {
  const holder: { stack?: unknown } = {};
  try {
    Error.captureStackTrace(holder, callee);
    return typeof holder.stack === "string" ? holder.stack.split("\n").slice(1) : [];
  } catch {
    // It throws.
    return [];
  }
}

/** Matches the lines of a stack that are in the package at `root`, or in no file of a user's. */
function ownLine(root: string): RegExp {
  const folders = "loop|transports|subprocess|executor|simulation|inspector";
  const escaped = root.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(
    `${escaped}(${folders})/|[( ](ext|node|native):|<anonymous>|\\(native|Promise\\.`,
  );
}

/** Says what `value` is: of what has a name of its own that, and where it stands. */
function tellApart(value: unknown): string {
  try {
    const isNamed = typeof value === "object" && value !== null && inside.inWords in value &&
      !(value instanceof Future);
    if (isNamed) return `${inWords(value)} ${describe(value)}`;
  } catch {
    // A proxy that throws when it is looked at.
  }
  return describe(value);
}

/** Logs `thrown` as the console shows it; by its text, if it cannot be shown. */
function logThrown(text: string, thrown: unknown): void {
  try {
    console.error(text, thrown);
  } catch {
    console.error(text, describeThrown(thrown));
  }
}

/** Returns the loop that current code runs on; `getRunningLoop()` for the layers below the root. */
export function runningEventLoop(): EventLoop {
  return requireLoop("get the running event loop");
}

/** Calls `work` as part of no task and no loop, whatever called. */
export function outsideOfLoops<R>(work: () => R): R {
  return outsideOfTasks(work);
}

/** Returns what calls functions in the context that code is in now, as part of no task and no loop. */
export function keepContext(): <R>(work: () => R) => R {
  const context = captureEngineContext();
  return (work) => isInEngineContext(context) ? work() : runInEngineContext(context, work);
}

/** Returns the loop that current code runs on, or `null`. */
export function findRunningLoop(): EventLoop | null {
  return runningLoop();
}

/**
 * Returns the task that current code is part of, or `null`. As `asyncio.current_task()`.
 *
 * @param loop Returns `null` unless the task belongs to it.
 * @category Tasks
 */
export function currentTask(loop?: EventLoop): Task<unknown> | null {
  const task = runningTask();
  return loop === undefined || task?.getLoop() === loop ? task : null;
}

/**
 * Returns the tasks of a loop that are not done, in the order of creation. As
 * `asyncio.all_tasks()`.
 *
 * @param loop Defaults to the running loop.
 * @category Tasks
 */
export function allTasks(loop: EventLoop = runningEventLoop()): Set<Task<unknown>> {
  return new Set(loop[inside.tasks]);
}

/**
 * Schedules `body` as a task of the running loop. As `asyncio.create_task()`.
 *
 * @param body A coroutine, or a function that returns a coroutine, a promise or a value.
 * @throws {InvalidStateError} If no loop is running here.
 *
 * @category Tasks
 *
 * @example Two things at once
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, run, sleep } from "@gyre/asyncio";
 *
 * const log: string[] = [];
 * await run(async () => {
 *   const slow = createTask(() => sleep(0.002, "slow"), { name: "slow" });
 *   const fast = createTask(() => sleep(0.001, "fast"));
 *   log.push(await fast, await slow);
 * });
 * assertEquals(log, ["fast", "slow"]);
 * ```
 */
export function createTask<T>(body: TaskBody<T>, options: TaskOptions = NO_OPTIONS): Task<T> {
  const loop = options === NO_OPTIONS ? undefined : options?.loop;
  if (loop === undefined) return runningEventLoop().createTask(body, options);
  checkOptions("create a task", options, TASK);
  return loop.createTask(body, options);
}
