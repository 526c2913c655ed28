/**
 * One `await` of a future, from the engine's call of `then()` to the end of the await.
 *
 * *Theory of operation.* The future makes one for each such call, with the scope of the function
 * that awaits; without a scope for a user's `then()`, and for a function that outlives its task. It
 *
 * - *starts* inside of `then()`, where a future that is done is delivered at once;
 * - *waits*, subscribed to the future, and in the list of its scope for as long;
 * - *ends* by `run`, an entry of the ready queue, after a bare future; by `resume`, within the step
 *   that completes it, after an operation; or because it closes a circle of waits.
 *
 * A cancellation comes from the scope and goes on to what is awaited; that ends, and then this does,
 * in one of the same three ways. If it was interrupted, it ends through a thenable: the engine calls
 * that back where the function waits, and the scope can see whether that is the function's own path.
 *
 * It subscribes before it asks the scope for what is due: what is spent on the future at once has
 * to find who waits. At its end it leaves the list before it settles anything, and tells the driver
 * that a function goes on, which lets that reach its next await before another entry runs.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { current } from "../scheduling/_current.ts";
import { type CancelReason, giveCause } from "./_cancel_reason.ts";
import type { CancelScope } from "./_cancel_scope.ts";
import {
  type CancelEdge,
  type Cancellable,
  cancelThrough,
  type CancelVerdict,
} from "./_cancel_walk.ts";
import type { CancelRoot, Consumer, Reject, Resolve } from "./_consumer.ts";
import { cannotWaitForFuture } from "./_wait_errors.ts";
import { CancelledError } from "../errors/errors.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";

const ENGINE_SOURCE = "function () { [native code] }";
const toSource = Function.prototype.toString;

/**
 * Whether `fn` is one that the engine made for an `await`, and not one a user passed: those are
 * anonymous native functions, and a bound function is named "bound …".
 */
export function isEngineFunction(fn: unknown): boolean {
  return typeof fn === "function" && fn.length === 1 && fn.name === "" &&
    toSource.call(fn) === ENGINE_SOURCE;
}

/** One `await` of a future by an async function, or by a native promise. */
export class NativeAwait<T> implements Consumer, CancelRoot, CancelEdge {
  /** Neighbours in the list of the scope. */
  previous: NativeAwait<unknown> | null = null;
  /** See {@linkcode previous}. */
  next: NativeAwait<unknown> | null = null;
  /** What is awaited. */
  readonly future: Future<T>;
  /** The scope keeps what misses. */
  readonly routed = true;
  /** Whether the scope has to know when it ends, without having been interrupted. */
  reopens = false;
  readonly #scope: CancelScope | null;
  readonly #resolve: Resolve<T>;
  readonly #reject: Reject;
  /** Whether a cancellation has interrupted it. */
  #interrupted = false;

