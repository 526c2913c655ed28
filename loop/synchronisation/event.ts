import * as inside from "../inside.ts";
import { refuseTimeLimit } from "../values/time_limit.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { lineOf } from "../values/_describe.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import type { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import { kindInWords, waitingInWords } from "../values/in_words.ts";

/**
 * A flag that tasks can wait for. As `asyncio.Event`.
 *
 * @category Synchronisation
 *
 * @example Waking all who wait
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Event, gather, getRunningLoop, run } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const ready = new Event();
 *   getRunningLoop().callSoon(() => ready.set());
 *   assertEquals(await gather([ready.wait(), ready.wait()]), [true, true]);
 * });
 * ```
 */
export class Event {
  #set = false;
  /** Bounded by the number of tasks. */
  readonly #waiters: Set<WaitForEvent> = new Set();

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Event unset waiters=2>`. */
  toString(): string {
    return lineOf(this, this.#set ? "set" : "unset", { waiters: this.#waiters.size });
  }

  /** @ignore */
  [inside.inWords](): string {
    const state = this.#set ? "set" : "unset";
    return kindInWords(this, state, waitingInWords(this.#waiters.size));
  }

  /** @ignore What waiting for it is called. */
  [inside.waitInWords](): string {
    return `event.wait of ${this[inside.inWords]()}`;
  }

  /** Whether the flag is set. */
  isSet(): boolean {
    return this.#set;
  }

  /** Sets the flag. Who waits now wakes, also if the flag is cleared before it runs. */
  set(): void {
    if (this.#set) return;
    this.#set = true;
    for (const waiter of this.#waiters) waiter.wake();
  }

  /** Clears the flag. */
  clear(): void {
    this.#set = false;
  }

  /** Waits until the flag is set; gives `true`. Does not wait if it is. */
  wait(): Future<true> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "event.wait()");
    return new WaitForEvent(requireLoop("wait for an event"), this, this.#waiters);
  }
}

class WaitForEvent extends Operation<true> {
  readonly #event: Event;
  readonly #waiters: Set<WaitForEvent>;

  constructor(loop: EventLoop, event: Event, waiters: Set<WaitForEvent>) {
    super(loop[inside.ownOptions]);
    this.#event = event;
    this.#waiters = waiters;
    if (event.isSet()) this.finish(true);
    else waiters.add(this);
  }

  override [inside.inWords](): string {
    return this.#event[inside.waitInWords]();
  }

  protected override resumed(): void {
    this.#waiters.delete(this);
    this.finish(true);
  }

  protected override interrupted(error: CancelledError): void {
    this.#waiters.delete(this);
    this.fail(error);
  }
}
