/**
 * What runs on a loop by itself: a coroutine, or an async function.
 *
 * *Theory of operation.* A task is
 *
 * - *new* until its first step, which is an entry of the ready queue, or the constructor if it is
 *   eager. That step finds out what the body is;
 * - *a coroutine* that `_coroutine_future.ts` drives, from one future that it waits for to the next;
 * - *an async function*, which the engine drives. The loop sees its awaits only, and lists them in
 *   the scope that it runs in (`_cancel_scope.ts`);
 * - *done*, once the body has ended: it is off the loop's list, its scope is closed, and no
 *   cancellation reaches what still runs in there.
 *
 * What a function will give is known of generator functions only. So another one is called inside
 * of a scope; if it gives a coroutine, what the scope has kept becomes the coroutine's, and there
 * is no scope any more.
 *
 * A cancellation is counted and kept in one place: in the scope if there is one, else here. What
 * has not been thrown when the body returns makes the end a cancellation, as in asyncio.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { current, currentFrame } from "../scheduling/_current.ts";
import type { CancelOptions, CancelReason } from "./_cancel_reason.ts";
import { CancelScope } from "./_cancel_scope.ts";
import { CancelSignal } from "./_cancel_signal.ts";
import type { CancelEdge, Cancellable, CancelVerdict } from "./_cancel_walk.ts";
import type { CancelHost, CancelRoot } from "./_consumer.ts";
import { claim, CoroutineFuture, NOTHING } from "./_coroutine_future.ts";
import { isGeneratorFunction, refuseAsyncGenerator } from "../values/_function_kind.ts";
import { checkTaskBody } from "./_task_body.ts";
import { isCoroutine, isThenable } from "../values/is_coroutine.ts";
import { TASK } from "../values/_options.ts";
import { checkOptions } from "../values/check_options.ts";
import { cancellationIn } from "./_foreign_abort.ts";
import { followPath } from "./_own_path.ts";
import { checkContext, type Context, copyContext } from "../scheduling/context.ts";
import { InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { Future, type FutureOptions, settle } from "./future.ts";
import { nameOf } from "./_name_of.ts";
import type { TaskRecord } from "../inspection/task_record.ts";

/**
 * A coroutine: a generator that waits with `yield*`.
 *
 * @category Tasks
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

/**
 * What a task runs: a coroutine, or a function that returns one, a promise, or a value.
 *
 * @category Tasks
 */
export type TaskBody<T> = Coroutine<T> | (() => Coroutine<T> | PromiseLike<T> | T);

/**
 * Settings of a {@linkcode Task}.
 *
 * @category Tasks
 */
