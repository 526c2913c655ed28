import * as inside from "../inside.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { checkSeconds } from "../values/_seconds.ts";
import type { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import type { TimerHandle } from "../scheduling/timer_handle.ts";
import { secondsLeft } from "../values/in_words.ts";

/**
 * Waits for `delay` seconds, then gives `result`. As `asyncio.sleep()`.
 *
 * A delay of zero or less gives every other ready callback its turn first. Cancelling removes
 * the timer at once. `Infinity` sleeps until cancelled.
 *
 * @param delay Seconds.
 * @param result What the sleeper gets.
 * @throws {TypeError} If `delay` is not a number.
 * @throws {RangeError} If it is `NaN`.
 * @throws {InvalidStateError} If no loop is running here.
 *
 * @category Structure
 *
 * @example Sleeping
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, sleep } from "@gyre/asyncio";
 *
 * assertEquals(await run(() => sleep(0.001, "awake")), "awake");
 * ```
 */
export function sleep(delay: number): Future<void>;
/**
 * Waits for `delay` seconds, then gives `result`.
 *
 * @category Structure
 */
export function sleep<T>(delay: number, result: T): Future<T>;
export function sleep<T>(delay: number, result?: T): Future<T> {
  checkSeconds("sleep", "delay", delay);
  return new Sleep(requireLoop("sleep"), delay, result as T);
}

class Sleep<T> extends Operation<T> {
  readonly #result: T;
  /** `null` when the delay is zero: then the wake-up is in the queue from the start. */
  readonly #timer: TimerHandle | null;

  constructor(loop: EventLoop, delay: number, result: T) {
    super(loop[inside.ownOptions]);
    this.#result = result;
    if (delay > 0) this.#timer = loop.callLater(delay, wake, this);
    else {
      this.#timer = null;
      this.wake();
    }
  }

  override [inside.inWords](now?: number): string {
    const timer = this.#timer;
    return timer === null ? "sleep" : `sleep ${secondsLeft(this.getLoop(), timer.when(), now)}`;
  }

  protected override resumed(): void {
    this.finish(this.#result);
  }

  protected override interrupted(error: CancelledError): void {
    this.#timer?.cancel();
    this.fail(error);
  }
}

function wake(operation: Operation<unknown>): void {
  operation.wake();
}
