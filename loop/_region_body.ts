import { CancelScope } from "./_cancel_scope.ts";
import type { CoroutineHost } from "./_consumer.ts";
import { CancelledError } from "./errors.ts";
import { Future, settle } from "./future.ts";
import { startOperation } from "./start_operation.ts";
import { type Coroutine, isCoroutine, isGeneratorFunction, isThenable, type Task } from "./task.ts";

/** A function that runs as part of a task: a coroutine function or an async function. */
type Body<S, T> = (scope: S) => Coroutine<T> | PromiseLike<T> | T;

/** Runs `body(argument)` as part of `host`, which runs a coroutine of `task`. */
export function* runBody<S, T>(
  body: Body<S, T>,
  argument: S,
  task: Task<unknown>,
  host: CoroutineHost,
): Coroutine<T> {
  if (isGeneratorFunction(body)) return yield* body(argument) as Coroutine<T>;
  const scope = new CancelScope(task, task.getContext(), null, host.cancelling());
  const value = scope.run(() => body(argument));
  if (value instanceof Future) return yield* value;
  if (isCoroutine(value)) return yield* value as Coroutine<T>;
  if (!isThenable(value)) return value as T;
  return yield* new FunctionPart(value as PromiseLike<T>, scope, host);
}

/** Runs `body(argument)` as part of an async function, inside `scope`. */
export function runBodyInFunction<S, T>(
  body: Body<S, T>,
  argument: S,
  scope: CancelScope,
): Promise<T> {
  return scope.run(async () => {
    const value = body(argument);
    if (!(value instanceof Future) && isCoroutine(value)) {
      return await startOperation(scope.loop, value as Coroutine<T>);
    }
    return await value as T;
  });
}

/** An async function that a coroutine waits for, as part of its task. */
class FunctionPart<T> extends Future<T> {
  readonly #scope: CancelScope;
  readonly #host: CoroutineHost;

  constructor(promise: PromiseLike<T>, scope: CancelScope, host: CoroutineHost) {
    super({ loop: scope.loop });
    this.#scope = scope;
    this.#host = host;
    promise.then((value) => this.#end("finished", value), (error) => {
      this.#end(error instanceof CancelledError ? "cancelled" : "failed", error);
    });
  }

  override cancel(message?: string): boolean {
    if (this.done()) return false;
    this.#scope.cancel(message);
    return true;
  }

  override _awaited(): Future<unknown>[] {
    return this.#scope.awaited();
  }

  #end(state: "finished" | "failed" | "cancelled", value: unknown): void {
    const due = this.#scope.takeCancel();
    this.#scope.close();
    // It ended before it came to an await: the coroutine gets the cancellation.
    if (due !== null) this.#host.recancel(due.message === "" ? undefined : due.message);
    settle(this, state, value);
  }
}
