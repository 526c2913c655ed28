/**
 * A value that comes later, and who is told of it.
 *
 * *Theory of operation.* A future is `pending` until it is settled, once. Its owner settles it: who
 * has created a bare one by `setResult()`, `setException()` and `cancel()`; a subclass by `settle`,
 * when its work has ended. To settle runs nobody's code: each waiter is put into the ready queue.
 *
 * The waiters are done callbacks and {@linkcode Consumer}s: tasks, operations and awaits. They stand
 * in one list, as asyncio tells them in the order in which they came, whatever they are. Most
 * futures have one, so there is a set only from the second on; it takes one out in constant time.
 *
 * There are four ways to wait, and all of them end in that list: `yield*` (`_future_iterator.ts`),
 * an `await`, by which the engine calls `then()` with functions of its own (`_native_await.ts`), a
 * promise that `then()` gives to its other callers, and a done callback. Operations and what begins
 * with its first consumer override {@linkcode inside.subscribe} and {@linkcode inside.awaitIn}.
 *
 * An error waits for somebody to look: `result()`, `exception()`, an await, or `cancel()` forgets
 * it; else it is reported. Who is taken out of the list leaves one behind that looks, as nobody
 * else may.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { Step } from "../scheduling/step.ts";
import type { EngineContext } from "../scheduling/_deno_engine_context.ts";
import { current, currentFrame, requireLoop } from "../scheduling/_current.ts";
import { refuseToBeHeld } from "./_not_held.ts";
import { isEngineFunction, NativeAwait } from "./_native_await.ts";
import { type CancelOptions, CancelReason } from "./_cancel_reason.ts";
import { type CancelEdge, type CancelVerdict, walkCancel } from "./_cancel_walk.ts";
import type { Consumer, Reject, Resolve } from "./_consumer.ts";
import { FutureIterator } from "./_future_iterator.ts";
import { futureText } from "./_future_text.ts";
import { LatePromise } from "./_late_promise.ts";
import type { CancelScope } from "./_cancel_scope.ts";
import { CANCEL, FUTURE } from "../values/_options.ts";
import type { Runnable } from "../scheduling/_runnable.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { checkOptions } from "../values/check_options.ts";
import type { Context } from "../scheduling/context.ts";
import { nameOf } from "./_name_of.ts";
import { CancelledError, InvalidStateError } from "../errors/errors.ts";
import type { DenoEventLoop } from "../deno_event_loop.ts";
import type { EventLoop } from "../event_loop.ts";
import { type Callback, callbackOf, Handle } from "../scheduling/handle.ts";

/** Where a future stands. Every state but `pending` is final. */
export type FutureState = "pending" | "finished" | "failed" | "cancelled";

/** Ends `future`, which must be pending, in `state`. */
export let settle: (future: Future<unknown>, state: FutureState, value: unknown) => void;
/** Adds an entry of the ready queue that runs once `future` is done. */
export let addWaiter: (future: Future<unknown>, waiter: Runnable) => void;
/** Removes `waiter` in constant time. */
export let removeWaiter: (future: Future<unknown>, waiter: Runnable) => void;
/** Returns where `future` stands. */
let stateOf: (future: Future<unknown>) => FutureState;
/** The error of `future`, if any, is dealt with and needs no report. */
export let forgetError: (future: Future<unknown>) => void;
/** Takes the outcome of `future`, which must be done. */
export let takeOutcome: (future: Future<unknown>) => Outcome;
/** The error that `future` has failed with, if it has; nobody counts as having looked at it. */
export let failureOf: (future: Future<unknown>) => unknown;
/** Who is told once `future` is done; without the first consumer of an operation. */
export let peekWaiters: (future: Future<unknown>) => Runnable | ReadonlySet<Runnable> | null;
/** Whether who waits for `future` gets a `CancelledError` from it. */
export let endedCancelled: (future: Future<unknown>) => boolean;

/**
 * A value that comes later. As `asyncio.Future`.
 *
 * It can be awaited (`await future`), delegated to in a coroutine (`yield* future`), cancelled,
 * and passed wherever a promise goes. Callbacks and waiting tasks are told through the loop, in
 * the order in which they came, never from inside `setResult()`.
 *
 * An error that nobody looks at is reported to the exception handler of the loop, once.
 *
 * @category Tasks
 *
 * @example Handing over a value
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, run } from "@gyre/asyncio";
 *
 * const value = await run(async () => {
 *   const loop = getRunningLoop();
 *   const future = loop.createFuture<string>();
 *   loop.callSoon(() => future.setResult("done"));
 *   return await future;
 * });
 * assertEquals(value, "done");
 * ```
 */
