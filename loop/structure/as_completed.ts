import * as inside from "../inside.ts";
import { Step } from "../scheduling/step.ts";
import { runningLoop } from "../scheduling/_current.ts";
import { AS_COMPLETED } from "../values/_options.ts";
import type { Runnable } from "../scheduling/_runnable.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import { listAwaitables } from "./_awaitable_list.ts";
import { type Awaitable, futureOfChecked } from "../tasks/ensure_future.ts";
import { TimeoutError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { addWaiter, Future, removeWaiter } from "../tasks/future.ts";
import { Queue } from "../synchronisation/queue.ts";
import { startOperation } from "../tasks/start_operation.ts";
import type { Coroutine } from "../tasks/task.ts";
import type { TimerHandle } from "../scheduling/timer_handle.ts";

/**
 * Settings of {@linkcode asCompleted}.
 *
 * @category Structure
 */
export interface AsCompletedOptions {
  /** Seconds after which the remaining waits fail with a `TimeoutError`. No limit by default. */
  timeout?: number | undefined;
}

/**
 * A future that is done, as `for await` gives it: `result()` and `exception()` say how it ended.
 *
 * It is the future itself, and `await` gives its result too; only the types do not know that. Of
 * what has a `then()` TypeScript gives a first `for await` the type, and a second one over the same
 * type that of the result.
 *
 * @category Structure
 */
export type FinishedFuture<T> = Future<T> & {
  /** Nothing to wait for: take `result()`. */
  // deno-lint-ignore no-explicit-any
  readonly then: any;
};

/**
 * What {@linkcode asCompleted} gives: one wait after the other, or the finished futures.
 *
 * @category Structure
 */
export interface Completions<T> extends IterableIterator<Future<T>, undefined> {
  /** Serves `for await`: gives each future once it is done. */
  [Symbol.asyncIterator](): AsyncIterator<FinishedFuture<T>, undefined>;
}

/**
 * Gives awaitables in the order in which they finish. As `asyncio.as_completed()`.
 *
 * `for await` gives the futures themselves, done. A plain `for` gives one wait after the other,
 * each to be awaited for the next result, or its error.
 *
 * @param awaitables Futures, promises, coroutines, or functions, which become tasks.
 * @param options Additional options.
 * @throws {TypeError} If they are no list, as in `asCompleted(a, b)`, or one cannot be waited for.
 * @throws {RangeError} If `timeout` is `NaN`.
 *
 * @category Structure
 *
 * @example The fastest first
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { asCompleted, run, sleep } from "@gyre/asyncio";
 *
 * const names: string[] = [];
 * await run(async () => {
 *   for await (const done of asCompleted([sleep(0.01, "slow"), sleep(0, "fast")])) {
 *     names.push(done.result());
 *   }
 * });
 * assertEquals(names, ["fast", "slow"]);
 * ```
 */
export function asCompleted<T>(
  awaitables: Iterable<Awaitable<T>>,
  options: AsCompletedOptions = NO_OPTIONS,
): Completions<T> {
  const list = listAwaitables("asCompleted", awaitables);
  checkOptions("wait for futures", options, AS_COMPLETED);
  const { timeout = null } = options;
  const loop = runningLoop();
  const futures = new Set<Future<T>>();
  const known = new Set<Awaitable<T>>();
  for (const awaitable of list) {
    if (known.has(awaitable)) continue;
    // A function is no awaitable itself, it makes one: each time it is given.
    if (typeof awaitable !== "function") known.add(awaitable);
    futures.add(futureOfChecked(awaitable, loop));
  }
  return new CompletionOrder(futures, timeout);
}

/**
 * What all waits of one `asCompleted()` wait for: it stands between them and the futures, so that
 * who looks at the graph finds as many edges as there are of both, not each with each.
 */
class Remaining extends Future<void> {
  readonly #pending: ReadonlyMap<Future<unknown>, Runnable>;

  constructor(loop: EventLoop, pending: ReadonlyMap<Future<unknown>, Runnable>) {
    super({ loop });
    this.#pending = pending;
  }

  override [inside.inWords](): string {
    return `the next of ${this.#pending.size}`;
  }

  override [inside.awaited](): Future<unknown>[] {
    return [...this.#pending.keys()];
  }
}

/** A queue that knows which futures may still come into it. */
class FinishedQueue<T> extends Queue<Future<T> | null> {
  readonly #pending: ReadonlyMap<Future<T>, Runnable>;
  #hub: Remaining | null = null;

  constructor(pending: ReadonlyMap<Future<T>, Runnable>) {
    super();
    this.#pending = pending;
  }

  /** It is none of the program's. */
  override [inside.figures](): void {}

  override [inside.waitInWords](): string {
    return `asCompleted (${this.#pending.size} left)`;
  }

  override [inside.sources](): Future<unknown>[] {
    if (this.#pending.size === 0) return [];
    const { value } = this.#pending.keys().next();
    return [this.#hub ??= new Remaining((value as Future<T>).getLoop(), this.#pending)];
  }
}

class CompletionOrder<T> implements Completions<T> {
  readonly #futures: ReadonlySet<Future<T>>;
  readonly #pending: Map<Future<T>, Runnable> = new Map();
  /** Finished futures; `null` when the time is up. */
  readonly #finished: Queue<Future<T> | null> = new FinishedQueue(this.#pending);
  readonly #loop: EventLoop | null = null;
  readonly #timer: TimerHandle | null = null;
  /** Waits that were not handed out yet. */
  #left: number;
  /** Whether no more waits are asked for. */
  #closed = false;

  constructor(futures: Set<Future<T>>, timeout: number | null) {
    this.#futures = futures;
    this.#left = futures.size;
    for (const future of futures) {
      const watcher = new Step(() => this.#futureDone(future));
      this.#pending.set(future, watcher);
      this.#loop = future.getLoop();
      addWaiter(future, watcher);
    }
    if (timeout !== null && this.#loop !== null) {
      this.#timer = this.#loop.callLater(timeout, () => this.#expire());
    }
  }

  next(): IteratorResult<Future<T>, undefined> {
    if (this.#loop === null || this.#left === 0) return { done: true, value: undefined };
    this.#left -= 1;
    return { done: false, value: startOperation(this.#loop, this.#nextResult()) };
  }

  return(): IteratorResult<Future<T>, undefined> {
    return this.#leave();
  }

  /** The loop over it is left: waits that were handed out go on, the rest is as any future. */
  #leave(): IteratorReturnResult<undefined> {
    this.#closed = true;
    this.#left = 0;
    for (const future of this.#futures) future.getLoop()[inside.unretrievedErrors].restart(future);
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<FinishedFuture<T>, undefined> {
    return { next: () => this.#nextDone(), return: () => Promise.resolve(this.#leave()) };
  }

  async #nextDone(): Promise<IteratorResult<FinishedFuture<T>, undefined>> {
    if (this.#loop === null || this.#left === 0) return { done: true, value: undefined };
    this.#left -= 1;
    try {
      const { future } = await startOperation(this.#loop, this.#nextFuture());
      return { done: false, value: future as FinishedFuture<T> };
    } catch (error) {
      // The time is up, or the task is cancelled: a loop does not call return() then.
      this.#leave();
      throw error;
    }
  }

  *#nextResult(): Coroutine<T> {
    const { future } = yield* this.#nextFuture();
    return future.result();
  }

  /** The next future to finish; in an object, as a future that is a result would be awaited. */
  *#nextFuture(): Coroutine<{ future: Future<T> }> {
    const future = yield* this.#finished.get();
    if (future === null) {
      throw new TimeoutError("Cannot wait for the remaining futures: the time limit has passed");
    }
    future.getLoop()[inside.unretrievedErrors].restart(future);
    return { future };
  }

  #futureDone(future: Future<T>): void {
    this.#pending.delete(future);
    if (!this.#closed) future.getLoop()[inside.unretrievedErrors].postpone(future);
    this.#finished.putNowait(future);
    if (this.#pending.size === 0) this.#timer?.cancel();
  }

  #expire(): void {
    for (const [future, watcher] of this.#pending) {
      removeWaiter(future, watcher);
      this.#finished.putNowait(null);
    }
    this.#pending.clear();
  }
}
