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
import { asFuture, endedCancelled, forgetError, Future, takeOutcome } from "./future.ts";
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
  /** What runs; `null` before the first step of a function, and once it is done. */
  #coroutine: Coroutine<T> | null = null;
  /** What the coroutine waits for. */
  #waiter: Future<unknown> | null = null;
  /** What the next step throws into the coroutine. */
  #thrown: unknown = NOTHING;
  #due: DueCancellation | null = null;
  /** The foreign context that it runs in, if there is anything in it. */
  #engineContext: EngineContext | null = null;
  /** Cancellations asked for and not taken back. */
  #cancelling = 0;

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

  /** The coroutine. */
  protected get coroutine(): Coroutine<T> | null {
    return this.#coroutine;
  }

  /** What the coroutine waits for. */
  protected get waiter(): Future<unknown> | null {
    return this.#waiter;
  }

  /** Runs `coroutine` from now on; a coroutine runs once. */
  protected setCoroutine(coroutine: Coroutine<T>): void {
    this.#coroutine = coroutine;
  }

  /** The cancellation that is due here, if any was ever. */
  protected get due(): DueCancellation | null {
    return this.#due;
  }

  /** Keeps `reason` until the next step that the loop drives. */
  protected keepDue(reason: CancelReason): void {
    (this.#due ??= new DueCancellation()).add(reason);
  }

  /** Sets how many cancellations were asked for. */
  protected set cancelCount(count: number) {
    this.#cancelling = count;
  }

  /** How many cancellations of this alone were asked for. */
  protected get cancelCount(): number {
    return this.#cancelling;
  }

  cancelling(): number {
    return this.#cancelling;
  }

  uncancel(): number {
    if (this.#cancelling > 0) {
      this.#cancelling -= 1;
      if (this.#cancelling === 0) this.#due?.clear();
    }
    return this.#cancelling;
  }

  [inside.dueCount](): number {
    return this.#due?.pending === true ? 1 : 0;
  }

  [inside.recancel](reason: CancelReason): void {
    this.keepDue(reason);
  }

  [inside.forget](reason: CancelReason): void {
    this.#due?.[inside.forget](reason);
  }

  /** A step that the loop drives: the first one, or after a bare future. */
  [inside.run](): void {
    if (this.done()) return;
    const waiter = this.#waiter;
    this.#waiter = null;
    let thrown = this.#thrown;
    this.#thrown = NOTHING;
    const due = this[inside.takeCancel]();
    if (due !== null) thrown = this.errorOf(due, waiter);
    this.step(thrown);
  }

  /** An operation has completed. */
  [inside.resume](): void {
    const thrown = this.#thrown;
    this.#waiter = null;
    this.#thrown = NOTHING;
    this.step(thrown);
  }

  /**
   * Somebody else has gone on with the coroutine, and so broken it, if it waits for `awaited`. Returns
   * whether it does.
   */
  [inside.loseCoroutine](awaited: Future<unknown>): boolean {
    if (this.#waiter !== awaited) return false;
    this.#thrown = ranTwice();
    return true;
  }

  override [inside.awaited](): Future<unknown>[] {
    return this.#waiter === null ? [] : [this.#waiter];
  }

  /** Hands a cancellation on to what the coroutine waits for. */
  protected passToWaiter(): CancelVerdict | readonly CancelEdge[] {
    const future = this.#waiter;
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
    return this.#engineContext;
  }

  /** Keeps the foreign context of who calls for what runs from now on. */
  protected keepEngineContext(): void {
    this.#engineContext = captureEngineContext();
  }

  /** Calls user code in the foreign context that was kept, and in `scope`. */
  protected call<R>(work: () => R, scope: CancelScope | null): R {
    if (this.#engineContext !== null) return callIn(this.#engineContext, work, scope);
    return scope === null ? work() : scope.run(work);
  }

  /** Runs the coroutine to where it waits next. */
  protected advance(thrown: unknown): IteratorResult<unknown, T> {
    if (this.#engineContext !== null) return this.#advanceInContext(thrown);
    const coroutine = this.#coroutine as Coroutine<T>;
    return thrown === NOTHING ? coroutine.next() : coroutine.throw(thrown);
  }

  /** Apart, as a function in {@linkcode advance} would cost each of its calls an allocation. */
  #advanceInContext(thrown: unknown): IteratorResult<unknown, T> {
    const coroutine = this.#coroutine as Coroutine<T>;
    return this.call(
      () => thrown === NOTHING ? coroutine.next() : coroutine.throw(thrown),
      null,
    );
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

  /** Lets go of the coroutine, which has ended. */
  protected drop(): void {
    this.#coroutine = null;
  }

  /** Waits for what the coroutine has yielded. */
  protected suspend(awaited: unknown): void {
    const future = asFuture(awaited);
    const task = this[inside.task];
    const isYielded = current.yielded === future;
    current.yielded = null;
    const canWait = future !== null && future.getLoop() === this.getLoop() && future !== task;
    if (canWait && isYielded) {
      this.#waiter = future;
      future[inside.subscribe](this);
      return this[inside.spendCancel](future);
    }
    if (canWait) this.#thrown = yieldedBare(task ?? this, future);
    else if (future !== null) this.#thrown = cannotWaitForFuture(task ?? this, future);
    else if (awaited !== undefined) this.#thrown = cannotWaitForValue(task ?? this, awaited);
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
    const waiter = this.#waiter as Future<unknown>;
    // It ends cancelled, when the others of the circle have, and nobody waits for it.
    waiter[inside.unsubscribe](this);
    this.#waiter = null;
    this.getLoop()[inside.enqueue](this);
  }
}

/** Apart, as a function in {@linkcode CoroutineFuture.call} would cost each call an allocation. */
function callIn<R>(context: EngineContext, work: () => R, scope: CancelScope | null): R {
  return runInEngineContext(context, () => scope === null ? work() : scope.run(work));
}

/** Marks coroutines that tasks run: a property costs a third of what a set of them would. */
const CLAIMED: unique symbol = Symbol("run by a task");

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
