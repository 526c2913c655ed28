import { CancelledError } from "../errors/errors.ts";

/** An `AbortSignal` that was given to foreign code, or what it aborted with: `null` if it did not. */
interface Aborting {
  readonly reason: unknown;
}

/** Errors that are deeper in one another than this are not looked at. */
const MAX_DEPTH = 100;

/**
 * The cancellation that `error` is, if foreign code has wrapped it, however often, or says in words
 * of its own that it was aborted; `null` if it is none.
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
    const isCancelled = host.cancelling() > 0;
    const reasons = isCancelled ? signals.map((signal) => signal?.reason ?? null) : [];
    const told = reasons.filter((reason) => reason instanceof CancelledError);
    return new Unwrapping(isCancelled, told).find(error) as CancelledError | null;
  } catch {
    // Its parts throw when they are looked at.
    return null;
  }
}

/** Whether `error` says, wrapped in whatever, that a signal has aborted with `reason`. */
export function isAbort(error: unknown, reason: unknown): boolean {
  try {
    return new Unwrapping(true, [reason]).find(error) !== null;
  } catch {
    return false;
  }
}

/** One look through an error and those that are in it. */
class Unwrapping {
  readonly #isCancelled: boolean;
  readonly #reasons: readonly unknown[];
  /** What those are that were looked at; `null` for those that are being looked at: a circle. */
  readonly #seen: Map<Error, unknown> = new Map();
  #depth = 0;

  /**
   * Creates one.
   *
   * @param isCancelled Whether anybody was cancelled, so that foreign code may speak of it.
   * @param reasons What signals have aborted with.
   */
  constructor(isCancelled: boolean, reasons: readonly unknown[]) {
    this.#isCancelled = isCancelled;
    this.#reasons = reasons;
  }

  /**
   * The cancellation, or the reason, that `error` is; `null` if it is a failure.
   *
   * @param isCause Whether it is the cause of another: that somebody was cancelled may well be why
   * something failed.
   */
  find(error: unknown, isCause = false): unknown {
    if (this.#reasons.includes(error)) return error;
    if (error instanceof CancelledError && !isCause) return error;
    if (!(error instanceof Error) || this.#depth > MAX_DEPTH) return null;
    const before = this.#seen.get(error);
    if (before !== undefined) return before;
    this.#seen.set(error, null);
    this.#depth += 1;
    const found = this.#findInside(error, isCause);
    this.#depth -= 1;
    this.#seen.set(error, found);
    return found;
  }

  #findInside(error: Error, isCause: boolean): unknown {
    // An `await using` that was cancelled in its block and again in its disposal.
    if (error instanceof SuppressedError) {
      const newest = this.find(error.error, isCause);
      return this.find(error.suppressed, isCause) === null ? null : newest;
    }
    if (!this.#isCancelled) return null;
    // A `Promise.any()` over cancelled futures.
    if (error instanceof AggregateError && error.errors.length > 0) {
      const found = error.errors.map((each) => this.find(each, isCause));
      if (!found.includes(null)) return found[0];
    }
    if (this.#reasons.length === 0) return null;
    // What `node:timers/promises`, `events.once()`, pipelines and others throw.
    return error.name === "AbortError" ? this.#reasons[0] : this.find(error.cause, true);
  }
}
