import * as inside from "../inside.ts";
import { current, runningTask } from "../scheduling/_current.ts";
import { NativeAwait } from "../tasks/_native_await.ts";
import type { CancelReason } from "../tasks/_cancel_reason.ts";
import { CancelScope } from "../tasks/_cancel_scope.ts";
import type { CancelEdge, Cancellable, CancelVerdict } from "../tasks/_cancel_walk.ts";
import type { CoroutineHost, Reject, Resolve } from "../tasks/_consumer.ts";
import { followPath } from "../tasks/_own_path.ts";
import { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { forgetError, Future, settle } from "../tasks/future.ts";
import type { Coroutine, Task } from "../tasks/task.ts";

/** Operations that nobody awaits which a loop keeps to tell of them: they may be many. */
const MOST_KEPT = 20;

/** Where the work runs, once it has begun. */
type Host = Cancellable & { readonly [inside.cancelReason]?: CancelReason | undefined };

/**
 * A future whose work uses the identity of the task that waits for it: `timeout()`, `waitFor()`
 * and `taskGroup()` cancel their caller.
 *
 * *Theory of operation.* Unlike other operations it begins where it is first consumed:
 *
 * - `yield*` in a coroutine runs the steps as a part of it: of its task, or of its operation;
 * - `await` in an async function runs them in a cancel scope nested in the function's;
 * - any other consumer (`gather`, `shield`, a callback, …) gives them a task of their own.
 *
 * Begun eagerly, two of them in one `gather()` would share the caller's task, and the first to
 * expire would cancel the other. One that is never consumed never begins.
 */
export abstract class CallerOperation<T> extends Future<T> {
  #host: Host | null = null;
  /** The task that was created for the work, if any. */
  #ownTask: Task<unknown> | null = null;

  constructor(loop: EventLoop) {
    super({ loop });
    const notBegun = loop[inside.notBegun];
    if (notBegun.size < MOST_KEPT) notBegun.add(this);
  }

  /** The work as part of the current task, `task`, and of its operation that runs, if any does. */
  protected abstract steps(task: Task<unknown>, host: CoroutineHost): Coroutine<T>;

  /** The work as part of an async function, inside `scope`, which is closed afterwards. */
  protected abstract runInFunction(scope: CancelScope): Promise<T>;

  override [Symbol.iterator](): Coroutine<T> {
    if (this.#host !== null || this.done()) return super[Symbol.iterator]();
    return this.#runInline();
  }

  /** @ignore */
  override [inside.passCancel](
    reason: CancelReason,
    routed: boolean,
  ): CancelVerdict | readonly CancelEdge[] {
    if (this.#host === null || this.done()) return super[inside.passCancel](reason, routed);
    return [{ future: this.#host, routed: false }];
  }

  /** @ignore */
  override get [inside.cancelReason](): CancelReason | undefined {
    return this.cancelled() ? super[inside.cancelReason] : this.#host?.[inside.cancelReason];
  }

  /** @ignore */
  override [inside.awaited](): Future<unknown>[] {
    const host = this.#host;
    if (host instanceof CancelScope) return host[inside.awaited]();
    return host instanceof Future && host === this.#ownTask ? [host] : [];
  }

  /** @ignore Begins in a task of its own, unless it has begun. */
  override [inside.begin](): void {
    if (this.#host !== null || this.done()) return;
    const coroutine = this.#runInTask();
    // Enters its `try`, so that a cancellation before the first step ends this future as well.
    coroutine.next();
    this.#beginIn(this.#ownTask = this.getLoop().createTask(coroutine));
  }

  /** @ignore */
  override [inside.awaitIn](scope: CancelScope | null, resolve: Resolve<T>, reject: Reject): void {
    if (this.#host !== null || this.done() || scope === null || scope.closed) {
      return super[inside.awaitIn](scope, resolve, reject);
    }
    const inner = new CancelScope(scope.task, scope.context, scope);
    this.#beginIn(inner);
    const awaiting = new NativeAwait(this, scope, resolve, reject);
    const due = awaiting.list();
    if (due !== null) {
      scope.passDueTo(inner, due);
      awaiting.noteInBlock(true);
    }
    const end = (state: "finished" | "failed" | "cancelled", value: unknown) => {
      inner.close();
      if (scope.takeDueOf(inner)) awaiting.noteInBlock(false);
      this.#settle(state, value);
      awaiting[inside.resume]();
    };
    followPath(
      this.runInFunction(inner),
      (value) => end("finished", value),
      (error) => end(error instanceof CancelledError ? "cancelled" : "failed", error),
    );
  }

  #beginIn(host: Host): void {
    this.#host = host;
    this.getLoop()[inside.notBegun].delete(this);
  }

  *#runInline(): Coroutine<T> {
    const task = runningTask();
    // Consumed twice, or outside of a task: then it is a future as any other.
    if (this.#host !== null || task === null) {
      this[inside.begin]();
      return yield* super[Symbol.iterator]();
    }
    const { operation } = current;
    const host = operation?.[inside.task] === task ? operation : task;
    this.#beginIn(host);
    try {
      return yield* this.#settleWith(task, host);
    } finally {
      forgetError(this);
    }
  }

  *#runInTask(): Coroutine<void> {
    try {
      yield;
      const task = this.#ownTask as Task<unknown>;
      const value = yield* this.steps(task, task);
      const due = task[inside.takeCancel]();
      if (due === null) this.#settle("finished", value);
      else this.#settle("cancelled", due);
    } catch (error) {
      // It is the error of this future, which somebody waits for; the task needs no report.
      this.#settleFailed(error);
    }
  }

  *#settleWith(task: Task<unknown>, host: CoroutineHost): Coroutine<T> {
    try {
      const value = yield* this.steps(task, host);
      this.#settle("finished", value);
      return value;
    } catch (error) {
      this.#settleFailed(error);
      throw error;
    }
  }

  #settleFailed(error: unknown): void {
    this.#settle(error instanceof CancelledError ? "cancelled" : "failed", error);
  }

  #settle(state: "finished" | "failed" | "cancelled", value: unknown): void {
    if (!this.done()) settle(this, state, value);
  }
}
