import { InvalidStateError } from "../errors/errors.ts";
import { describe } from "../values/_describe.ts";
import { isCoroutine, isThenable } from "../values/is_coroutine.ts";
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

/** Why `waiting` cannot wait for a future that was yielded itself: nobody would give its result. */
export function yieldedBare(waiting: Future<unknown>, future: Future<unknown>): TypeError {
  return new TypeError(
    `Cannot wait in ${nameOf(waiting)}: ${nameOf(future)} was yielded by "yield", ` +
      'and waiting takes "yield*"',
  );
}

/** Why `waiting` cannot wait for `awaited`, which is no future. */
export function cannotWaitForValue(waiting: Future<unknown>, awaited: unknown): TypeError {
  return new TypeError(
    `Cannot wait in ${nameOf(waiting)}: expected a yielded future, got ${describe(awaited)}` +
      remedyFor(awaited),
  );
}

function remedyFor(awaited: unknown): string {
  try {
    if (isCoroutine(awaited)) return '; waiting takes "yield*"';
    return isThenable(awaited) ? '; as in "yield* ensureFuture(promise)"' : "";
  } catch {
    // A value that cannot be looked at.
    return "";
  }
}

/** Why nobody can go on with a coroutine that somebody else runs, or has run. */
export function ranTwice(): InvalidStateError {
  return new InvalidStateError("Cannot run a coroutine: it is awaited already");
}
