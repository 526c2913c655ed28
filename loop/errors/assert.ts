/** Throws if `condition` is false. For what only a bug of this package can break. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}
