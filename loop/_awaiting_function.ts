import { ambient } from "./_ambient.ts";
import type { CancelScope } from "./_cancel_scope.ts";
import type { CancelRoot, Consumer, Reject, Resolve } from "./_consumer.ts";
import type { Future } from "./future.ts";
import { CancelledError, InvalidStateError } from "./errors.ts";

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
export class AwaitingFunction<T> implements Consumer {
  /** Neighbours in the list of the scope. */
  previous: AwaitingFunction<unknown> | null = null;
  /** See {@linkcode previous}. */
  next: AwaitingFunction<unknown> | null = null;
  /** What is awaited. */
  readonly future: Future<T>;
  readonly #scope: CancelScope | null;
  readonly #resolve: Resolve<T>;
  readonly #reject: Reject;

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

  /** Delivers the result of a done future at once, else begins to wait. */
  start(): void {
    const { future } = this;
    const scope = this.#scope;
    if (scope === null) {
      if (future.done()) this.#deliver();
      else future._subscribe(this);
      return;
    }
    scope.noteAwait();
    if (future.done()) {
      const cancelled = future._delivers ? null : scope.takeOutsideCancel();
      if (cancelled === null) this.#deliver();
      else this.#reject(cancelled);
    } else if (future.getLoop() !== scope.loop) {
      this.#reject(
        new InvalidStateError(
          `Cannot await a future in task "${scope.task.getName()}": it belongs to another loop`,
        ),
      );
    } else if (future === scope.task as Future<unknown>) {
      this.#reject(
        new InvalidStateError(`Cannot await task "${scope.task.getName()}": it awaits itself`),
      );
    } else {
      scope.add(this as AwaitingFunction<unknown>);
      future._subscribe(this);
      scope.spendCancel(future);
    }
  }

  /** The bare future that is awaited is done: a cancellation that is due comes before its result. */
  _run(): void {
    const due = this.#scope?.takeCancel() ?? null;
    if (due === null) return this._resume();
    this.#leave();
    this.#reject(endedIn(this.future) ?? due);
  }

  _resume(): void {
    this.#leave();
    this.#deliver();
  }

  _root(): CancelRoot | null {
    return this.#scope;
  }

  /** Ends the wait at once: it closes a circle of tasks that await each other. */
  giveUp(reason: unknown): void {
    this.#leave();
    this.#reject(reason);
  }

  #leave(): void {
    ambient.resumedAsyncFunction = true;
    this.#scope?.remove(this as AwaitingFunction<unknown>);
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
