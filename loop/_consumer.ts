/**
 * How a future and who waits for it speak to each other.
 *
 * @module
 */
import type { Runnable } from "./_runnable.ts";
import type { CancelledError } from "./errors.ts";
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
  _resume(): void;
  /** Who keeps a cancellation that found nothing to interrupt; `null` for nobody. */
  _root(): CancelRoot | null;
}

/** Keeps a cancellation until the next step that the loop drives. */
export interface CancelRoot {
  /** Takes the cancellation that is due, or returns `null`. */
  takeCancel(): CancelledError | null;
  /** Spends the cancellation that is due on `awaited`, if it can be interrupted. */
  spendCancel(awaited: Interruptible): void;
}

/**
 * What a timeout or a group in a coroutine cuts short: a task, or an operation, of which a task
 * may run several at a time.
 */
export interface CoroutineHost {
  /** The task itself, or the one that the operation is part of. */
  readonly _task: Task<unknown> | null;
  /** Throws `CancelledError` where the coroutine waits. */
  cancel(message?: string): unknown;
  /** How many cancellations were asked for and not taken back, of the whole task too. */
  cancelling(): number;
  /** Takes one cancellation back. Returns how many are left. */
  uncancel(): number;
  /** Throws a `CancelledError` at the next wait for one that was counted before. */
  recancel(message?: string): void;
}

/** Something that waits and can be woken for a cancellation. */
export interface Interruptible {
  /** Ends the wait. */
  _interrupt(message?: string): boolean;
}
