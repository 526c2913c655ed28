import { InvalidStateError } from "../errors/errors.ts";
import { describe } from "../values/_describe.ts";
import { nameOf } from "./_name_of.ts";
import type { Future } from "./future.ts";

/** Why `waiting` cannot wait for a future: one wording for coroutines and async functions. */
export function cannotWaitForFuture(
  waiting: Future<unknown>,
  future: Future<unknown>,
): InvalidStateError {
  const reason = future === waiting ? "it awaits itself" : "the future belongs to another loop";
  return new InvalidStateError(`Cannot wait in ${nameOf(waiting)}: ${reason}`);
}

/** Why `waiting` cannot wait for `awaited`, which is no future. */
export function cannotWaitForValue(waiting: Future<unknown>, awaited: unknown): TypeError {
  return new TypeError(
    `Cannot wait in ${nameOf(waiting)}: expected a yielded future, got ${describe(awaited)}`,
  );
}
