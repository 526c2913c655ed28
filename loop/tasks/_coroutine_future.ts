import * as inside from "../inside.ts";
import { captureEngineContext, current, runInEngineContext } from "../scheduling/_current.ts";
import { type CancelReason, giveCause } from "./_cancel_reason.ts";
import type { CancelScope } from "./_cancel_scope.ts";
import type { CancelEdge, Cancellable, CancelVerdict } from "./_cancel_walk.ts";
import type { CancelRoot, Consumer, CoroutineHost } from "./_consumer.ts";
import type { EngineContext } from "../scheduling/_deno_engine_context.ts";
import { describe } from "../values/_describe.ts";
import { DueCancellation } from "./_due_cancellation.ts";
import { cannotWaitForFuture, cannotWaitForValue, ranTwice, yieldedBare } from "./_wait_errors.ts";
import { CancelledError } from "../errors/errors.ts";
import {
  asFuture,
  endedCancelled,
  forgetError,
  Future,
  type FutureOptions,
  takeOutcome,
} from "./future.ts";
import { nameOf } from "./_name_of.ts";
import type { Coroutine, Task } from "./task.ts";

/** Not an error: the step has none to throw. */
export const NOTHING: unique symbol = Symbol("nothing");

/**
 * @ignore A future of what a coroutine returns, and the one driver of coroutines: a task, or an operation
 * that is part of one.
 *
 * *Theory of operation.* A step runs the coroutine up to the future that it waits for next, and
 * subscribes to that. A bare future has the loop call {@linkcode inside.run}; an operation calls
 * {@linkcode inside.resume} within the step that completes it. A cancellation goes on to what the
 * coroutine waits for; where that is woken already, it is due, and the next step that the loop
 * drives throws it.
 */