export interface TaskOptions {
  /** Name for messages; `Task-N` by default, and for `null`. Any other value becomes a string. */
  name?: unknown | undefined;
  /** Runs the first step at once, before the constructor returns. */
  eager?: boolean | undefined;
  /** The same as `eager`, as Python 3.14 calls it. */
  eagerStart?: boolean | undefined;
  /** The context variables of the task; a copy of the caller's by default. */
  context?: Context | undefined;
  /** Cancels the task when it aborts; the reason becomes the `cause` of the error. */
  signal?: AbortSignal | undefined;
  /** The loop to run on. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/** Whether `task` has begun, and what it is: that of a function is known once it has. */
export let kindOfTask: (task: Task<unknown>) => "new" | "coroutine" | "function";
/** The name of `task`, or the number that is in it: the text of that is made when it is asked for. */
export let nameInShort: (task: Task<unknown>) => string | number;

/** Returns the name of a task of which there is `name` in short. */
export function nameInFull(name: string | number): string {
  return typeof name === "number" ? `Task-${name}` : name;
}

/** Options that are checked, of the task that is created next. */
let checked: TaskOptions | null = null;
/** The loop of that task. */
let checkedFor: EventLoop | null = null;

/** Creates a task on `loop`, whose `options` are checked. */
export function createChecked<T>(
  loop: EventLoop,
  body: TaskBody<T>,
  options: TaskOptions,
): Task<T> {
  checked = options;
  checkedFor = loop;
  return new Task(body, options);
}

/** Those of the loop that is known, or else `options`, which are not checked. */
function optionsOfFuture(options: TaskOptions): FutureOptions {
  const loop = checkedFor;
  if (loop === null || options !== checked) return options;
  checked = checkedFor = null;
  return loop[inside.ownOptions];
}

/**
 * A coroutine or an async function that runs on a loop. As `asyncio.Task`.
 *
 * A coroutine is cancelled at the `yield*` where it waits, an async function at each `await` of
 * a future of this package. A foreign promise cannot be interrupted: {@linkcode signal} aborts,
 * and the error is thrown at the next await of a future.
 *
 * @category Tasks
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
export class Task<T> extends CoroutineFuture<T> {
  /** @ignore Links of the list that holds the tasks of the loop. */
  [inside.previousTask]: Task<unknown> | null = null;
  /** @ignore See {@linkcode inside.previousTask}. */
  [inside.nextTask]: Task<unknown> | null = null;
  /** @ignore What was measured of it, if anything was; at first, the task that has created it. */
  [inside.record]: TaskRecord | Task<unknown> | null = null;
  /** What runs; a function becomes a coroutine, or a promise and a scope, at the first step. */
  #body: TaskBody<T> | null;
  /** Cancellations of an async function go through it; `null` in a coroutine. */
  #scope: CancelScope | null = null;
  #name: string | number;
  readonly #context: Context;
  /** What {@linkcode signal} gives, once it was read. */
  #signal: CancelSignal | null = null;

  /** Creates the task and schedules its first step; `createTask()` is the usual way. */
  constructor(body: TaskBody<T>, options: TaskOptions = {}) {
    const own = optionsOfFuture(options);
    super(own);
    checkTaskBody(body);
    const loop = this.getLoop();
    const hasOptions = options !== loop[inside.ownOptions];
    if (hasOptions && options === own) checkOptions("create a task", options, TASK);
    if (typeof body !== "function") claim(body);
    this.#body = body;
    this.#name = hasOptions && options.name !== undefined && options.name !== null
      ? String(options.name)
      : loop[inside.tasks].takeNumber();
    const context = hasOptions ? options.context ?? null : null;
    this.#context = context === null ? copyContext() : checkContext("create a task", context);
    this.keepEngineContext();
    // What is not one throws here, and the task must not be listed then.
    if (hasOptions && options.signal !== undefined) this.#follow(options.signal);
    loop[inside.tasks].add(this);
    if (hasOptions && (options.eager === true || options.eagerStart === true)) this.#startEagerly();
    else loop[inside.enqueue](this);
  }

  /** The kind of promise, for `Object.prototype.toString`. */
  override get [Symbol.toStringTag](): string {
    return "Task";
  }

