import { checkArgument, DELAY } from "./check_options.ts";

/**
 * Checks a time that `action` was given: the same mistake is the same error wherever it is made.
 *
 * @throws {TypeError} If `value` is not of the type number.
 * @throws {RangeError} If it is `NaN`.
 */
export function checkSeconds(action: string, name: string, value: unknown): void {
  if (typeof value === "number" && !Number.isNaN(value)) return;
  // Above is what nearly every call is, and it is one of those that are made often.
  checkArgument(action, name, value, DELAY);
}