export class Future<T> implements Promise<T> {
  // Plain names and no initializers, for speed: see "Insides" in CONTRIBUTING.md.
  declare private readonly _loop: EventLoop;
  declare private _state: FutureState;
  /** The result; the error; for a cancelled future its error until it was given, or the reason. */
  declare private _value: unknown;
  declare private _waiters: Runnable | Set<Runnable> | null;
  /** Whether an error waits for somebody to look at it. */
  declare private _isUnretrieved: boolean;

  /** Creates a pending future; `loop.createFuture()` is the usual way. */
  constructor(options: FutureOptions = {}) {
    const loop = options?.loop ?? requireLoop("create a future");
    if (options !== loop[inside.ownOptions] && new.target === Future) {
      checkOptions("create a future", options, FUTURE);
    }
    this._loop = loop;
    this._state = "pending";
    this._value = undefined;
    this._waiters = null;
    this._isUnretrieved = false;
    if (loop.getDebug()) loop[inside.rememberOrigin](this);
  }

  /** The kind of promise, for `Object.prototype.toString`. */
  get [Symbol.toStringTag](): string {
    return "Future";
  }

  /** Says what it is and where it stands, as `repr()`: `<Task pending name="main">`. */
  toString(): string {
    return futureText(this, this._state, this._value, asFuture(this._value));
  }

  /**
   * Returns the loop that the future belongs to. As for `getRunningLoop()` it is a `DenoEventLoop`
   * unless you run a bare {@linkcode EventLoop} of your own.
   */
  getLoop(): DenoEventLoop {
    return this._loop as DenoEventLoop;
  }

  /** Whether a result, an error or a cancellation has arrived. */
  done(): boolean {
    return this._state !== "pending";
  }

  /** Whether the future was cancelled. */
  cancelled(): boolean {
    return this._state === "cancelled";
  }

  /**
   * Returns the result.
   *
   * @throws {InvalidStateError} If it is still pending.
   * @throws {CancelledError} If it was cancelled. Its own error, when the future failed.
   */
  result(): T {
    switch (this._state) {
      case "finished":
        return this._value as T;
      case "failed":
        this._forgetError();
        throw this._value;
      case "cancelled":
        throw this._takeCancelledError();
      case "pending":
        throw new InvalidStateError(`Cannot read the result of ${nameOf(this)}: it is pending`);
    }
  }

  /**
   * Returns the error, `null` when there is none.
   *
   * @throws {InvalidStateError} If it is still pending.
   * @throws {CancelledError} If it was cancelled.
   */
  exception(): unknown {
    switch (this._state) {
      case "finished":
        return null;
      case "failed":
        this._forgetError();
        return this._value;
      case "cancelled":
        throw this._takeCancelledError();
      case "pending":
        throw new InvalidStateError(`Cannot read the exception of ${nameOf(this)}: it is pending`);
    }
  }

  /**
   * Finishes the future with `result`.
   *
   * @throws {InvalidStateError} If it is done already.
   */
  setResult(result: T): void {
    if (this._state !== "pending") throw alreadyDone(this, "set the result");
    this._settle("finished", result);
  }

  /**
   * Finishes the future with an error. Of a class of errors it is a new one, as in asyncio.
   *
   * @throws {InvalidStateError} If it is done already.
   */
  setException(exception: unknown): void {
    if (this._state !== "pending") throw alreadyDone(this, "set the exception");
    this._settle("failed", isErrorClass(exception) ? new exception() : exception);
  }

  /**
   * Cancels the future: who waits for it gets a `CancelledError`. The error of a failed one
   * counts as looked at.
   *
   * @param message The message of the error.
   * @param options Additional options.
   * @returns Whether it was pending.
   */
  cancel(message?: string, options?: CancelOptions): boolean {
    if (options !== undefined) checkOptions("cancel a future", options, CANCEL);
    return this[inside.cancel](new CancelReason(message, options));
  }

  /** Calls `callback(future)` through the loop once the future is done. */
  addDoneCallback(callback: (future: Future<T>) => unknown): void {
    this._loop[inside.checkCallback](callback, "add");
    this[inside.begin]();
    this._addWaiter(new Handle(this._loop, callback as Callback, [this]));
  }

