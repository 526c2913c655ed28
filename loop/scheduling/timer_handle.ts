import * as inside from "../inside.ts";
import { type Callback, Handle } from "./handle.ts";
import type { EventLoop } from "../event_loop.ts";
import type { ContextValues } from "./context.ts";

/** Whether timer `a` fires before timer `b`. */
export let firesBefore: (a: TimerHandle, b: TimerHandle) => boolean;
/** The timer is no longer pending. */
export let leaveQueue: (timer: TimerHandle) => void;

/**
 * A callback scheduled for a time. Returned by `callLater` and `callAt`; as `asyncio.TimerHandle`.
 *
 * @category Scheduling
 */
export class TimerHandle extends Handle {
  readonly #when: number;
  /** Position among the timers of the same deadline: they fire in the order scheduled. */
  readonly #sequence: number;
  /** Told once when a pending timer is cancelled; `null` when it is not pending any more. */
  #queue: { noteCancelled(): void } | null;

  /** @ignore Timers are created by the loop. */
  constructor(
    loop: EventLoop,
    when: number,
    sequence: number,
    callback: Callback,
    args: readonly unknown[],
    values: ContextValues,
    queue: { noteCancelled(): void },
  ) {
    super(loop, callback, args, values);
    this.#when = when;
    this.#sequence = sequence;
    this.#queue = queue;
  }

  /** Returns the time of the call, in seconds of the loop's clock. */
  when(): number {
    return this.#when;
  }

  /** Says what it calls and when, as `repr()`: `<TimerHandle tick() when=1.5>`. */
  override toString(): string {
    return this[inside.text]({ when: this.#when });
  }

  /** Prevents the call. Takes constant time, however many timers there are. */
  override cancel(): void {
    const pending = this.#queue !== null && !this.cancelled();
    super.cancel();
    if (pending) this.#queue?.noteCancelled();
  }

  static {
    firesBefore = (a, b) => a.#when < b.#when || (a.#when === b.#when && a.#sequence < b.#sequence);
    leaveQueue = (timer) => {
      timer.#queue = null;
    };
  }
}
