import * as inside from "../inside.ts";
import { Step } from "../scheduling/step.ts";
import { requireLoop } from "../scheduling/_current.ts";
import type { CancelScope } from "../tasks/_cancel_scope.ts";
import { CallerOperation } from "./_caller_operation.ts";
import { runBodyInFunction } from "./_block_body.ts";
import { checkSeconds } from "../values/_seconds.ts";
import { type Awaitable, checkAwaitable, ensureFuture } from "../tasks/ensure_future.ts";
import type { EventLoop } from "../event_loop.ts";
import { addWaiter, Future, removeWaiter } from "../tasks/future.ts";
import { isCoroutine } from "../values/is_coroutine.ts";
import { refuseAsyncGenerator } from "../values/_function_kind.ts";
import type { Coroutine } from "../tasks/task.ts";
import { timedOut, timeout as limitTime } from "./timeout.ts";

/**
 * Waits for `awaitable` with a time limit. As `asyncio.wait_for()`.
 *
 * At the limit the awaitable is cancelled, and the wait ends with a `TimeoutError` once it has
 * cleaned up. If it refuses and gives a value, that counts. With a limit of zero or less, what
 * is not done is cancelled at once; a coroutine or function is then never started.
 *
 * @param awaitable A future, promise, coroutine or function.
 * @param timeout Seconds; `null` for no limit.
 * @throws {TypeError} If `awaitable` cannot be waited for, or `timeout` is neither.
 * @throws {RangeError} If `timeout` is `NaN`.
 *
 * @category Structure
 *
 * @example An answer in time, or none
 * ```ts
 * import { assertEquals, assertRejects } from "@std/assert";
 * import { run, sleep, TimeoutError, waitFor } from "@gyre/asyncio";
 *
 * assertEquals(await run(() => waitFor(sleep(0, "answer"), 1)), "answer");
 * await assertRejects(() => run(() => waitFor(sleep(3600), 0.001)), TimeoutError);
 * ```
 */
export function waitFor<T>(awaitable: Awaitable<T>, timeout: number | null): Future<T> {
  checkAwaitable(awaitable);
  if (timeout !== null) checkSeconds("wait", "timeout", timeout);
  if (timeout === null || !(timeout <= 0)) return limitTime(timeout, () => start(awaitable));
  return new WaitForNow(requireLoop("wait"), awaitable);
}

/** Starts `awaitable` in the frame of the caller, as `await` does. */
function start<T>(awaitable: Awaitable<T>): Coroutine<T> | PromiseLike<T> | T {
  if (awaitable instanceof Future || isCoroutine(awaitable)) return awaitable as Coroutine<T>;
  if (typeof awaitable !== "function") return ensureFuture(awaitable);
  refuseAsyncGenerator(awaitable);
  return awaitable();
}

/** `waitFor()` with no time at all. */
class WaitForNow<T> extends CallerOperation<T> {
  readonly #awaitable: Awaitable<T>;

  constructor(loop: EventLoop, awaitable: Awaitable<T>) {
    super(loop);
    this.#awaitable = awaitable;
  }

  override [inside.inWords](): string {
    return "timeout";
  }

  protected override *steps(): Coroutine<T> {
    const future = ensureFuture(this.#awaitable);
    if (future.done()) return future.result();
    yield* cancelAndWait(future);
    try {
      return future.result();
    } catch (error) {
      throw timedOut(error);
    }
  }

  protected override runInFunction(scope: CancelScope): Promise<T> {
    return runBodyInFunction(() => this.steps(), undefined, scope);
  }
}

/** Cancels `future` and waits until it has ended, whatever it ends with. */
function* cancelAndWait(future: Future<unknown>): Coroutine<void> {
  const ended = future.getLoop().createFuture<void>();
  const watcher = new Step(() => {
    if (!ended.done()) ended.setResult();
  });
  addWaiter(future, watcher);
  try {
    future.cancel();
    yield* ended;
  } finally {
    removeWaiter(future, watcher);
  }
}