  /**
   * Removes every addition of `callback`.
   *
   * @returns How many there were.
   */
  removeDoneCallback(callback: (future: Future<T>) => unknown): number {
    let removed = 0;
    for (const waiter of waitersOf(this._waiters)) {
      if (waiter instanceof Handle && callbackOf(waiter) === callback) {
        removed += 1;
        this._removeWaiter(waiter);
      }
    }
    return removed;
  }

  /**
   * Serves `await`, and the callers of a promise.
   *
   * When the engine calls it for an `await` in an async function of a task, cancelling the task
   * cancels this future. A call by user code only watches, as with any promise; but the two
   * functions of a native promise, passed after the first `await` of an async function, cannot be
   * told from an `await` there.
   *
   * @returns A promise of what the callbacks return.
   */
  then<R1 = T, R2 = never>(
    onFulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onRejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    // The engine calls from a microtask, with nothing of the loop on the stack.
    if (current.loop === null && isEngineFunction(onFulfilled) && isEngineFunction(onRejected)) {
      const scope = currentFrame()?.scope ?? null;
      this[inside.awaitIn](scope, onFulfilled as Resolve<T>, onRejected as Reject);
      return new LatePromise(this as Future<unknown>) as Promise<unknown> as Promise<R1 | R2>;
    }
    return this._toPromise().then(onFulfilled, onRejected);
  }

  /** As `Promise.catch()`. */
  catch<R = never>(
    onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null,
  ): Promise<T | R> {
    return this._toPromise().catch(onRejected);
  }

  /** As `Promise.finally()`. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this._toPromise().finally(onFinally);
  }

  /**
   * Serves `yield*` in a coroutine: waits unless done, then gives the result. Nothing else can
   * iterate over a pending future: `[...future]` throws an `InvalidStateError`.
   */
  [Symbol.iterator](): Generator<unknown, T, unknown> {
    return new FutureIterator(this) as unknown as Generator<unknown, T, unknown>;
  }

  /** @ignore */
  [inside.subscribe](consumer: Consumer): void {
    this._addWaiter(consumer);
  }

  /** @ignore `consumer` waits no longer, and no error of this future is one that nobody saw. */
  [inside.unsubscribe](consumer: Consumer): void {
    this._removeWaiter(consumer);
    this._addWaiter(new Step(() => this._forgetError()));
  }

  /** @ignore As {@linkcode cancel}. */
  [inside.cancel](reason: CancelReason): boolean {
    return walkCancel(this, reason, false) !== "missed";
  }

  /** @ignore */
  [inside.passCancel](
    reason: CancelReason,
    _routed: boolean,
  ): CancelVerdict | readonly CancelEdge[] {
    if (this._state !== "pending") {
      this._forgetError();
      return "missed";
    }
    this._settle("cancelled", reason);
    this[inside.noteCancelled](reason);
    return "interrupted";
  }

  /** @ignore It was pending, and is cancelled. */
  [inside.noteCancelled](_reason: { readonly message?: string; readonly cause?: unknown }): void {}

  /** @ignore */
  [inside.endCancel](
    verdict: CancelVerdict,
    _reason: CancelReason,
    _routed: boolean,
  ): CancelVerdict {
    return verdict;
  }

  /** @ignore */
  [inside.begin](): void {}

  /** @ignore */
  [inside.awaitIn](scope: CancelScope | null, resolve: Resolve<T>, reject: Reject): void {
    this[inside.begin]();
    new NativeAwait(this, scope, resolve, reject).start();
  }

  /** @ignore The context of what gives the result: reports of its failure run there. */
  get [inside.context](): Context | null {
    return null;
  }

  /** @ignore The foreign context of what gives the result; `undefined` where that is not known. */
  get [inside.engineContext](): EngineContext | null | undefined {
    return undefined;
  }

  /** @ignore What a wait for this is in words; `null` if it is named by what it waits for itself. */
  [inside.inWords](_now?: number): string | null {
    return this.constructor === Future ? "future" : null;
  }

  /** @ignore What this future itself waits for. */
  [inside.awaited](): Future<unknown>[] {
    return [];
  }

  /** @ignore The reason of the last cancellation that is kept here. */
  get [inside.cancelReason](): CancelReason | undefined {
    if (this._state !== "cancelled") return undefined;
    const kept = this._value as CancelledError | CancelReason | undefined;
    return kept instanceof CancelledError ? CancelReason.of(kept) : kept;
  }

