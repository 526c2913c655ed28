import { describe } from "../values/_describe.ts";
import { checkAwaitable, isFuture } from "../tasks/ensure_future.ts";
import { isCoroutine } from "../values/is_coroutine.ts";

/**
 * Returns the awaitables that `call` was given as a list. asyncio takes them one by one, so that is
 * the mistake to expect; a future or a coroutine can be iterated, but that is how it is waited for.
 *
 * @throws {TypeError} If it is no list, or something in it cannot be waited for.
 */
export function listAwaitables<A>(
  call: "gather" | "asCompleted",
  given: Iterable<A>,
): readonly A[] {
  const list = toList(call, given);
  for (const awaitable of list) checkAwaitable(awaitable);
  return list;
}

/** As {@linkcode listAwaitables}, before it looks at what is in the list. */
export function toList<A>(
  call: "gather" | "asCompleted" | "wait",
  given: Iterable<A>,
): readonly A[] {
  if (Array.isArray(given)) return given;
  const isList = typeof given === "object" && given !== null &&
    typeof given[Symbol.iterator] === "function" && !isFuture(given) && !isCoroutine(given);
  if (isList) return [...given];
  const action = call === "gather" ? "gather" : "wait";
  throw new TypeError(
    `Cannot ${action}: expected a list, as in ${call}([a, b]), got ${describe(given)}`,
  );
}
