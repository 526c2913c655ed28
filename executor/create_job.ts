import * as inside from "../loop/inside.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { JOB } from "./_options.ts";
import { ModuleFunction } from "./module_function.ts";

/**
 * Settings of {@linkcode createJob}.
 *
 * @category Executors
 */
export interface JobOptions<P = unknown> {
  /** What is moved to the worker, not copied: buffers, ports. Each must be in the arguments. */
  transfer?: Transferable[] | undefined;
  /**
   * Whether a result that is a buffer, a typed array, or an array of them is moved, not copied.
   * `false` by default.
   */
  transferResult?: boolean | undefined;
  /**
   * Receives what the job reports. The job then gets one more argument, a function `report`;
   * each call of it calls `onProgress` with its value, from the loop and in order.
   */
  onProgress?: ((value: P) => void) | undefined;
  /**
   * Aborting it cancels each call of the job, which throws its reason: one that waits is taken out
   * of the queue, a thread that runs one is let go of, and a process that does is killed.
   */
  signal?: AbortSignal | undefined;
}

/**
 * A function with what concerns its way to the worker; made by {@linkcode createJob}.
 *
 * @category Executors
 */
export class Job<A extends unknown[] = unknown[], R = unknown> {
  /** What to run. */
  readonly fn: ((...args: never[]) => R) | ModuleFunction<never[], R>;
  /** How. */
  readonly options: Readonly<JobOptions<never>>;
  /** @ignore Its type. */
  declare readonly [inside.signature]?: (...args: A) => R;

  /** Most callers want {@linkcode createJob}. */
  constructor(
    fn: ((...args: never[]) => R) | ModuleFunction<never[], R>,
    options: JobOptions<never>,
  ) {
    checkOptions("create a job", options, JOB);
    this.fn = fn;
    this.options = options;
  }
}

/**
 * Adds options to a function for a worker: progress, what is moved instead of copied, and a signal
 * that cancels it.
 *
 * @param fn A self-contained function, or a {@linkcode moduleFunction}.
 * @param options Additional options.
 * @returns What stands for the function in `runInExecutor()`, `toThread()` and `submit()`.
 *
 * @category Executors
 *
 * @example Progress from a job
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createJob, run, toThread } from "@gyre/asyncio";
 *
 * const seen: number[] = [];
 * const countTo = createJob((limit: number, report: (done: number) => void) => {
 *   for (let done = 1; done <= limit; done += 1) report(done);
 *   return "done";
 * }, { onProgress: (done: number) => seen.push(done) });
 * assertEquals(await run(() => toThread(countTo, 3)), "done");
 * assertEquals(seen, [1, 2, 3]);
 * ```
 */
export function createJob<A extends unknown[], R, P>(
  fn:
    | ((...args: [...A, report: (value: P) => void]) => R)
    | ModuleFunction<[...A, report: (value: P) => void], R>,
  options: JobOptions<P> & { onProgress: (value: P) => void },
): Job<A, R>;
/**
 * Adds options to a function that reports no progress.
 *
 * @category Executors
 */
export function createJob<A extends unknown[], R>(
  fn: ((...args: A) => R) | ModuleFunction<A, R>,
  options: JobOptions,
): Job<A, R>;
export function createJob<A extends unknown[], R>(
  fn: ((...args: never[]) => R) | ModuleFunction<never[], R>,
  options: JobOptions<never>,
): Job<A, R> {
  if (typeof fn !== "function" && !(fn instanceof ModuleFunction)) {
    throw new TypeError("Cannot create a job: expected a function or a moduleFunction()");
  }
  return new Job(fn, options);
}
