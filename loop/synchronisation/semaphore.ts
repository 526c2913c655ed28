import * as inside from "../inside.ts";
import { refuseTimeLimit } from "../values/time_limit.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { describe, lineOf } from "../values/_describe.ts";
import { Held } from "./_held.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import type { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import { inWords, kindInWords, waitingInWords } from "../values/in_words.ts";

/**
 * Lets a number of tasks at a time through. As `asyncio.Semaphore`.
 *
 * Waiters go first come, first served; a permit given to a waiter that is cancelled goes on to
 * the next.
 *
 * @category Synchronisation
 *
 * @example At most two at a time
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gather, run, Semaphore, sleep } from "@gyre/asyncio";
 *
 * let inside = 0, most = 0;
 * await run(async () => {
 *   const semaphore = new Semaphore(2);
 *   const visit = async () => {
 *     using _permit = await semaphore.acquire();
 *     most = Math.max(most, ++inside);
 *     await sleep(0);
 *     inside -= 1;
 *   };
 *   await gather([visit, () => visit(), () => visit()]);
 * });
 * assertEquals(most, 2);
 * ```
 */
export class Semaphore {
  #value: number;
  /** In the order of arrival; who fills it is bounded by the number of tasks. */
  readonly #waiters: Set<Acquire> = new Set();

  /**
   * Creates a semaphore with `value` permits.
   *
   * @throws {RangeError} If `value` is not a whole number of at least 0.
   */
  constructor(value = 1) {
    if (!Number.isInteger(value) || value < 0) {
      throw new RangeError(
        "Cannot create a semaphore: expected a whole number of at least 0, " +
          `as in new Semaphore(3), got ${describe(value)}`,
      );
    }
    this.#value = value;
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Semaphore unlocked value=3>`. */
  toString(): string {
    const state = this.locked() ? "locked" : "unlocked";
    return lineOf(this, state, { value: this.#value, waiters: this.#waiters.size });
  }

  /** @ignore */
  [inside.inWords](): string {
    return kindInWords(this, `${this.#value} free`, waitingInWords(this.#waiters.size));
  }

  /** How many permits are free. */
  get value(): number {
    return this.#value;
  }

  /** Whether `acquire()` would wait. */
  locked(): boolean {
    if (this.#value === 0) return true;
    for (const waiter of this.#waiters) if (!waiter.givingUp) return true;
    return false;
  }

  /**
   * Takes a permit, waiting until one is free.
   *
   * @returns What gives the permit back at the end of a `using` block.
   */
  acquire(): Future<Disposable> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "semaphore.acquire()");
    return new Acquire(requireLoop("acquire a semaphore"), this);
  }

  /** Gives a permit back; the first waiter gets it in the next iteration. */
  release(): void {
    this.#value += 1;
    this.#wakeNext();
  }

  /** @ignore Takes a permit if one is free and nobody waits. */
  [inside.tryAcquire](): boolean {
    if (this.locked()) return false;
    this.#value -= 1;
    return true;
  }

  /** @ignore `waiter` waits for a permit. */
  [inside.addWaiter](waiter: Acquire): void {
    this.#waiters.add(waiter);
  }

  /** @ignore `waiter` goes on with its permit, or gives up; `returned` permits come back. */
  [inside.removeWaiter](waiter: Acquire, returned: number): void {
    this.#waiters.delete(waiter);
    this.#value += returned;
    // Others may have had to queue behind this one while permits were free.
    while (this.#value > 0 && this.#wakeNext());
  }

  /** Gives a free permit to the first waiter that has none. */
  #wakeNext(): boolean {
    for (const waiter of this.#waiters) {
      if (!waiter.wake()) continue;
      this.#value -= 1;
      return true;
    }
    return false;
  }
}

/**
 * A semaphore that refuses to be released more often than acquired. As `asyncio.BoundedSemaphore`.
 *
 * @category Synchronisation
 */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  /** Creates a semaphore with `value` permits, and never more. */
  constructor(value = 1) {
    super(value);
    this.#bound = value;
  }

  /**
   * Gives a permit back.
   *
   * @throws {RangeError} If all permits are free.
   */
  override release(): void {
    if (this.value >= this.#bound) {
      throw new RangeError(`Cannot release a semaphore: all ${this.#bound} permits are free`);
    }
    super.release();
  }
}

/** One wait for a permit. */
class Acquire extends Operation<Disposable> {
  readonly #semaphore: Semaphore;

  constructor(loop: EventLoop, semaphore: Semaphore) {
    super(loop[inside.ownOptions]);
    this.#semaphore = semaphore;
    if (semaphore[inside.tryAcquire]()) this.finish(new Held(semaphore));
    else semaphore[inside.addWaiter](this);
  }

  override [inside.inWords](): string {
    return `semaphore.acquire of ${inWords(this.#semaphore)}`;
  }

  protected override resumed(): void {
    this.#semaphore[inside.removeWaiter](this, 0);
    this.finish(new Held(this.#semaphore));
  }

  protected override interrupted(error: CancelledError, woken: boolean): void {
    this.#semaphore[inside.removeWaiter](this, woken ? 1 : 0);
    this.fail(error);
  }
}
