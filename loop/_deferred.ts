import { ambient, runningTask } from "./_ambient.ts";
import { CancelScope } from "./_cancel_scope.ts";
import type { CoroutineHost, Reject, Resolve } from "./_consumer.ts";
import { CancelledError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import { Future, markSeen, settle } from "./future.ts";
import type { Coroutine, Task } from "./task.ts";

/** Where the work runs, once it has begun. What can be cancelled is kept with it. */
interface Host {
  /** Cancels the work. */
  cancel(message?: string): unknown;
  /** The message of the last cancellation that is kept there. */
  readonly _cancelMessage?: string | undefined;
}

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
export abstract class Deferred<T> extends Future<T> {
  #host: Host | null = null;

  constructor(loop: EventLoop) {
    super({ loop });
  }

  /** The work as part of the current task, `task`, and of its operation that runs, if any does. */
  protected abstract steps(task: Task<unknown>, host: CoroutineHost): Coroutine<T>;

  /** The work as part of an async function, inside `scope`, which is closed afterwards. */
  protected abstract runInFunction(scope: CancelScope): Promise<T>;

  override [Symbol.iterator](): Generator<Future<unknown>, T, unknown> {
    if (this.#host !== null || this.done()) return super[Symbol.iterator]();
    return this.#runInline() as Generator<Future<unknown>, T, unknown>;
  }

  override cancel(message?: string): boolean {
    if (this.done()) return false;
    if (this.#host === null) return super.cancel(message);
    this.#host.cancel(message);
    return true;
  }

  /** @ignore */
  override get _cancelMessage(): string | undefined {
    return this.cancelled() ? super._cancelMessage : this.#host?._cancelMessage;
  }

  /** @ignore Begins in a task of its own, unless it has begun. */
  override _begin(): void {
    if (this.#host !== null || this.done()) return;
    const coroutine = this.#runInTask();
    // Enters its `try`, so that a cancellation before the first step ends this future as well.
    coroutine.next();
    this.#host = this.getLoop().createTask(coroutine);
  }

  /** @ignore */
  override _await(scope: CancelScope | null, resolve: Resolve<T>, reject: Reject): void {
    if (this.#host !== null || this.done() || scope === null || scope.closed) {
      return super._await(scope, resolve, reject);
    }
    scope.noteAwait();
    const inner = new CancelScope(scope.task, scope.context, scope);
    this.#host = inner;
    this.runInFunction(inner).then((value) => {
      inner.close();
      this.#settle("finished", value);
      resolve(value);
    }, (error) => {
      inner.close();
      this.#settleFailed(error);
      markSeen(this);
      reject(error);
    });
  }

  *#runInline(): Coroutine<T> {
    const task = runningTask();
    // Consumed twice, or outside of a task: then it is a future as any other.
    if (this.#host !== null || task === null) {
      this._begin();
      return yield* super[Symbol.iterator]();
    }
    const { operation } = ambient;
    const host = operation?._task === task ? operation : task;
    this.#host = host;
    try {
      return yield* this.#settleWith(task, host);
    } finally {
      markSeen(this);
    }
  }

  *#runInTask(): Coroutine<void> {
    try {
      yield;
      const task = this.#host as Task<unknown>;
      const value = yield* this.steps(task, task);
      const due = task.takeCancel();
      if (due === null) this.#settle("finished", value);
      else this.#settle("cancelled", due.message === "" ? undefined : due.message);
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
