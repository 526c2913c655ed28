import type { Future } from "../loop/tasks/future.ts";
import type { Job } from "./create_job.ts";
import type { ModuleFunction } from "./module_function.ts";

/**
 * What a worker can run: a self-contained function, a function of a module, or either of them
 * with options. It may be asynchronous.
 *
 * @category Executors
 */
export type JobFunction<A extends unknown[], R> =
  | ((...args: A) => R)
  | ModuleFunction<A, R>
  | Job<A, R>;

/**
 * Settings of {@linkcode Executor.shutdown}.
 *
 * @category Executors
 */
export interface ExecutorShutdownOptions {
  /** Whether to wait until all workers have ended. `true` by default. */
  wait?: boolean | undefined;
  /** Whether to cancel the jobs that no worker has begun. `false` by default. */
  cancelFutures?: boolean | undefined;
  /**
   * Seconds after which workers are ended by force and their jobs fail with `BrokenExecutor`.
   * No limit by default.
   */
  timeout?: number | undefined;
}

/**
 * Runs jobs elsewhere. As `concurrent.futures.Executor`.
 *
 * @category Executors
 */
export interface Executor {
  /**
   * Starts `fn(...args)` in a worker, now or once one is free.
   *
   * @returns Its result, on the running loop.
   */
  submit<A extends unknown[], R>(fn: JobFunction<A, R>, ...args: A): Future<Awaited<R>>;
  /** Takes no more jobs and ends the workers. */
  shutdown(options?: ExecutorShutdownOptions): Promise<void>;
}
