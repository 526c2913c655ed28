/**
 * Puts jobs into a queue that is kept in a file, and waits for what workers make of them.
 *
 * Start examples/queue_worker.ts first.
 *
 * deno run --allow-read=/tmp/gyre-jobs.db --allow-write=/tmp/gyre-jobs.db examples/queue_caller.ts
 *
 * Prints:
 *     42
 *     9592 primes below 100000
 *
 * @module
 */
import { getRunningLoop, run } from "@gyre/asyncio";
import { QueueExecutor } from "@gyre/asyncio/queue";
import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
import jobs from "./_queue_jobs.ts";

await run(async () => {
  await using queue = new QueueExecutor(new SqliteBroker({ path: "/tmp/gyre-jobs.db" }));
  const loop = getRunningLoop();
  console.log(await loop.runInExecutor(queue, jobs.double, 21));
  const primes = await queue.submit(jobs.countPrimes.with({ retries: 2 }), 100_000);
  console.log(`${primes} primes below 100000`);
});
