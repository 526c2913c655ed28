/**
 * A queue of jobs for workers of other processes and machines, *at least once*.
 *
 * Jobs are functions with names, in a module that callers and workers have. A broker keeps them:
 * `@gyre/asyncio/queue/sqlite` in a file, which needs no server. A worker is a program,
 * `jsr:@gyre/asyncio/queue/worker`, or a {@linkcode JobWorker} of your own.
 *
 * @example Jobs, a queue in a file, and a worker in the same program
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, run } from "@gyre/asyncio";
 * import { defineJobs, JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
 * import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
 *
 * const jobs = defineJobs({ shout: (text: string) => text.toUpperCase() });
 * const path = `/tmp/gyre-queue-doc-${Deno.pid}.db`;
 * const answers = await run(async () => {
 *   const worker = createTask(() => new JobWorker(new SqliteBroker({ path }), { jobs }).run());
 *   await using executor = new QueueExecutor(new SqliteBroker({ path }));
 *   const [first, second] = ["a", "b"].map((text) => executor.submit(jobs.shout, text));
 *   const answers = [await first, await second];
 *   worker.cancel();
 *   return answers;
 * });
 * assertEquals(answers, ["A", "B"]);
 * await Deno.remove(path);
 * ```
 *
 * @module
 */
export type { QueueEncoding } from "./_envelope.ts";
export type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";
export { defineJobs, QueueJob, type QueueJobOptions, type QueueJobs } from "./define_jobs.ts";
export { JobWorker, type JobWorkerOptions } from "./job_worker.ts";
export { QueueExecutor, type QueueExecutorOptions } from "./queue_executor.ts";
