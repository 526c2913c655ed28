import { describeThrown } from "../values/_describe.ts";

/** Returns what was thrown, if it is an error; else one that says what cannot go on because of it. */
export function errorOf(thrown: unknown, what: string): Error {
  if (isError(thrown)) return thrown;
  return new Error(`Cannot ${what} ${describeThrown(thrown)}`, { cause: thrown });
}

/** Whether `value` is an error. Never throws, as `instanceof` does for some proxies. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}
