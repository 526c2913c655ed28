/**
 * The options of this folder; see `loop/values/check_options.ts`.
 *
 * @module
 */
import {
  countFrom,
  DELAY,
  OBJECT,
  oneOf,
  type OptionKind,
  type OptionTable,
  SECONDS,
  SIGNAL,
  TEXT,
} from "../../loop/values/check_options.ts";
import type { QueueJobOptions } from "./define_jobs.ts";
import type { JobWorkerOptions } from "./job_worker.ts";
import type { QueueExecutorOptions } from "./queue_executor.ts";
import type { SqliteBrokerOptions } from "./sqlite.ts";

const PRIORITY: OptionKind = {
  expected: "a whole number from 0 to 9",
  type: "number",
  fits: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 9,
};

export const QUEUE_JOB: OptionTable<QueueJobOptions> = {
  key: TEXT,
  retries: countFrom(0),
  backoff: SECONDS,
  priority: PRIORITY,
  delay: SECONDS,
  deadline: SECONDS,
  signal: SIGNAL,
};

export const QUEUE_EXECUTOR: OptionTable<QueueExecutorOptions> = {
  maxQueued: countFrom(1),
  encoding: oneOf("structured", "json"),
};

export const JOB_WORKER: OptionTable<JobWorkerOptions> = {
  jobs: OBJECT,
  url: TEXT,
  concurrency: countFrom(1),
  grace: DELAY,
  permissions: OBJECT,
  signal: SIGNAL,
};

export const SQLITE_BROKER: OptionTable<SqliteBrokerOptions> = {
  path: TEXT,
  queue: TEXT,
  lease: SECONDS,
};
