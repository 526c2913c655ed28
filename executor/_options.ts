/**
 * The options of this folder; see `loop/values/check_options.ts`.
 *
 * @module
 */
import {
  ANYTHING,
  countFrom,
  DELAY,
  either,
  FLAG,
  FUNCTION,
  LIST,
  LOOP,
  OBJECT,
  oneOf,
  type OptionTable,
  SIGNAL,
  TEXT,
  TEXT_OR_URL,
} from "../loop/values/check_options.ts";
import type { CallbackPortOptions } from "./callback_port.ts";
import type { JobOptions } from "./create_job.ts";
import type { ShutdownDefaultExecutorOptions } from "./default_executor.ts";
import type { ExecutorShutdownOptions } from "./executor.ts";
import type { ExecutorMapOptions, PoolExecutorOptions } from "./pool_executor.ts";
import type { ProcessPoolExecutorOptions } from "./process_pool_executor.ts";
import type { WorkerPoolExecutorOptions } from "./worker_pool_executor.ts";

const POOL_EXECUTOR: OptionTable<PoolExecutorOptions> = {
  maxWorkers: countFrom(1),
  maxQueued: countFrom(0),
  heapLimitMb: countFrom(1),
};

export const CALLBACK_PORT: OptionTable<CallbackPortOptions> = { loop: LOOP };

export const JOB: OptionTable<JobOptions> = {
  transfer: LIST,
  transferResult: FLAG,
  onProgress: FUNCTION,
  signal: SIGNAL,
};

export const MAP: OptionTable<ExecutorMapOptions> = { concurrency: countFrom(1) };

export const PROCESS_POOL_EXECUTOR: OptionTable<ProcessPoolExecutorOptions> = {
  ...POOL_EXECUTOR,
  permissions: either(oneOf("none"), OBJECT),
  program: TEXT_OR_URL,
};

export const SHUTDOWN: OptionTable<ExecutorShutdownOptions> = {
  wait: FLAG,
  cancelFutures: FLAG,
  timeout: DELAY,
};

export const SHUTDOWN_DEFAULT_EXECUTOR: OptionTable<ShutdownDefaultExecutorOptions> = {
  timeout: DELAY,
};

/** What threads may not do has a message of its own. */
export const WORKER_POOL_EXECUTOR: OptionTable<WorkerPoolExecutorOptions> = {
  ...POOL_EXECUTOR,
  name: TEXT,
  permissions: ANYTHING,
};
