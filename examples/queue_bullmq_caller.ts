/**
 * Puts jobs into a queue that BullMQ keeps in Redis, and waits for what workers make of them.
 *
 * Start examples/queue_bullmq_worker.ts first.
 *
 * deno run --allow-net=127.0.0.1:6399 --allow-env examples/queue_bullmq_caller.ts
 *
 * Prints:
 *     42
 *     9592 primes below 100000
 *
 * @module
 */
import { getRunningLoop, run } from "@gyre/asyncio";
import { QueueExecutor } from "@gyre/asyncio/queue";
import { BullmqBroker } from "@gyre/asyncio/queue/bullmq";
import jobs from "./_queue_jobs.ts";

await run(async () => {
  const broker = new BullmqBroker({ url: "redis://127.0.0.1:6399", queue: "sums" });
  await using queue = new QueueExecutor(broker);
  console.log(await getRunningLoop().runInExecutor(queue, jobs.double, 21));
  const primes = await queue.submit(jobs.countPrimes.with({ retries: 2 }), 100_000);
  console.log(`${primes} primes below 100000`);
});
