import { describe } from "../values/_describe.ts";
import { InvalidStateError } from "../errors/errors.ts";
import { Future, nameOf } from "./future.ts";

/** Returns `value` if it is a future. A proxy that was revoked is none, and throws when asked. */
export function asFuture(value: unknown): Future<unknown> | null {
  try {
    return value instanceof Future ? value : null;
  } catch {
    return null;
  }
}

/**
 * Why `waiting` cannot wait for `awaited`: one wording for coroutines and async
 * functions.
 */
export function cannotWait(waiting: Future<unknown>, awaited: unknown): Error {
  const name = nameOf(waiting);
  if (awaited === waiting) return new InvalidStateError(`Cannot wait in ${name}: it awaits itself`);
  if (asFuture(awaited) !== null) {
    return new InvalidStateError(`Cannot wait in ${name}: the future belongs to another loop`);
  }
  return new TypeError(
    `Cannot wait in ${name}: expected a yielded future, got ${describe(awaited)}`,
  );
}