export abstract class CoroutineFuture<T> extends Future<T>
  implements Consumer, CancelRoot, CoroutineHost {
  // Plain names and no initializers, for speed: see "Insides" in CONTRIBUTING.md.
  /** What runs; `null` before the first step of a function, and once it is done. */
  declare protected _coroutine: Coroutine<T> | null;
  /** What the coroutine waits for. */
  declare protected _waiter: Future<unknown> | null;
  /** What the next step throws into the coroutine. */
  declare protected _thrown: unknown;
  /** The cancellation that is due here, if any was ever. */
  declare protected _due: DueCancellation | null;
  /** The foreign context that it runs in, if there is anything in it. */
  declare protected _engineContext: EngineContext | null;
  /** Cancellations of this alone that were asked for and not taken back. */
  declare protected _cancelCount: number;

  constructor(options: FutureOptions) {
    super(options);
    this._coroutine = null;
    this._waiter = null;
    this._thrown = NOTHING;
    this._due = null;
    this._engineContext = null;
    this._cancelCount = 0;
  }

  /** The task that the coroutine is part of. */
  abstract get [inside.task](): Task<unknown> | null;

  /** Runs {@linkcode advance} as the task that it is part of, and hands what it gives on. */
  protected abstract step(thrown: unknown): void;

  /** The coroutine has ended. */
  protected abstract end(state: "finished" | "failed" | "cancelled", value: unknown): void;

  /** Who keeps a cancellation that found nothing to interrupt. */
  abstract [inside.root](): CancelRoot;

  /** Takes the cancellation that is due. */
  abstract [inside.takeCancel](): CancelReason | null;

  /** Spends the cancellation that is due on `awaited`, if it can be interrupted. */
  abstract [inside.spendCancel](awaited: Cancellable): void;

  /** Keeps `reason` until the next step that the loop drives. */
  protected keepDue(reason: CancelReason): void {
    (this._due ??= new DueCancellation()).add(reason);
  }

  cancelling(): number {
    return this._cancelCount;
  }

  uncancel(): number {
    if (this._cancelCount > 0) {
      this._cancelCount -= 1;
      if (this._cancelCount === 0) this._due?.clear();
    }
    return this._cancelCount;
  }

  [inside.dueCount](): number {
    return this._due?.pending === true ? 1 : 0;
  }

  [inside.recancel](reason: CancelReason): void {
    this.keepDue(reason);
  }

  [inside.forget](reason: CancelReason): void {
    this._due?.[inside.forget](reason);
  }

  /** A step that the loop drives: the first one, or after a bare future. */
  [inside.run](): void {
    if (this.done()) return;
    const waiter = this._waiter;
    this._waiter = null;
    let thrown = this._thrown;
    this._thrown = NOTHING;
    const due = this[inside.takeCancel]();
    if (due !== null) thrown = this.errorOf(due, waiter);
    this.step(thrown);
  }

  /** An operation has completed. */
  [inside.resume](): void {
    const thrown = this._thrown;
    this._waiter = null;
    this._thrown = NOTHING;
    this.step(thrown);
  }

  /**
   * Somebody else has gone on with the coroutine, and so broken it, if it waits for `awaited`. Returns
   * whether it does.
   */
  [inside.loseCoroutine](awaited: Future<unknown>): boolean {
    if (this._waiter !== awaited) return false;
    this._thrown = ranTwice();
    return true;
  }

  override [inside.awaited](): Future<unknown>[] {
    return this._waiter === null ? [] : [this._waiter];
  }

  /** Hands a cancellation on to what the coroutine waits for. */
  protected passToWaiter(): CancelVerdict | readonly CancelEdge[] {
    const future = this._waiter;
    return future === null ? "missed" : [{ future, routed: true }];
  }

  override [inside.endCancel](
    verdict: CancelVerdict,
    reason: CancelReason,
    routed: boolean,
  ): CancelVerdict {
    if (verdict === "interrupted") return verdict;
    if (verdict === "circle") this.giveUp();
    // Who waits for this keeps what missed.
    else if (routed) return verdict;
    this.keepDue(reason);
    return "interrupted";
  }

  override get [inside.engineContext](): EngineContext | null {
    return this._engineContext;
  }

  /** Keeps the foreign context of who calls for what runs from now on. */
  protected keepEngineContext(): void {
    this._engineContext = captureEngineContext();
  }

  /** Calls user code in the foreign context that was kept, and in `scope`. */
  protected call<R>(work: () => R, scope: CancelScope | null): R {
    const context = this._engineContext;
    if (context !== null) return callIn(context, work, scope);
    return scope === null ? work() : scope.run(work);
  }

  /** Runs the coroutine to where it waits next. */
  protected advance(thrown: unknown): IteratorResult<unknown, T> {
    const coroutine = this._coroutine as Coroutine<T>;
    const context = this._engineContext;
    if (context !== null) return advanceIn(context, coroutine, thrown);
    return thrown === NOTHING ? coroutine.next() : coroutine.throw(thrown);
  }

  /** Goes on with what {@linkcode advance} gave. */
  protected proceed(result: IteratorResult<unknown, T>): void {
    try {
      if (typeof result !== "object") throw noResult(this as Future<unknown>, result);
      if (result.done !== true) return this.suspend(result.value);
    } catch (error) {
      // An iterator that gives no results, or a future that throws when it is waited for.
      return this.fail(error);
    }
    this.end("finished", result.value);
  }

  /** Ends with what the coroutine threw. */
  protected fail(error: unknown): void {
    this.end(error instanceof CancelledError ? "cancelled" : "failed", error);
  }

  /** Waits for what the coroutine has yielded. */
  protected suspend(awaited: unknown): void {
    const future = asFuture(awaited);
    const task = this[inside.task];
    const isYielded = current.yielded === future;
    current.yielded = null;
    const canWait = future !== null && future.getLoop() === this.getLoop() && future !== task;
    if (canWait && isYielded) {
      this._waiter = future;
      future[inside.subscribe](this);
      return this[inside.spendCancel](future);
    }
    if (canWait) this._thrown = yieldedBare(task ?? this, future);
    else if (future !== null) this._thrown = cannotWaitForFuture(task ?? this, future);
    else if (awaited !== undefined) this._thrown = cannotWaitForValue(task ?? this, awaited);
    this.getLoop()[inside.enqueue](this);
  }

  /** What a step throws that finds `due`: what ended in a cancellation itself throws its own error. */
  protected errorOf(due: CancelReason, waiter: Future<unknown> | null): unknown {
    const error = due.toError(this.getLoop().getDebug());
    if (waiter === null) return error;
    if (!endedCancelled(waiter)) {
      forgetError(waiter);
      return error;
    }
    const own = takeOutcome(waiter).value as CancelledError;
    giveCause(own, due.cause);
    return own;
  }

  /** Waits no longer: what it waits for waits for this. */
  protected giveUp(): void {
    const waiter = this._waiter as Future<unknown>;
    // It ends cancelled, when the others of the circle have, and nobody waits for it.
    waiter[inside.unsubscribe](this);
    this._waiter = null;
    this.getLoop()[inside.enqueue](this);
  }
}

/** Apart, as a function in {@linkcode CoroutineFuture.call} would cost each call an allocation. */
function callIn<R>(context: EngineContext, work: () => R, scope: CancelScope | null): R {
  return runInEngineContext(context, () => scope === null ? work() : scope.run(work));
}

/** As {@linkcode callIn}, for {@linkcode CoroutineFuture.advance}. */
function advanceIn<T>(
  context: EngineContext,
  coroutine: Coroutine<T>,
  thrown: unknown,
): IteratorResult<unknown, T> {
  return runInEngineContext(
    context,
    () => thrown === NOTHING ? coroutine.next() : coroutine.throw(thrown),
  );
}

/** Marks coroutines that tasks run: a property costs a third of what a set of them would. */
const CLAIMED: unique symbol = Symbol("run by a task");

/** Whether a task runs `coroutine`, or has. */
export function isClaimed(coroutine: object): boolean {
  return (coroutine as { [CLAIMED]?: boolean })[CLAIMED] === true;
}

/** Marks `coroutine` as run by a task; a coroutine runs once. */
export function claim(coroutine: Coroutine<unknown> & { [CLAIMED]?: boolean }): void {
  if (coroutine[CLAIMED] === true) throw ranTwice();
  coroutine[CLAIMED] = true;
}

function noResult(future: Future<unknown>, result: unknown): TypeError {
  return new TypeError(
    `Cannot go on in ${nameOf(future)}: its iterator gave ${describe(result)} for a result`,
  );
}
