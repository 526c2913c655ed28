/** Whether `value` is an instance of `kind`. Never throws, as `instanceof` does of a revoked proxy. */
export function isInstance<T>(
  value: unknown,
  kind: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}
