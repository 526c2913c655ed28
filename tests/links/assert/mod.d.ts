/** Any class, abstract or not, whatever its constructor takes. */
// deno-lint-ignore no-explicit-any
type AnyClass<T = unknown> = abstract new (...args: any[]) => T;

/** What every failed assertion throws. */
export class AssertionError extends Error {
  /** Makes an error that says `message`. */
  constructor(message: string, options?: ErrorOptions);
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr;
/** Asserts that `expr` is falsy. */
export function assertFalse(
  expr: unknown,
  msg?: string,
): asserts expr is 0 | "" | 0n | null | false;
/** Asserts that `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;

/** Tells whether two values are deeply equal. */
export function equal(a: unknown, b: unknown): boolean;
/** Asserts that two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that two values are the same, as `Object.is` says. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T;
/** Asserts that two values are not the same, as `Object.is` says. */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that two numbers differ by at most `tolerance`; by default 1e-7 of `expected`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void;

/** Asserts that `actual` is greater than `expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is greater than or equal to `expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is less than `expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void;
/** Asserts that `actual` is less than or equal to `expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;

/** Asserts that `actual` contains each of `expected`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T> & Iterable<T>,
  expected: ArrayLike<T> & Iterable<T>,
  msg?: string,
): void;
/** Asserts that `actual` has every property of `expected`, at any depth. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void;
/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
/** Asserts that `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
/** Asserts that `actual` does not match `expected`. */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;

/** Asserts that `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T extends AnyClass>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T>;
/** Asserts that `actual` is not an instance of `unexpectedType`. */
export function assertNotInstanceOf<A, T>(
  actual: A,
  unexpectedType: AnyClass<T>,
  msg?: string,
): asserts actual is Exclude<A, T>;
/** Asserts that `error` is an `Error`, of a class and with a message if given. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: AnyClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E;
/** Asserts that `fn` throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that `fn` throws an `ErrorClass` whose message includes `msgIncludes`; returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
/** Asserts that the promise of `fn` rejects, and gives what it rejected with. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts that the promise of `fn` rejects with an `ErrorClass`; gives the error. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;

/** Fails. */
export function fail(msg?: string): never;
/** Fails because this part is not written yet. */
export function unimplemented(msg?: string): never;
/** Fails because nothing ought to get here. */
export function unreachable(msg?: string): never;
