/**
 * How a future and who waits for it speak to each other.
 *
 * @module
 */
import type * as inside from "../inside.ts";
import type { CancelReason } from "./_cancel_reason.ts";
import type { Cancellable } from "./_cancel_walk.ts";
import type { Runnable } from "../scheduling/_runnable.ts";
import type { Task } from "./task.ts";

/** What resolves a native promise. */
export type Resolve<T> = (value: T) => void;
/** What rejects a native promise. */
export type Reject = (reason: unknown) => void;

/**
 * What waits for a future: a task, an operation, or an `await` of an async function.
 *
 * A bare future adds it to the ready queue. An operation resumes its first consumer within the
 * callback that completes it, as a nested coroutine returns to its caller.
 */
export interface Consumer extends Runnable {
  /** Goes on with what the operation gave. */
  [inside.resume](): void;
  /** Who keeps a cancellation that found nothing to interrupt; `null` for nobody. */
  [inside.root](): CancelRoot | null;
}

/** Keeps a cancellation until the next step that the loop drives. */
export interface CancelRoot {
  /** Takes the cancellation that is due, or returns `null`. */
  [inside.takeCancel](): CancelReason | null;
  /** Spends the cancellation that is due on `awaited`, if it can be interrupted. */
  [inside.spendCancel](awaited: Cancellable): void;
}

/** What a timeout or a group cuts short: a coroutine, or the scope of an async function. */
export interface CancelHost extends Cancellable {
  /** Throws `CancelledError` where it waits. */
  [inside.cancel](reason: CancelReason): unknown;
  /** How many cancellations were asked for and not taken back, of the whole task too. */
  cancelling(): number;
  /** Takes one cancellation back. Returns how many are left. */
  uncancel(): number;
  /** How many of them were asked for but not thrown yet: 1 if any, as they arrive as one. */
  [inside.dueCount](): number;
  /** Throws a `CancelledError` at the next wait for one that was counted before. */
  [inside.recancel](reason: CancelReason): void;
  /** Drops `reason`, if it was not thrown yet: who asked takes it back. */
  [inside.forget](reason: CancelReason): void;
}

/** A coroutine as a host: that of a task, or of an operation, of which a task may run several. */
export interface CoroutineHost extends CancelHost {
  /** The task itself, or the one that the operation is part of. */
  readonly [inside.task]: Task<unknown> | null;
}
