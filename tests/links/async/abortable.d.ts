/** Follows `p`, but rejects with the signal's reason once `signal` aborts. */
export function abortable<T>(p: Promise<T>, signal: AbortSignal): Promise<T>;
/** Follows `p`, but throws the signal's reason once `signal` aborts. */
export function abortable<T>(p: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T>;