  /** Returns the name. */
  getName(): string {
    return nameInFull(this.#name);
  }

  /** Sets the name; any value becomes a string. */
  setName(name: unknown): void {
    this.#name = String(name);
  }

  /** Returns the coroutine, or `null` for an async function and once the task is done. */
  getCoroutine(): Coroutine<T> | null {
    if (this._coroutine !== null) return this._coroutine;
    return typeof this.#body === "function" ? null : this.#body;
  }

  /** @ignore */
  override [inside.inWords](): string {
    return `task ${JSON.stringify(this.getName())}`;
  }

  /** @ignore */
  override get [inside.context](): Context {
    return this.#context;
  }

  /** Returns the context that the task runs in. */
  getContext(): Context {
    return this.#context;
  }

  /** Returns what the task waits for: one future, several in an async function, or none. */
  awaiting(): Future<unknown>[] {
    return this.#scope === null ? super[inside.awaited]() : this.#scope[inside.awaited]();
  }

  /**
   * Aborts as soon as the task is asked to cancel. For `fetch` and other foreign promises. Read
   * inside of `timeout()` or `taskGroup()` in an async function, it aborts as soon as those are.
   */
  get signal(): AbortSignal {
    const frame = currentFrame();
    const scope = frame?.task === this ? frame.scope : null;
    if (scope !== null && scope !== this.#scope) return scope.signal;
    scope?.noteSignal();
    return (this.#signal ??= new CancelSignal()).read(this.#host);
  }

  /**
   * Asks the task to end: `CancelledError` is thrown where it waits. It may clean up first, and
   * may refuse by catching the error.
   *
   * @param message The message of the error.
   * @param options Additional options.
   * @returns Whether the task was still running.
   */
  override cancel(message?: string, options?: CancelOptions): boolean {
    return super.cancel(message, options);
  }

  /** How many cancellations were asked for and not taken back. */
  override cancelling(): number {
    return this.#scope === null ? super.cancelling() : this.#currentPart(this.#scope).cancelling();
  }

  /** Takes one cancellation back, after the error was caught on purpose. Returns how many are left. */
  override uncancel(): number {
    if (this.#scope === null) return super.uncancel();
    const part = this.#currentPart(this.#scope);
    return part instanceof CancelScope ? part.uncancelAll() : part.uncancel();
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
  override get [inside.task](): Task<unknown> {
    return this as Task<unknown>;
  }

  /** @ignore */
  override [inside.dueCount](): number {
    return this.#scope === null ? super[inside.dueCount]() : this.#scope[inside.dueCount]();
  }

  /** @ignore */
  override [inside.forget](reason: CancelReason): void {
    super[inside.forget](reason);
    this.#scope?.[inside.forget](reason);
  }

  /** @ignore */
  override [inside.awaited](): Future<unknown>[] {
    return this.awaiting();
  }

  /** @ignore */
  override [inside.root](): CancelRoot {
    return this;
  }

  /** @ignore */
  override [inside.passCancel](
    reason: CancelReason,
    routed: boolean,
  ): CancelVerdict | readonly CancelEdge[] {
    if (this.done()) return super[inside.passCancel](reason, routed);
    const scope = this.#scope;
    // Counted first: a listener may ask how many there are. It tells before the walk goes on.
    if (scope === null) this._cancelCount += 1;
    const told = this.#signal?.abort(reason) === true;
    if (scope !== null) return scope.passCancel(reason, told);
    const passed = this.passToWaiter();
    return passed === "missed" ? this[inside.endCancel](passed, reason) : passed;
  }

  /** @ignore */
  override [inside.endCancel](verdict: CancelVerdict, reason: CancelReason): CancelVerdict {
    // A task is asked itself, and keeps what missed.
    return this.#scope === null ? super[inside.endCancel](verdict, reason, false) : "interrupted";
  }

  /** @ignore */
  override get [inside.cancelReason](): CancelReason | undefined {
    if (this.cancelled()) return super[inside.cancelReason];
    return this.#scope === null ? this._due?.last : this.#scope[inside.cancelReason];
  }

  /** @ignore */
  override [inside.takeCancel](): CancelReason | null {
    return this._due?.take() ?? this.#scope?.[inside.takeCancel]() ?? null;
  }

  /** @ignore */
  override [inside.spendCancel](awaited: Cancellable): void {
    this._due?.spendOn(awaited, this);
  }

  /** Who counts the cancellations of the whole task. */
  get #host(): CancelHost & { readonly [inside.cancelReason]: CancelReason | undefined } {
    return this.#scope ?? this;
  }

  /** The operation or scope that the calling function is in; the root scope for other callers. */
  #currentPart(root: CancelScope): CancelHost {
    if (current.operation?.[inside.task] === this) return current.operation;
    const frame = currentFrame();
    return frame?.task === this && frame.scope !== null ? frame.scope : root;
  }

  /** The body gives a coroutine: a cancellation that it asked for before is the coroutine's. */
  #dropScope(scope: CancelScope): void {
    const due = scope[inside.takeCancel]();
    this._cancelCount = scope.cancelling();
    if (due !== null) this.keepDue(due);
    this.#scope = null;
  }

  #follow(signal: AbortSignal): void {
    const onAbort = (): void => void this.cancel(undefined, { cause: signal.reason });
    if (signal.aborted) onAbort();
    else {
      signal.addEventListener("abort", onAbort, { once: true });
      this.addDoneCallback(() => signal.removeEventListener("abort", onAbort));
    }
  }

  #startEagerly(): void {
    const { loop, task, context } = current;
    current.loop = this.getLoop();
    try {
      this[inside.run]();
    } finally {
      current.loop = loop;
      current.task = task;
      current.context = context;
    }
  }

