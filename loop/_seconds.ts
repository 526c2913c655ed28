import { describe } from "./_describe.ts";

/**
 * Checks a time that `action` was given: the same mistake is the same error wherever it is made.
 *
 * @throws {TypeError} If `value` is not of the type number.
 * @throws {RangeError} If it is `NaN`.
 */
export function checkSeconds(action: string, name: string, value: unknown): void {
  if (typeof value === "number" && !Number.isNaN(value)) return;
  const Refusal = typeof value === "number" ? RangeError : TypeError;
  throw new Refusal(
    `Cannot ${action}: ${name} must be a number of seconds, got ${describe(value)}`,
  );
}
