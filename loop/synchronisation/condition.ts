import * as inside from "../inside.ts";
import { refuseTimeLimit } from "../values/time_limit.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { describe, lineOf } from "../values/_describe.ts";
import { checkPlain } from "../values/_function_kind.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { checkArgument, WHOLE } from "../values/check_options.ts";
import { CancelledError, InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Lock } from "./lock.ts";
import { startOperation } from "../tasks/start_operation.ts";
import type { Coroutine } from "../tasks/task.ts";
import { kindInWords, waitingInWords } from "../values/in_words.ts";

/**
 * A lock with a way to wait until another task has changed something. As `asyncio.Condition`.
 *
 * A task may wake without need, when a notified one was cancelled: check what you waited for, or
 * use {@linkcode waitFor}.
 *
 * @category Synchronisation
 *
 * @example Waiting for a state
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Condition, createTask, run } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const condition = new Condition();
 *   let ready = false;
 *   const waiting = createTask(async () => {
 *     using _held = await condition.acquire();
 *     await condition.waitFor(() => ready);
 *     return "seen";
 *   });
 *   {
 *     using _held = await condition.acquire();
 *     ready = true;
 *     condition.notifyAll();
 *   }
 *   assertEquals(await waiting, "seen");
 * });
 * ```
 */
export class Condition {
  readonly #lock: Lock;
  /** Bounded by the number of tasks. */
  readonly #waiters: Set<Future<void>> = new Set();

  /** Creates a condition over `lock`; by default over one of its own. */
  constructor(lock: Lock = new Lock()) {
    if (!(lock instanceof Lock)) {
      throw new TypeError(
        `Cannot create a condition: expected a Lock, as in new Condition(lock), got ${
          describe(lock)
        }`,
      );
    }
    this.#lock = lock;
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Condition locked waiters=2>`. */
  toString(): string {
    return lineOf(this, this.locked() ? "locked" : "unlocked", { waiters: this.#waiters.size });
  }

  /** @ignore */
  [inside.inWords](): string {
    return kindInWords(this, waitingInWords(this.#waiters.size));
  }

  /** Whether the lock is held. */
  locked(): boolean {
    return this.#lock.locked();
  }

  /** Takes the lock; see {@linkcode Lock.acquire}. */
  acquire(): Future<Disposable> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "condition.acquire()");
    return this.#lock.acquire();
  }

  /** Gives the lock back. */
  release(): void {
    this.#lock.release();
  }

  /**
   * Gives the lock back, waits to be notified, and takes the lock again, also when cancelled.
   *
   * @throws {InvalidStateError} If the lock is not held.
   */
  wait(): Future<true> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "condition.wait()");
    this.#checkLocked("wait on");
    const loop = requireLoop("wait on a condition");
    return startOperation(loop, this.#waitSteps(loop), "condition.wait of", this);
  }

  /**
   * Waits until `predicate()` gives something true, and gives that.
   *
   * @throws {TypeError} If `predicate` is no plain function: a promise is always true.
   */
  waitFor<T>(predicate: () => T): Future<T> {
    checkPlain(predicate, "wait on a condition");
    const loop = requireLoop("wait on a condition");
    return startOperation(loop, this.#waitForSteps(predicate), "condition.waitFor of", this);
  }

  /**
   * Wakes up to `count` waiting tasks. They go on once they get the lock.
   *
   * @throws {InvalidStateError} If the lock is not held.
   */
  notify(count = 1): void {
    this.#checkLocked("notify");
    checkArgument("notify", "the count", count, WHOLE);
    this.#notify(count);
  }

  /** Wakes all waiting tasks. */
  notifyAll(): void {
    this.notify(Infinity);
  }

  *#waitSteps(loop: EventLoop): Coroutine<true> {
    try {
      const woken = loop.createFuture<void>();
      this.#waiters.add(woken);
      this.release();
      try {
        yield* woken;
      } finally {
        this.#waiters.delete(woken);
        yield* this.#reacquire();
      }
      return true;
    } catch (error) {
      // A notification may have come for a task that will not act on it: another one gets it.
      this.#notify(1);
      throw error;
    }
  }

  /** Takes the lock whatever happens; then throws the newest cancellation that came meanwhile. */
  *#reacquire(): Coroutine<void> {
    let cancelled: CancelledError | null = null;
    for (;;) {
      try {
        yield* this.acquire();
        break;
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        cancelled = error;
      }
    }
    if (cancelled !== null) throw cancelled;
  }

  *#waitForSteps<T>(predicate: () => T): Coroutine<T> {
    let result = predicate();
    while (!result) {
      yield* this.wait();
      result = predicate();
    }
    return result;
  }

  #notify(count: number): void {
    let left = count;
    for (const waiter of this.#waiters) {
      if (left <= 0) return;
      if (waiter.done()) continue;
      left -= 1;
      waiter.setResult();
    }
  }

  #checkLocked(action: string): void {
    if (!this.locked()) {
      throw new InvalidStateError(`Cannot ${action} a condition: its lock is not acquired`);
    }
  }
}
