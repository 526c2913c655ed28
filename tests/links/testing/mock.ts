/**
 * Stands in for `jsr:@std/testing/mock` where only npm can be reached: spies on functions, no more.
 *
 * @module
 */

import { assertEquals, AssertionError } from "@std/assert";

/** One call of a {@linkcode Spy}. */
export interface SpyCall<Args extends unknown[] = unknown[], Return = unknown> {
  /** What the function was given. */
  args: Args;
  /** What it returned, unless it threw. */
  returned?: Return;
  /** What it threw. */
  error?: Error;
}

/** A function that remembers its calls. */
export interface Spy<Args extends unknown[] = unknown[], Return = unknown> {
  (...args: Args): Return;
  /** Every call so far, first one first. */
  calls: SpyCall<Args, Return>[];
}

/** Makes a function that does nothing but remember its calls. */
export function spy(): Spy<unknown[], undefined>;
/** Makes a function that does what `original` does and remembers its calls. */
export function spy<Args extends unknown[], Return>(
  original: (...args: Args) => Return,
): Spy<Args, Return>;
export function spy(original: (...args: unknown[]) => unknown = () => {}): Spy {
  const calls: SpyCall[] = [];
  function record(...args: unknown[]): unknown {
    const call: SpyCall = { args };
    calls.push(call);
    try {
      return call.returned = original(...args);
    } catch (error) {
      call.error = error as Error;
      throw error;
    }
  }
  return Object.assign(record, { calls });
}

/** Asserts that `spy` was called `expectedCalls` times. */
export function assertSpyCalls<Args extends unknown[], Return>(
  spy: Spy<Args, Return>,
  expectedCalls: number,
): void {
  if (spy.calls.length === expectedCalls) return;
  throw new AssertionError(
    `Expected the spy to be called ${expectedCalls} time(s), but it was called ${spy.calls.length} time(s)`,
  );
}

/** Asserts that call number `callIndex` of `spy`, from 0, took `args` or returned `returned`. */
export function assertSpyCall<Args extends unknown[], Return>(
  spy: Spy<Args, Return>,
  callIndex: number,
  expected: { args?: unknown[]; returned?: Return } = {},
): void {
  const call = spy.calls[callIndex];
  if (call === undefined) {
    throw new AssertionError(`Expected call ${callIndex} of the spy, but it was not made`);
  }
  if ("args" in expected) assertEquals<unknown>(call.args, expected.args);
  if ("returned" in expected) assertEquals(call.returned, expected.returned);
}
