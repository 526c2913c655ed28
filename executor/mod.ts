/**
 * Executors: functions that run on threads or in processes, and ways back into the loop.
 *
 * @example The same function on all cores
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run } from "@gyre/asyncio/loop";
 * import { WorkerPoolExecutor } from "@gyre/asyncio/executor";
 *
 * const lengths = await run(async () => {
 *   await using pool = new WorkerPoolExecutor();
 *   return await Array.fromAsync(pool.map((text: string) => text.length, ["a", "bcd"]));
 * });
 * assertEquals(lengths, [1, 3]);
 * ```
 *
 * @module
 */
export { CallbackPort, type CallbackPortOptions, createCallbackPort } from "./callback_port.ts";
export { createJob, Job, type JobOptions } from "./create_job.ts";
export type { ShutdownDefaultExecutorOptions } from "./default_executor.ts";
export type { Executor, ExecutorShutdownOptions, JobFunction } from "./executor.ts";
export { ModuleFunction, moduleFunction } from "./module_function.ts";
export {
  type ExecutorMapOptions,
  PoolExecutor,
  type PoolExecutorOptions,
} from "./pool_executor.ts";
export { ProcessPoolExecutor, type ProcessPoolExecutorOptions } from "./process_pool_executor.ts";
export { runCoroutineThreadsafe } from "./run_coroutine_threadsafe.ts";
export { toThread } from "./to_thread.ts";
export { WorkerPoolExecutor, type WorkerPoolExecutorOptions } from "./worker_pool_executor.ts";
