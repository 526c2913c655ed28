import * as inside from "../inside.ts";
import { Step } from "../scheduling/step.ts";
import { noteShielded } from "../tasks/_unretrieved_errors.ts";
import type { EngineContext } from "../scheduling/_deno_engine_context.ts";
import type { Context } from "../scheduling/context.ts";
import { type Awaitable, ensureFuture } from "../tasks/ensure_future.ts";
import { addWaiter, Future, removeWaiter, settle, takeOutcome } from "../tasks/future.ts";
import { inWords } from "../values/in_words.ts";

/**
 * Waits for `awaitable` without passing a cancellation on to it. As `asyncio.shield()`.
 *
 * Cancelling the returned future, or the task that awaits it, leaves the inner one running. If
 * that then fails and nobody else looks at the error, the exception handler is told.
 *
 * @param awaitable A future, promise, coroutine or function; keep a reference to its task.
 *
 * @category Structure
 *
 * @example A cancelled wait leaves the work alone
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, run, shield, sleep, timeout } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const work = createTask(() => sleep(0.005, "done"));
 *   await timeout(0.001, () => shield(work)).catch(() => {});
 *   assertEquals(await work, "done");
 * });
 * ```
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  const inner = ensureFuture(awaitable);
  if (inner.done()) return inner;
  const outer = new Shield(inner);
  const onInnerDone = new Step(() => passOn(inner, outer));
  addWaiter(inner, onInnerDone);
  const onOuterDone = new Step(() => {
    if (inner.done()) return;
    removeWaiter(inner, onInnerDone);
    noteShielded(inner);
  });
  addWaiter(outer, onOuterDone);
  return outer;
}

/** What stands between the awaiter and the shielded future. */
class Shield<T> extends Future<T> {
  readonly #inner: Future<T>;

  constructor(inner: Future<T>) {
    super({ loop: inner.getLoop() });
    this.#inner = inner;
  }

  override get [inside.engineContext](): EngineContext | null | undefined {
    return this.#inner[inside.engineContext];
  }

  override get [inside.context](): Context | null {
    return this.#inner[inside.context];
  }

  override [inside.inWords](): string {
    return `shield of ${inWords(this.#inner)}`;
  }

  override [inside.awaited](): Future<unknown>[] {
    return this.#inner.done() ? [] : [this.#inner];
  }
}

function passOn(inner: Future<unknown>, outer: Future<unknown>): void {
  if (outer.done()) return;
  if (inner.cancelled()) outer.cancel(undefined, { cause: inner[inside.cancelReason]?.cause });
  else {
    const { failed, value } = takeOutcome(inner);
    settle(outer, failed ? "failed" : "finished", value);
  }
}
