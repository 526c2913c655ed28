/**
 * A caller and a worker of BullMQ alone.
 *
 * @module
 */
import { Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Side } from "./side.ts";

/** BullMQ wants its blocking commands tried for ever. */
function client(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: null });
}

export const BARE_BULLMQ: Side = {
  async call(url, name) {
    const connection = client(url);
    const queue = new Queue(name, { connection });
    const events = new QueueEvents(name, { connection });
    await queue.waitUntilReady();
    await events.waitUntilReady();
    queue.setMaxListeners(0);
    events.setMaxListeners(0);
    return async (value) => {
      const job = await queue.add("job", value, { removeOnComplete: { age: 3600 } });
      return await job.waitUntilFinished(events);
    };
  },
  async work(url, name, concurrency) {
    const connection = client(url);
    const worker = new Worker(name, (job) => Promise.resolve(job.data), {
      connection,
      concurrency,
    });
    await worker.waitUntilReady();
  },
};
