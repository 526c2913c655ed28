/**
 * Puts jobs into a queue that NATS JetStream keeps, and waits for what workers make of them.
 *
 * Start examples/queue_nats_worker.ts first.
 *
 * deno run --allow-net=127.0.0.1:4299 examples/queue_nats_caller.ts
 *
 * Prints:
 *     42
 *     9592 primes below 100000
 *
 * @module
 */
import { getRunningLoop, run } from "@gyre/asyncio";
import { QueueExecutor } from "@gyre/asyncio/queue";
import { NatsBroker } from "@gyre/asyncio/queue/nats";
import jobs from "./_queue_jobs.ts";

await run(async () => {
  const broker = new NatsBroker({ url: "nats://127.0.0.1:4299", queue: "sums" });
  await using queue = new QueueExecutor(broker);
  console.log(await getRunningLoop().runInExecutor(queue, jobs.double, 21));
  const primes = await queue.submit(jobs.countPrimes.with({ retries: 2 }), 100_000);
  console.log(`${primes} primes below 100000`);
});
