import * as inside from "../inside.ts";
import { refuseTimeLimit } from "../values/time_limit.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { describe, lineOf } from "../values/_describe.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { Condition } from "./condition.ts";
import { BrokenBarrierError } from "../errors/errors.ts";
import type { Future } from "../tasks/future.ts";
import { startOperation } from "../tasks/start_operation.ts";
import type { Coroutine } from "../tasks/task.ts";
import { kindInWords } from "../values/in_words.ts";

/**
 * Where a barrier stands. While it drains or resets, tasks of the next round wait outside.
 */
type BarrierState = "filling" | "draining" | "resetting" | "broken";

/**
 * Holds tasks until a number of them has come. As `asyncio.Barrier`.
 *
 * @category Synchronisation
 *
 * @example Starting together
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Barrier, gather, run } from "@gyre/asyncio";
 *
 * const places = await run(() => {
 *   const barrier = new Barrier(2);
 *   return gather([() => barrier.wait(), () => barrier.wait()]);
 * });
 * assertEquals(places.sort(), [0, 1]);
 * ```
 */
export class Barrier {
  readonly #condition: Condition = new Condition();
  readonly #parties: number;
  #state: BarrierState = "filling";
  #count = 0;

  /**
   * Creates a barrier for `parties` tasks.
   *
   * @throws {RangeError} If `parties` is not a whole number of at least 1.
   */
  constructor(parties: number) {
    if (!Number.isInteger(parties) || parties < 1) {
      throw new RangeError(
        "Cannot create a barrier: expected a whole number of at least 1, " +
          `as in new Barrier(3), got ${describe(parties)}`,
      );
    }
    this.#parties = parties;
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Barrier filling waiting=2/3>`. */
  toString(): string {
    return lineOf(this, this.#state, { waiting: `${this.waiting}/${this.#parties}` });
  }

  /** @ignore */
  [inside.inWords](): string {
    return kindInWords(this, `${this.#count} of ${this.#parties}`);
  }

  /** How many tasks it waits for. */
  get parties(): number {
    return this.#parties;
  }

  /** How many tasks wait at it. As `n_waiting`. */
  get waiting(): number {
    return this.#state === "filling" ? this.#count : 0;
  }

  /** Whether it was aborted. */
  get broken(): boolean {
    return this.#state === "broken";
  }

  /**
   * Waits until all parties have come; gives this task's place, from 0 on.
   *
   * @throws {BrokenBarrierError} If the barrier is reset or aborted.
   */
  wait(): Future<number> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "barrier.wait()");
    const loop = requireLoop("wait at a barrier");
    return startOperation(loop, this.#waitSteps(), "barrier.wait of", this);
  }

  /** Empties the barrier: who waits gets a {@linkcode BrokenBarrierError}. */
  reset(): Future<void> {
    const change = () => {
      this.#state = this.#count === 0 ? "filling" : "resetting";
    };
    const loop = requireLoop("reset a barrier");
    return startOperation(loop, this.#change(change), "barrier.reset of", this);
  }

  /** Breaks the barrier for good: who waits or comes gets a {@linkcode BrokenBarrierError}. */
  abort(): Future<void> {
    const change = () => {
      this.#state = "broken";
    };
    const loop = requireLoop("abort a barrier");
    return startOperation(loop, this.#change(change), "barrier.abort of", this);
  }

  *#change(change: () => void): Coroutine<void> {
    yield* this.#condition.acquire();
    try {
      change();
      this.#condition.notifyAll();
    } finally {
      this.#condition.release();
    }
  }

  *#waitSteps(): Coroutine<number> {
    yield* this.#condition.acquire();
    try {
      yield* this.#waitUntilOpen();
      const place = this.#count;
      this.#count += 1;
      try {
        if (this.#count < this.#parties) yield* this.#waitUntilFull();
        else this.#release();
        return place;
      } finally {
        this.#count -= 1;
        this.#leave();
      }
    } finally {
      this.#condition.release();
    }
  }

  /** Waits until the tasks of the round before have left. */
  *#waitUntilOpen(): Coroutine<void> {
    yield* this.#condition.waitFor(() => this.#state !== "draining" && this.#state !== "resetting");
    if (this.#state === "broken") throw brokenBarrier("aborted");
  }

  *#waitUntilFull(): Coroutine<void> {
    yield* this.#condition.waitFor(() => this.#state !== "filling");
    if (this.#state === "broken") throw brokenBarrier("aborted");
    if (this.#state === "resetting") throw brokenBarrier("reset");
  }

  #release(): void {
    this.#state = "draining";
    this.#condition.notifyAll();
  }

  /** The last task to leave opens the barrier for the next round. */
  #leave(): void {
    if (this.#count > 0) return;
    if (this.#state === "draining" || this.#state === "resetting") this.#state = "filling";
    this.#condition.notifyAll();
  }
}

function brokenBarrier(state: string): BrokenBarrierError {
  return new BrokenBarrierError(`Cannot wait at a barrier: it was ${state}`);
}
