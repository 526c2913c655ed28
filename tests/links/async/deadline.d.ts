/** Options for {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Ends the wait early: its promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Follows `p`, but rejects with a `TimeoutError` after `ms` milliseconds. */
export function deadline<T>(p: Promise<T>, ms: number, options?: DeadlineOptions): Promise<T>;