  constructor(
    future: Future<T>,
    scope: CancelScope | null,
    resolve: Resolve<T>,
    reject: Reject,
  ) {
    this.future = future;
    // A function that outlives its task goes on, out of reach of cancellations.
    this.#scope = scope === null || scope.closed ? null : scope;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The task that the function is part of, if it can be cancelled. */
  get task(): Task<unknown> | null {
    return this.#scope?.task ?? null;
  }

  /** Delivers the result of a done future at once, else begins to wait. Runs in `then()`. */
  start(): void {
    const { future } = this;
    const scope = this.#scope;
    if (scope === null) {
      if (future.done()) this.#deliver();
      else future[inside.subscribe](this);
      return;
    }
    scope.noteAwait();
    scope.loop[inside.meter]?.noteFunction(scope.task);
    if (future.done()) this.#deliverDone(scope);
    else if (future === scope.task as Future<unknown> || future.getLoop() !== scope.loop) {
      this.#reject(cannotWaitForFuture(scope.task, future));
    } else {
      future[inside.subscribe](this);
      if (scope.loop.getDebug()) scope.loop[inside.noteWait](scope.task);
      const due = this.list();
      if (due !== null) this.#interrupt(future, due);
    }
  }

  /** Begins to wait as part of the scope. Returns what is due there, to spend it on the wait. */
  list(): CancelReason | null {
    const scope = this.#scope as CancelScope;
    scope.add(this as NativeAwait<unknown>);
    if (scope[inside.dueCount]() === 0) return null;
    return scope.reasonAtAwait(true, this as NativeAwait<unknown>);
  }

  /** A block is awaited: whether the cancellation that came to it has arrived in there. */
  noteInBlock(arrived: boolean): void {
    this.#interrupted = arrived;
  }

  /** The bare future that is awaited is done: a cancellation that is due comes before its result. */
  [inside.run](): void {
    const due = this[inside.takeCancel]();
    if (due === null) return this[inside.resume]();
    this.#leave();
    const error = endedIn(this.future) ?? due.toError(this.future.getLoop().getDebug());
    this.#settleInterrupted(() => {
      throw error;
    });
  }

  [inside.resume](): void {
    this.#leave();
    if (this.reopens) this.#scope?.reopenWindow();
    if (this.#interrupted) this.#settleInterrupted(() => this.future.result());
    else this.#deliver();
  }

  [inside.root](): CancelRoot | null {
    return this.#scope === null ? null : this;
  }

  [inside.takeCancel](): CancelReason | null {
    const due = this.#dueReason;
    if (due !== null) this.#interrupted = true;
    return due;
  }

  [inside.spendCancel](awaited: Cancellable): void {
    const due = this.#dueReason;
    if (due !== null) this.#interrupt(awaited, due);
  }

  [inside.answerCancel](verdict: CancelVerdict, reason: CancelReason): void {
    if (verdict === "circle") this.#giveUp(reason);
    else if (verdict === "interrupted") this.#interrupted = true;
    // What misses comes before the result.
    else this.reopens = false;
  }

  /** What is due, unless it has interrupted this, or this is let be. */
  get #dueReason(): CancelReason | null {
    return this.#interrupted || this.reopens ? null : this.#scope?.dueReason ?? null;
  }

  #interrupt(awaited: Cancellable, due: CancelReason): void {
    const { task } = this.#scope as CancelScope;
    if (cancelThrough(awaited, due, task)) this.#interrupted = true;
  }

  /** Ends the wait at once: what is awaited waits for this function. */
  #giveUp(reason: CancelReason): void {
    // It ends cancelled, when the others of the circle have, and nobody waits for it.
    this.future[inside.unsubscribe](this);
    this.#leave();
    this.#settleInterrupted(() => {
      throw reason.toError();
    });
  }

  #deliverDone(scope: CancelScope): void {
    const due = this.future[inside.resumesConsumer] || scope[inside.dueCount]() === 0
      ? null
      : scope.reasonAtAwait(false, this as NativeAwait<unknown>);
    if (due === null) return this.#deliver();
    scope.noteArrival();
    this.#reject(due.toError(scope.loop.getDebug()));
  }

  /**
   * Ends an await that was interrupted. The engine calls a thenable back, and in there one can
   * see whether the function itself waits here.
   */
  #settleInterrupted(outcome: () => T): void {
    const scope = this.#scope as CancelScope;
    const thenable: PromiseLike<T> = {
      then: (resolve, reject) => {
        const cause = scope.dueReason?.cause;
        scope.noteArrival(thenable.then);
        try {
          resolve?.(outcome());
        } catch (error) {
          // One that came later, with a cause, arrives as one with this.
          if (error instanceof CancelledError) giveCause(error, cause);
          reject?.(error);
        }
        return thenable as PromiseLike<never>;
      },
    };
    (this.#resolve as Resolve<T | PromiseLike<T>>)(thenable);
  }

  #leave(): void {
    current.resumedAsyncFunction = true;
    this.#scope?.remove(this as NativeAwait<unknown>);
  }

  #deliver(): void {
    let result: T;
    try {
      result = this.future.result();
    } catch (error) {
      return this.#reject(error);
    }
    this.#resolve(result);
  }
}

/** Takes the outcome of `future`; returns the `CancelledError` it ended with, if it did. */
function endedIn(future: Future<unknown>): CancelledError | null {
  try {
    future.result();
  } catch (error) {
    if (error instanceof CancelledError) return error;
  }
  return null;
}
