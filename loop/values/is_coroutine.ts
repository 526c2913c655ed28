import type { Coroutine } from "../tasks/task.ts";

const nextOfGenerators: unknown = (function* () {})().next;

/**
 * Whether `value` is a coroutine object, that is, a generator. As `asyncio.iscoroutine()`.
 *
 * @category Tasks
 */
export function isCoroutine(value: unknown): value is Coroutine<unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { next } = value as Partial<Coroutine<unknown>>;
  // Each generator function has objects of a kind of its own: one question costs less than three.
  if (next === nextOfGenerators) return true;
  return typeof next === "function" &&
    typeof (value as Coroutine<unknown>).throw === "function" &&
    typeof (value as Coroutine<unknown>)[Symbol.iterator] === "function";
}

/** Whether `value` is a promise, or looks like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}
