import type { Future } from "../loop/tasks/future.ts";
import { runningPlatformLoop } from "../loop/platform/platform_loop.ts";
import { runInExecutor } from "./default_executor.ts";
import type { JobFunction } from "./executor.ts";

/**
 * Runs `fn(...args)` on a thread of the default executor. As `asyncio.to_thread()`.
 *
 * Unlike asyncio's it carries no context variables: functions and objects cannot cross to
 * another thread, only copies of data. Pass what `fn` needs as arguments.
 *
 * @param fn A function that stands alone, a `moduleFunction()` or a `createJob()`.
 * @param args Its arguments, which are copied.
 * @returns Its result, a copy.
 * @throws {TypeError} If `fn` or an argument cannot be sent.
 * @throws {InvalidStateError} If no loop is running here, or its executor was shut down.
 *
 * @category Executors
 *
 * @example Work that would block the loop
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, toThread } from "@gyre/asyncio";
 *
 * const fibonacci = function fibonacci(n: number): number {
 *   return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
 * };
 * assertEquals(await run(() => toThread(fibonacci, 20)), 6765);
 * ```
 */
export function toThread<A extends unknown[], R>(
  fn: JobFunction<A, R>,
  ...args: A
): Future<Awaited<R>> {
  return runInExecutor(runningPlatformLoop("run a function in a thread"), null, fn, args);
}
