import * as inside from "../inside.ts";
import { Step } from "../scheduling/step.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { WAIT } from "../values/_options.ts";
import type { Runnable } from "../scheduling/_runnable.ts";
import { describe } from "../values/_describe.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import { toList } from "./_awaitable_list.ts";
import { ensureFuture } from "../tasks/ensure_future.ts";
import type { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { addWaiter, Future, removeWaiter } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import type { TimerHandle } from "../scheduling/timer_handle.ts";
import { secondsLeft } from "../values/in_words.ts";

/**
 * When {@linkcode wait} ends. An error counts for `firstException`, a cancellation does not.
 *
 * @category Structure
 */
export type ReturnWhen = "firstCompleted" | "firstException" | "allCompleted";

/**
 * Settings of {@linkcode wait}.
 *
 * @category Structure
 */
export interface WaitOptions {
  /** Seconds after which the wait ends; what is pending goes on. No limit by default. */
  timeout?: number | undefined;
  /** What ends the wait; `allCompleted` by default. */
  returnWhen?: ReturnWhen | undefined;
}

/**
 * What {@linkcode wait} gives.
 *
 * @category Structure
 */
export interface WaitResult<F extends Future<unknown>> {
  /** Futures that are done, in the order given. */
  done: Set<F>;
  /** Futures that are not. */
  pending: Set<F>;
}

/**
 * {@linkcode wait} ends with the first future that is done. As `asyncio.FIRST_COMPLETED`.
 *
 * @category Structure
 */
export const FIRST_COMPLETED = "firstCompleted";
/**
 * {@linkcode wait} ends with the first error, or as {@linkcode ALL_COMPLETED} if there is none.
 *
 * @category Structure
 */
export const FIRST_EXCEPTION = "firstException";
/**
 * {@linkcode wait} ends when all futures are done. As `asyncio.ALL_COMPLETED`.
 *
 * @category Structure
 */
export const ALL_COMPLETED = "allCompleted";

/**
 * Waits for futures without taking their results. As `asyncio.wait()`.
 *
 * It cancels nothing: not when the time is up, not when it is cancelled itself.
 *
 * @param futures The futures or tasks; at least one.
 * @param options Additional options.
 * @throws {RangeError} If there are no futures, or `returnWhen` is none of the three.
 * @throws {TypeError} If something else than a future is given: a coroutine needs a task, by
 * which it can be told apart in the result.
 *
 * @category Structure
 *
 * @example The first of two
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, run, sleep, wait } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const fast = createTask(() => sleep(0.001, "fast"));
 *   const slow = createTask(() => sleep(3600));
 *   const { done, pending } = await wait([fast, slow], { returnWhen: "firstCompleted" });
 *   assertEquals([done.has(fast), pending.has(slow)], [true, true]);
 * });
 * ```
 */
export function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = NO_OPTIONS,
): Future<WaitResult<F>> {
  const set = new Set(toList("wait", futures));
  checkOptions("wait", options, WAIT);
  const { returnWhen = ALL_COMPLETED, timeout = null } = options;
  if (set.size === 0) throw new RangeError("Cannot wait: the list of futures is empty");
  for (const future of set) {
    if (!(future instanceof Future)) {
      throw new TypeError(
        `Cannot wait: expected futures only, got ${
          describe(future)
        }; ensureFuture() makes one of it`,
      );
    }
    ensureFuture(future);
  }
  return new Wait(requireLoop("wait"), set, timeout, returnWhen);
}

class Wait<F extends Future<unknown>> extends Operation<WaitResult<F>> {
  readonly #watched: Map<F, Runnable> = new Map();
  readonly #returnWhen: ReturnWhen;
  readonly #timer: TimerHandle | null;
  #left: number;

  constructor(loop: EventLoop, futures: Set<F>, timeout: number | null, returnWhen: ReturnWhen) {
    super(loop[inside.ownOptions]);
    this.#returnWhen = returnWhen;
    this.#left = futures.size;
    this.#timer = timeout === null ? null : loop.callLater(timeout, () => this.wake());
    for (const future of futures) {
      const watcher = new Step(() => this.#futureDone(future));
      this.#watched.set(future, watcher);
      addWaiter(future, watcher);
    }
  }

  override [inside.inWords](now?: number): string {
    const timer = this.#timer;
    const limit = timer === null ? "" : `, ${secondsLeft(this.getLoop(), timer.when(), now)}`;
    return `wait for ${this.#watched.size} (${this.#left} left${limit})`;
  }

  override [inside.awaited](): Future<unknown>[] {
    return [...this.#watched.keys()].filter((future) => !future.done());
  }

  protected override resumed(): void {
    this.#unwatch();
    const done = new Set<F>();
    const pending = new Set<F>();
    for (const future of this.#watched.keys()) (future.done() ? done : pending).add(future);
    this.finish({ done, pending });
  }

  protected override interrupted(error: CancelledError): void {
    this.#unwatch();
    this.fail(error);
  }

  #futureDone(future: F): void {
    this.#left -= 1;
    if (this.#left === 0 || this.#endsWait(future)) {
      this.#timer?.cancel();
      this.wake();
    } else this.getLoop()[inside.unretrievedErrors].postpone(future);
  }

  #endsWait(future: F): boolean {
    if (this.#returnWhen === FIRST_COMPLETED) return true;
    return this.#returnWhen === FIRST_EXCEPTION && !future.cancelled() &&
      future.exception() !== null;
  }

  #unwatch(): void {
    this.#timer?.cancel();
    for (const [future, watcher] of this.#watched) {
      removeWaiter(future, watcher);
      this.getLoop()[inside.unretrievedErrors].restart(future);
    }
  }
}
