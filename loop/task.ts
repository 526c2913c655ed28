import { ambient, flows } from "./_ambient.ts";
import { CancelScope } from "./_cancel_scope.ts";
import { createCancelledError } from "./_cancelled_error.ts";
import type { CancelRoot, CoroutineHost, Interruptible } from "./_consumer.ts";
import { describe } from "./_describe.ts";
import { TASK } from "./_options.ts";
import { checkOptions } from "./check_options.ts";
import { type Context, copyContext } from "./context.ts";
import { CancelledError, InvalidStateError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import { endedCancelled, Future, markSeen, nameOf, removeWaiter, settle } from "./future.ts";

/**
 * A coroutine: a generator that waits with `yield*`.
 *
 * @example Waiting in a coroutine
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type Coroutine, run, sleep } from "@gyre/asyncio";
 *
 * function* double(value: number): Coroutine<number> {
 *   yield* sleep(0.001);
 *   return value * 2;
 * }
 * assertEquals(await run(() => double(21)), 42);
 * ```
 */
export type Coroutine<T> = Generator<unknown, T, unknown>;

/** What a task runs: a coroutine, or a function that returns one, a promise, or a value. */
export type TaskBody<T> = Coroutine<T> | (() => Coroutine<T> | PromiseLike<T> | T);

/** Settings of a {@linkcode Task}. */
export interface TaskOptions {
  /** Name for messages; `Task-N` by default. Any value becomes a string. */
  name?: unknown | undefined;
  /** Runs the first step at once, before the constructor returns. As `eager_start`. */
  eager?: boolean | undefined;
  /** The context variables of the task; a copy of the caller's by default. */
  context?: Context | undefined;
  /** Cancels the task when it aborts. */
  signal?: AbortSignal | undefined;
  /** The loop to run on. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/** Not an error: the step has none to throw. */
const NOTHING: unique symbol = Symbol("nothing");

/**
 * A coroutine or an async function that runs on a loop. As `asyncio.Task`.
 *
 * A coroutine is cancelled at the `yield*` where it waits, an async function at each `await` of
 * a future of this package. A foreign promise cannot be interrupted: {@linkcode signal} aborts,
 * and the error is thrown at the next await of a future.
 *
 * @example Cancelling an async function
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, run, sleep } from "@gyre/asyncio";
 *
 * const log: string[] = [];
 * await run(async () => {
 *   const task = createTask(async () => {
 *     try {
 *       await sleep(3600);
 *     } finally {
 *       log.push("cleaned up");
 *     }
 *   });
 *   await sleep(0);
 *   task.cancel();
 *   await task.catch(() => log.push("cancelled"));
 * });
 * assertEquals(log, ["cleaned up", "cancelled"]);
 * ```
 */
export class Task<T> extends Future<T> {
  /** @ignore Links of the list that holds the tasks of the loop. */
  _previousTask: Task<unknown> | null = null;
  /** @ignore See {@linkcode _previousTask}. */
  _nextTask: Task<unknown> | null = null;
  /** What runs; a function becomes a coroutine, or a promise and a scope, at the first step. */
  #body: TaskBody<T> | null;
  #coroutine: Coroutine<T> | null = null;
  /** Cancellations of an async function go through it; `null` in a coroutine. */
  #scope: CancelScope | null = null;
  /** What the coroutine waits for. */
  #waiter: Future<unknown> | null = null;
  /** What the next step throws into the coroutine. */
  #thrown: unknown = NOTHING;
  #cancelDue = false;
  /** The message of the last cancellation that found nothing to interrupt; kept once it is spent. */
  #message: string | undefined = undefined;
  /** Cancellations asked for and not taken back. */
  #cancelling = 0;
  #beingCancelled = false;
  #name: string | number;
  readonly #context: Context;
  #controller: AbortController | null = null;

  /** Creates the task and schedules its first step; `createTask()` is the usual way. */
  constructor(body: TaskBody<T>, options: TaskOptions = {}) {
    super(options);
    if (!isCoroutine(body) && typeof body !== "function") {
      throw new TypeError(
        `Cannot create a task: expected a coroutine or a function, got ${describe(body)}`,
      );
    }
    const loop = this.getLoop();
    if (options !== loop._ownOptions) checkOptions("create a task", options, TASK);
    this.#body = body;
    this.#name = options.name === undefined ? loop.tasks.takeNumber() : String(options.name);
    this.#context = options.context ?? copyContext();
    loop.tasks.add(this);
    if (options.signal !== undefined) this.#follow(options.signal);
    if (options.eager === true) this.#startEagerly();
    else loop.enqueue(this);
  }

  /** The kind of promise, for `Object.prototype.toString`. */
  override get [Symbol.toStringTag](): string {
    return "Task";
  }

  /** Returns the name. */
  getName(): string {
    return typeof this.#name === "number" ? `Task-${this.#name}` : this.#name;
  }

  /** Sets the name; any value becomes a string. */
  setName(name: unknown): void {
    this.#name = String(name);
  }

  /** Returns the coroutine, or `null` for an async function and once the task is done. */
  getCoroutine(): Coroutine<T> | null {
    return this.#coroutine ?? (isCoroutine(this.#body) ? this.#body as Coroutine<T> : null);
  }

  /** Returns the context that the task runs in. */
  getContext(): Context {
    return this.#context;
  }

  /** Returns what the task waits for: one future, several in an async function, or none. */
  awaiting(): Future<unknown>[] {
    if (this.#waiter !== null) return [this.#waiter];
    return this.#scope?.awaited() ?? [];
  }

  /** Aborts as soon as the task is asked to cancel. For `fetch` and other foreign promises. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    // Whoever reads it late must not find less than who read it early.
    if ((this.#scope ?? this).cancelling() > 0) {
      this.#controller.abort(createCancelledError(this.#message));
    }
    const { signal } = this.#controller;
    const flow = flows.getStore();
    if (flow?.task === this) flow.scope?.noteSignal(signal);
    return signal;
  }

  /**
   * Asks the task to end: `CancelledError` is thrown where it waits. It may clean up first, and
   * may refuse by catching the error.
   *
   * @param message The message of the error.
   * @returns Whether the task was still running.
   */
  override cancel(message?: string): boolean {
    if (this.done()) return super.cancel();
    // Of tasks that wait for tasks only the last is interrupted. A walk, as they may be many.
    const chain: Task<unknown>[] = [];
    let next: Task<unknown> | null = this as Task<unknown>;
    while (next !== null) {
      chain.push(next);
      next.#noteCancel(message);
      next = next.#awaitedTask();
    }
    try {
      (chain.at(-1) as Task<unknown>).#deliverCancel(message);
    } finally {
      for (const task of chain) task.#beingCancelled = false;
    }
    return true;
  }

  /** How many cancellations were asked for and not taken back. */
  cancelling(): number {
    return this.#scope === null ? this.#cancelling : this.#currentPart(this.#scope).cancelling();
  }

  /** Takes one cancellation back, after the error was caught on purpose. Returns how many are left. */
  uncancel(): number {
    if (this.#scope !== null) {
      const part = this.#currentPart(this.#scope);
      return part instanceof CancelScope ? part.uncancelAll() : part.uncancel();
    }
    if (this.#cancelling > 0) {
      this.#cancelling -= 1;
      if (this.#cancelling === 0) this.#cancelDue = false;
    }
    return this.#cancelling;
  }

  /**
   * Not for tasks: their result is what the body returns.
   *
   * @throws {InvalidStateError} Always.
   */
  override setResult(_result: T): never {
    throw new InvalidStateError(`Cannot set the result of ${nameOf(this)}: its body gives it`);
  }

  /**
   * Not for tasks: their error is what the body throws.
   *
   * @throws {InvalidStateError} Always.
   */
  override setException(_exception: unknown): never {
    throw new InvalidStateError(`Cannot set the exception of ${nameOf(this)}: its body gives it`);
  }

  /** @ignore */
  get _task(): Task<unknown> {
    return this as Task<unknown>;
  }

  /** @ignore */
  recancel(message?: string): void {
    this.#cancelDue = true;
    this.#message = message;
  }

  /** @ignore A step that the loop drives: the first one, or after a bare future. */
  _run(): void {
    if (this.done()) return;
    const waiter = this.#waiter;
    this.#waiter = null;
    let thrown = this.#thrown;
    this.#thrown = NOTHING;
    if (this.#cancelDue) {
      const error = this.takeCancel();
      // What ended in a cancellation itself throws its own error.
      if (waiter === null || !endedCancelled(waiter)) {
        if (waiter !== null) markSeen(waiter);
        thrown = error;
      }
    }
    if (this.#coroutine === null) this.#start(thrown);
    else this.#step(this.#coroutine, thrown);
  }

  /** @ignore An operation has completed. */
  _resume(): void {
    this.#waiter = null;
    this.#step(this.#coroutine as Coroutine<T>, NOTHING);
  }

  /** @ignore */
  override _awaited(): Future<unknown>[] {
    return this.awaiting();
  }

  /** @ignore */
  _root(): CancelRoot {
    return this;
  }

  /** @ignore */
  override get _circular(): boolean {
    return this.#beingCancelled;
  }

  /** @ignore */
  override get _cancelMessage(): string | undefined {
    if (this.cancelled()) return super._cancelMessage;
    return this.#scope === null ? this.#message : this.#scope.message;
  }

  /** @ignore */
  takeCancel(): CancelledError | null {
    if (!this.#cancelDue) return this.#scope?.takeCancel() ?? null;
    this.#cancelDue = false;
    return createCancelledError(this.#message, this.getLoop().getDebug());
  }

  /** @ignore */
  spendCancel(awaited: Interruptible): void {
    if (this.#cancelDue && awaited._interrupt(this.#message)) this.#cancelDue = false;
  }

  /** The task that this one waits for, if a cancellation goes on to it. */
  #awaitedTask(): Task<unknown> | null {
    const waiter = this.#waiter;
    return waiter instanceof Task && !waiter.done() && !waiter.#beingCancelled ? waiter : null;
  }

  #noteCancel(message: string | undefined): void {
    this.#beingCancelled = true;
    if (this.#scope === null) this.#cancelling += 1;
    this.#controller?.abort(createCancelledError(message));
  }

  #deliverCancel(message: string | undefined): void {
    if (this.#scope !== null) this.#scope.cancel(message);
    else if (!this.#interruptWaiter(message)) {
      this.#cancelDue = true;
      this.#message = message;
    }
  }

  #interruptWaiter(message: string | undefined): boolean {
    const waiter = this.#waiter;
    if (waiter === null) return false;
    if (!waiter._circular) return waiter._interrupt(message);
    // Tasks that wait for each other in a circle: this one gets its error without waiting.
    removeWaiter(waiter, this);
    this.#waiter = null;
    this.getLoop().enqueue(this);
    return false;
  }

  /** The operation or scope that the calling function is in; the root scope for other callers. */
  #currentPart(root: CancelScope): CancelScope | CoroutineHost {
    if (ambient.operation?._task === this) return ambient.operation;
    const flow = flows.getStore();
    return flow?.task === this && flow.scope !== null ? flow.scope : root;
  }

  /** The body gives a coroutine: a cancellation that it asked for before is the coroutine's. */
  #dropScope(scope: CancelScope): void {
    const due = scope.takeCancel();
    this.#cancelling = scope.cancelling();
    this.#cancelDue = due !== null;
    if (due !== null) this.#message = due.message === "" ? undefined : due.message;
    this.#scope = null;
  }

  #follow(signal: AbortSignal): void {
    const onAbort = (): void => void this.cancel();
    if (signal.aborted) this.cancel();
    else {
      signal.addEventListener("abort", onAbort, { once: true });
      this.addDoneCallback(() => signal.removeEventListener("abort", onAbort));
    }
  }

  #startEagerly(): void {
    const { loop, task, context } = ambient;
    ambient.loop = this.getLoop();
    try {
      this._run();
    } finally {
      ambient.loop = loop;
      ambient.task = task;
      ambient.context = context;
    }
  }

  /** The first step: finds out what the body is. */
  #start(thrown: unknown): void {
    const body = this.#body as TaskBody<T>;
    this.#body = null;
    if (typeof body !== "function") {
      this.#coroutine = body;
      return this.#step(body, thrown);
    }
    if (thrown !== NOTHING) return this.#fail(thrown);
    const scope = isGeneratorFunction(body) ? null : new CancelScope(this, this.#context);
    const value = this.#call(body, scope);
    if (value === NOTHING) return;
    const coroutine = value instanceof Future ? value[Symbol.iterator]() : value;
    if (isCoroutine(coroutine)) {
      this.#coroutine = coroutine as Coroutine<T>;
      if (scope !== null) this.#dropScope(scope);
      return this.#step(this.#coroutine, NOTHING);
    }
    if (isThenable(value)) this.#settleWith(value as PromiseLike<T>);
    else this.#return(value as T);
  }

  /** Calls the body function as this task. Returns `NOTHING` if it threw. */
  #call(body: () => unknown, scope: CancelScope | null): unknown {
    const outer = ambient.task;
    ambient.task = this;
    ambient.context = this.#context;
    this.#scope = scope;
    try {
      return scope === null ? body() : scope.run(body);
    } catch (error) {
      this.#fail(error);
      return NOTHING;
    } finally {
      ambient.task = outer;
    }
  }

  /** Ends as the promise of an async function does. */
  #settleWith(promise: PromiseLike<T>): void {
    ambient.resumedAsyncFunction = true;
    // A thenable that is no native promise may throw; this calls it in a microtask of its own.
    Promise.resolve(promise)
      .then((value) => this.#return(value), (error) => this.#failFunction(error));
  }

  /** Runs the coroutine to where it waits next. */
  #step(coroutine: Coroutine<T>, thrown: unknown): void {
    const outer = ambient.task;
    ambient.task = this as Task<unknown>;
    ambient.context = this.#context;
    let result: IteratorResult<unknown, T>;
    try {
      result = thrown === NOTHING ? coroutine.next() : coroutine.throw(thrown);
    } catch (error) {
      ambient.task = outer;
      return this.#fail(error);
    }
    ambient.task = outer;
    if (result.done === true) this.#return(result.value);
    else this.#suspend(result.value);
  }

  #suspend(awaited: unknown): void {
    if (awaited instanceof Future && awaited.getLoop() === this.getLoop() && awaited !== this) {
      this.#waiter = awaited;
      awaited._subscribe(this);
      if (this.#cancelDue) this.spendCancel(awaited);
      return;
    }
    if (awaited !== undefined) this.#thrown = this.#cannotWaitFor(awaited);
    this.getLoop().enqueue(this);
  }

  #cannotWaitFor(awaited: unknown): Error {
    const name = nameOf(this);
    if (awaited === this) return new InvalidStateError(`Cannot wait in ${name}: it awaits itself`);
    if (awaited instanceof Future) {
      return new InvalidStateError(
        `Cannot wait in ${name}: the future belongs to another loop`,
      );
    }
    return new TypeError(
      `Cannot wait in ${name}: expected a yielded future, got ${describe(awaited)}`,
    );
  }

  #return(value: T): void {
    const due = this.takeCancel();
    if (due === null) this.#end("finished", value);
    else this.#end("cancelled", due.message === "" ? undefined : due.message);
  }

  #fail(error: unknown): void {
    this.#end(error instanceof CancelledError ? "cancelled" : "failed", error);
  }

  /** `Promise.any` over cancelled futures wraps their errors; that is a cancellation still. */
  #failFunction(error: unknown): void {
    const cancelled = this.cancelling() > 0 && error instanceof AggregateError &&
      error.errors.length > 0 && error.errors.every((each) => each instanceof CancelledError);
    this.#fail(cancelled ? error.errors[0] : error);
  }

  #end(state: "finished" | "failed" | "cancelled", value: unknown): void {
    this.getLoop().tasks.delete(this);
    this.#scope?.close();
    this.#coroutine = this.#body = null;
    settle(this, state, value);
  }
}

/** Whether `value` is a coroutine object, that is, a generator. As `asyncio.iscoroutine()`. */
export function isCoroutine(value: unknown): value is Coroutine<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as Coroutine<unknown>).next === "function" &&
    typeof (value as Coroutine<unknown>).throw === "function" &&
    typeof (value as Coroutine<unknown>)[Symbol.iterator] === "function";
}

const GeneratorFunctionPrototype = Object.getPrototypeOf(function* () {});

/** Whether calling `fn` surely gives a coroutine, and so needs no scope. */
export function isGeneratorFunction(fn: object): boolean {
  return Object.getPrototypeOf(fn) === GeneratorFunctionPrototype;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}
