import { CancelledError } from "./errors.ts";

/**
 * Creates a `CancelledError` without a stack, which costs half of a cancellation; with one when
 * `traced`, in debug mode.
 */
export function createCancelledError(message?: string, traced = false): CancelledError {
  if (traced) return new CancelledError(message);
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new CancelledError(message);
  Error.stackTraceLimit = limit;
  return error;
}