  /** @ignore */
  get [inside.resumesConsumer](): boolean {
    return false;
  }

  /** Runs `waiter` once this is done; soon, if it is. */
  private _addWaiter(waiter: Runnable): void {
    if (this._state !== "pending") this._loop[inside.enqueue](waiter);
    else if (this._waiters === null) this._waiters = waiter;
    else if (this._waiters instanceof Set) this._waiters.add(waiter);
    else this._waiters = new Set([this._waiters, waiter]);
  }

  /** Forgets `waiter`. */
  private _removeWaiter(waiter: Runnable): void {
    if (this._waiters === waiter) this._waiters = null;
    else if (this._waiters instanceof Set) this._waiters.delete(waiter);
  }

  /** This is done: whoever waits is to run. */
  private _settle(state: FutureState, value: unknown): void {
    this._state = state;
    this._value = value;
    if (state === "failed") {
      this._isUnretrieved = true;
      this._loop[inside.unretrievedErrors].add(this);
    }
    const waiters = this._waiters;
    if (waiters === null) return;
    this._waiters = null;
    if (waiters instanceof Set) {
      for (const waiter of waiters) {
        this._loop[inside.enqueue](waiter);
      }
    } else this._loop[inside.enqueue](waiters);
  }

  /** Somebody looks at the error: it needs no report. */
  private _forgetError(): void {
    if (!this._isUnretrieved) return;
    this._isUnretrieved = false;
    this._loop[inside.unretrievedErrors].delete(this);
  }

  /** Gives what came of it to somebody who looks at it. */
  private _takeOutcome(): Outcome {
    if (this._state === "finished") return { failed: false, value: this._value };
    this._forgetError();
    const error = this._state === "cancelled" ? this._takeCancelledError() : this._value;
    return { failed: true, value: error };
  }

  /** Gives the error of a cancelled task to the first who asks, and a fresh one to later ones. */
  private _takeCancelledError(): CancelledError {
    const value = this._value as CancelledError | CancelReason | undefined;
    if (!(value instanceof CancelledError)) {
      return (value ?? new CancelReason()).toError(this._loop.getDebug());
    }
    const reason = CancelReason.of(value);
    this._value = reason.cause === undefined ? undefined : reason;
    return value;
  }

  /** Gives a promise of the same outcome. */
  private _toPromise(): Promise<T> {
    return new Promise((resolve, reject) => this[inside.awaitIn](null, resolve, reject));
  }

  static {
    showAsText(this);
    refuseToBeHeld(this.prototype);
    settle = (future, state, value) => future._settle(state, value);
    addWaiter = (future, waiter) => future._addWaiter(waiter);
    removeWaiter = (future, waiter) => future._removeWaiter(waiter);
    stateOf = (future) => future._state;
    forgetError = (future) => future._forgetError();
    takeOutcome = (future) => future._takeOutcome();
    failureOf = (future) => future._state === "failed" ? future._value : undefined;
    peekWaiters = (future) => future._waiters;
    endedCancelled = (future) =>
      future._state === "cancelled" || future._value instanceof CancelledError;
  }
}

/** How a future ended: its result, or what who waits for it gets thrown. */
export interface Outcome {
  /** Whether `value` is an error. */
  failed: boolean;
  /** The result or the error. */
  value: unknown;
}

/**
 * Settings of a {@linkcode Future}.
 *
 * @category Tasks
 */
export interface FutureOptions {
  /** The loop it belongs to. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

function* waitersOf(waiters: Runnable | Set<Runnable> | null): Generator<Runnable> {
  if (waiters instanceof Set) yield* waiters;
  else if (waiters !== null) yield waiters;
}

/** Whether `value` is a class of errors, and no error. */
function isErrorClass(value: unknown): value is new () => Error {
  return typeof value === "function" &&
    (value === Error || Object.prototype.isPrototypeOf.call(Error, value));
}

function alreadyDone(future: Future<unknown>, action: string): InvalidStateError {
  return new InvalidStateError(`Cannot ${action} of ${nameOf(future)}: it is ${stateOf(future)}`);
}

/** Returns `value` if it is a future. A proxy that was revoked is none, and throws when asked. */
export function asFuture(value: unknown): Future<unknown> | null {
  try {
    return value instanceof Future ? value : null;
  } catch {
    return null;
  }
}
