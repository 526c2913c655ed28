import * as inside from "../inside.ts";
import type { CancelReason } from "./_cancel_reason.ts";
import { type Cancellable, cancelThrough } from "./_cancel_walk.ts";

/**
 * Cancellations that found nothing to interrupt, until they are thrown: asyncio's `_must_cancel`.
 * Several arrive as one. Tasks, operations and scopes of async functions have one each.
 */
export class DueCancellation {
  #reasons: CancelReason[] = [];
  /** The last one that came, also when it was thrown. */
  last: CancelReason | undefined = undefined;

  /** Whether there is one. */
  get pending(): boolean {
    return this.#reasons.length > 0;
  }

  /** The one that is thrown next, if any: the newest, with an older cause rather than none. */
  get reason(): CancelReason | null {
    if (this.#reasons.length === 0) return null;
    return this.#reasons.reduce((earlier, later) => later.after(earlier));
  }

  /** Keeps `reason`. */
  add(reason: CancelReason): void {
    this.#reasons.push(reason);
    this.last = reason;
  }

  /** Takes what is kept, to throw it. */
  take(): CancelReason | null {
    const { reason } = this;
    if (reason !== null) this.clear();
    return reason;
  }

  /** Spends what is kept on `awaited`, which `waiting` waits for, if that can be interrupted. */
  spendOn(awaited: Cancellable, waiting: Cancellable): void {
    const { reason } = this;
    if (reason !== null && cancelThrough(awaited, reason, waiting)) this.clear();
  }

  /** Whether `reason` is kept. */
  has(reason: CancelReason): boolean {
    return this.#reasons.includes(reason);
  }

  /** Drops `reason`: who asked for it takes it back. */
  [inside.forget](reason: CancelReason): void {
    this.#reasons = this.#reasons.filter((each) => each !== reason);
  }

  /** Drops all. */
  clear(): void {
    this.#reasons = [];
  }
}
