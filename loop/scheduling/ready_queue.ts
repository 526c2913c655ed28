import type { Runnable } from "./_runnable.ts";

export type { Runnable } from "./_runnable.ts";

/**
 * The entries that a loop runs next. The loop's own queue keeps their order; a simulation puts
 * one in its place that tries others.
 */
export interface ReadyQueue {
  /** How many entries wait. */
  readonly size: number;
  /** Adds `entry`. */
  push(entry: Runnable): void;
  /** Takes the entry that runs now. The queue must not be empty. */
  shift(): Runnable;
  /** Gives back the room that a burst took. Called while the queue is empty. */
  trim(): void;
  /** Removes all entries. */
  clear(): void;
}