  /** @ignore */
  protected override step(thrown: unknown): void {
    if (this._coroutine === null) return this.#start(thrown);
    const outer = current.task;
    current.task = this as Task<unknown>;
    current.context = this.#context;
    let result: IteratorResult<unknown, T>;
    try {
      result = this.advance(thrown);
    } catch (error) {
      current.task = outer;
      return this.fail(error);
    }
    current.task = outer;
    this.proceed(result);
  }

  /** @ignore */
  protected override end(state: "finished" | "failed" | "cancelled", value: unknown): void {
    const due = state === "finished" ? this[inside.takeCancel]() : null;
    this.getLoop()[inside.tasks].end(this, due === null ? state : "cancelled", value);
    this.#scope?.close();
    this._coroutine = null;
    this.#body = null;
    if (due === null) settle(this, state, value);
    else settle(this, "cancelled", due);
  }

  /** The first step: finds out what the body is. */
  #start(thrown: unknown): void {
    const body = this.#body as TaskBody<T>;
    this.#body = null;
    if (typeof body !== "function") {
      this._coroutine = body;
      return this.step(thrown);
    }
    if (thrown !== NOTHING) return this.fail(thrown);
    if (isGeneratorFunction(body)) return this.#startGenerator(body as () => Coroutine<T>);
    const scope = new CancelScope(this, this.#context);
    try {
      const value = this.#call(body, scope);
      const coroutine = coroutineIn(value);
      if (coroutine !== null) {
        this._coroutine = coroutine as Coroutine<T>;
        this.#dropScope(scope);
      } else if (isThenable(value)) return this.#settleWith(value as PromiseLike<T>);
      else return this.end("finished", value);
    } catch (error) {
      // The body, or what it gave when it was looked at.
      return this.fail(error);
    }
    this.step(NOTHING);
  }

  #startGenerator(body: () => Coroutine<T>): void {
    try {
      this._coroutine = this.#call(body, null) as Coroutine<T>;
    } catch (error) {
      return this.fail(error);
    }
    this.step(NOTHING);
  }

  /** Calls the body function as this task. */
  #call(body: () => unknown, scope: CancelScope | null): unknown {
    const outer = current.task;
    current.task = this;
    current.context = this.#context;
    this.#scope = scope;
    try {
      return this.call(body, scope);
    } finally {
      current.task = outer;
    }
  }

  static {
    kindOfTask = (task) =>
      task.#body !== null ? "new" : task.#scope === null ? "coroutine" : "function";
    nameInShort = (task) => task.#name;
  }

  /** Ends as the promise of an async function does. */
  #settleWith(promise: PromiseLike<T>): void {
    current.resumedAsyncFunction = true;
    const scope = this.#scope as CancelScope;
    followPath(
      asPromise(promise),
      (value) => this.end("finished", value),
      (error) => this.fail(cancellationIn(error, scope, this.#signal) ?? error),
    );
  }
}

/** `await` passes over the `then` that a promise has been given; `return` of it would not. */
function asPromise<T>(promise: PromiseLike<T>): PromiseLike<T> {
  return promise.then === Promise.prototype.then
    ? promise
    : new Promise((resolve) => resolve(promise));
}

/**
 * The coroutine that `value` is, to be run now, or that waits for it if it is a future; `null` for
 * others.
 *
 * @throws {InvalidStateError} If it was run before.
 */
export function coroutineIn(value: unknown): Coroutine<unknown> | null {
  if (value instanceof Future) return value[Symbol.iterator]() as Coroutine<unknown>;
  refuseAsyncGenerator(value);
  if (!isCoroutine(value)) return null;
  claim(value);
  return value;
}
