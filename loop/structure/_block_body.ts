import * as inside from "../inside.ts";
import type { CancelReason } from "../tasks/_cancel_reason.ts";
import { CancelScope } from "../tasks/_cancel_scope.ts";
import type { CancelEdge, CancelVerdict } from "../tasks/_cancel_walk.ts";
import type { CoroutineHost } from "../tasks/_consumer.ts";
import { cancellationIn } from "../tasks/_foreign_abort.ts";
import { followPath } from "../tasks/_own_path.ts";
import { CancelledError } from "../errors/errors.ts";
import { Future, settle } from "../tasks/future.ts";
import { startOperation } from "../tasks/start_operation.ts";
import { type Coroutine, coroutineIn, type Task } from "../tasks/task.ts";
import { isGeneratorFunction, refuseAsyncGenerator } from "../values/_function_kind.ts";
import { describe } from "../values/_describe.ts";
import { isThenable } from "../values/is_coroutine.ts";

/**
 * The body of `timeout()` and `taskGroup()`: it runs in the calling task.
 *
 * @category Structure
 */
export type BlockBody<S, T> = (scope: S) => Coroutine<T> | PromiseLike<T> | T;

/**
 * Throws unless `body` can be one.
 *
 * @param action What it is the body of, as in "start a timeout".
 * @param example How it is written.
 * @throws {TypeError} If it is no function.
 */
export function checkBody(action: string, body: unknown, example: string): void {
  if (typeof body === "function") return;
  throw new TypeError(
    `Cannot ${action}: expected a function, as in ${example}, got ${describe(body)}`,
  );
}

/**
 * Throws unless this package creates the block, of which it gives a `part`: asyncio has the class for that, and
 * JavaScript no block that could wait for the end.
 *
 * @param example How a block is written.
 */
export function refuseForUsers(action: string, example: string, part: unknown): void {
  if (typeof part === "object" && part !== null) return;
  throw new TypeError(`Cannot ${action}: it is the argument of a function, as in ${example}`);
}

/** Runs `body(argument)` as part of `host`, which runs a coroutine of `task`. */
export function* runBody<S, T>(
  body: BlockBody<S, T>,
  argument: S,
  task: Task<unknown>,
  host: CoroutineHost,
): Coroutine<T> {
  if (isGeneratorFunction(body)) return yield* body(argument) as Coroutine<T>;
  refuseAsyncGenerator(body);
  // What is due comes to the scope when the coroutine waits for it.
  const cancelling = host.cancelling() - host[inside.dueCount]();
  const scope = new CancelScope(task, task.getContext(), null, cancelling);
  const value = scope.run(() => body(argument));
  const coroutine = coroutineIn(value);
  if (coroutine !== null) return yield* coroutine as Coroutine<T>;
  if (!isThenable(value)) return value as T;
  return yield* new FunctionPart(value as PromiseLike<T>, scope, host);
}

/** Runs `body(argument)` as part of an async function, inside `scope`. */
export function runBodyInFunction<S, T>(
  body: BlockBody<S, T>,
  argument: S,
  scope: CancelScope,
): Promise<T> {
  return scope.run(async () => {
    try {
      refuseAsyncGenerator(body);
      const value = body(argument);
      const coroutine = value instanceof Future ? null : coroutineIn(value);
      if (coroutine === null) return await value as T;
      return await startOperation(scope.loop, coroutine as Coroutine<T>);
    } catch (error) {
      throw cancellationIn(error, scope, scope) ?? error;
    }
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
    followPath(promise, (value) => this.#end("finished", value), (error) => {
      const cause = cancellationIn(error, scope, scope) ?? error;
      this.#end(cause instanceof CancelledError ? "cancelled" : "failed", cause);
    });
  }

  override [inside.passCancel](
    reason: CancelReason,
    routed: boolean,
  ): CancelVerdict | readonly CancelEdge[] {
    if (this.done()) return super[inside.passCancel](reason, routed);
    return [{ future: this.#scope, routed }];
  }

  override [inside.inWords](): string | null {
    return this.#scope[inside.awaited]().length === 0 ? "a foreign promise" : null;
  }

  override [inside.awaited](): Future<unknown>[] {
    return this.#scope[inside.awaited]();
  }

  #end(state: "finished" | "failed" | "cancelled", value: unknown): void {
    const due = this.#scope[inside.takeCancel]();
    this.#scope.close();
    // It ended before it came to an await: the coroutine gets the cancellation.
    if (due !== null) this.#host[inside.recancel](due);
    settle(this, state, value);
  }
}
