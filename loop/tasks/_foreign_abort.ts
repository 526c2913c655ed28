import { CancelledError } from "../errors/errors.ts";

/** An `AbortSignal` that was given to foreign code, or what it aborted with: `null` if it did not. */
interface Aborting {
  readonly reason: unknown;
}

/**
 * The cancellation that `error` is, if foreign code has wrapped it, or says in words of its own
 * that it was aborted; `null` if it is none.
 *
 * @param host Who was cancelled.
 * @param signals What was given to foreign code.
 */
export function cancellationIn(
  error: unknown,
  host: { cancelling(): number },
  ...signals: readonly (Aborting | null)[]
): CancelledError | null {
  if (error instanceof CancelledError) return error;
  try {
    const suppressed = fromSuppressed(error);
    if (suppressed !== null || host.cancelling() === 0) return suppressed;
    return fromAggregate(error) ?? fromAbort(error, signals);
  } catch {
    // Its parts throw when they are looked at.
    return null;
  }
}

/** An `await using` that was cancelled in its block and again in its disposal. */
function fromSuppressed(error: unknown): CancelledError | null {
  if (!(error instanceof SuppressedError)) return null;
  const newest = error.error instanceof CancelledError ? error.error : fromSuppressed(error.error);
  const older = error.suppressed;
  const isCancelled = older instanceof CancelledError || fromSuppressed(older) !== null;
  return isCancelled ? newest : null;
}

/** A `Promise.any()` over cancelled futures. */
function fromAggregate(error: unknown): CancelledError | null {
  if (!(error instanceof AggregateError) || error.errors.length === 0) return null;
  const all = error.errors.every((each) => each instanceof CancelledError);
  return all ? error.errors[0] as CancelledError : null;
}

/** What `node:timers/promises`, `events.once()`, pipelines and others throw when a signal aborts. */
function fromAbort(
  error: unknown,
  signals: readonly (Aborting | null)[],
): CancelledError | null {
  for (const signal of signals) {
    const reason = signal?.reason ?? null;
    if (reason instanceof CancelledError && isAbort(error, reason)) return reason;
  }
  return null;
}

/** Whether `error` says that a signal has aborted with `reason`. */
export function isAbort(error: unknown, reason: unknown): boolean {
  if (error === reason) return true;
  try {
    return error instanceof Error && (error.cause === reason || error.name === "AbortError");
  } catch {
    // Its parts throw when they are looked at.
    return false;
  }
}
