/**
 * A caller and a worker of this package. The jobs run on the loop of the worker, as those of the bare
 * clients do.
 *
 * @module
 */
import { createTask } from "@gyre/asyncio";
import { defineJobs, type JobBroker, JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
import { BullmqBroker } from "@gyre/asyncio/queue/bullmq";
import { NatsBroker } from "@gyre/asyncio/queue/nats";
import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
import type { Side } from "./side.ts";

const jobs = defineJobs({ echo: (value: unknown) => value });

function brokerOf(url: string, queue: string): JobBroker {
  if (url.startsWith("sqlite:")) return new SqliteBroker({ path: url.slice(7), queue });
  return url.startsWith("redis:")
    ? new BullmqBroker({ url, queue })
    : new NatsBroker({ url, queue });
}

export const OURS: Side = {
  // deno-lint-ignore require-await -- Others wait.
  async call(url, name) {
    const executor = new QueueExecutor(brokerOf(url, name));
    return async (value) => await executor.submit(jobs.echo, value);
  },
  // deno-lint-ignore require-await -- Others wait.
  async work(url, name, concurrency) {
    createTask(() => new JobWorker(brokerOf(url, name), { jobs, concurrency }).run());
  },
};
