import { InvalidStateError } from "./errors.ts";

/**
 * Throws if `loop` is closed: what is begun on it would never end, and nobody would close what it
 * opens.
 *
 * @param action What is to be done, as in "open a connection".
 * @throws {InvalidStateError} If it is.
 */
export function checkLoopOpen(loop: { isClosed(): boolean }, action: string): void {
  if (loop.isClosed()) throw new InvalidStateError(`Cannot ${action}: the event loop is closed`);
}
