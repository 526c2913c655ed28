/**
 * A worker of a queue that BullMQ keeps in Redis: it runs the jobs of examples/_queue_jobs.ts, each in a
 * process. It brings a redis-server of its own, which keeps nothing; with yours, that is a command:
 *
 *     deno run --allow-net=127.0.0.1:6379 --allow-env --allow-read=. --allow-run=deno \
 *       jsr:@gyre/asyncio/queue/worker --jobs ./jobs.ts --broker redis://127.0.0.1:6379 --queue sums
 *
 * deno run --allow-net=127.0.0.1:6399 --allow-env --allow-read=. --allow-run=deno,redis-server examples/queue_bullmq_worker.ts
 *
 * Prints, for one run of examples/queue_bullmq_caller.ts:
 *     Working
 *     Counted 9592
 *     ^C
 *
 * @module
 */
import { main } from "@gyre/asyncio/queue/worker";
import { startQueueServer } from "./_queue_server.ts";

const settings = ["--port", "6399", "--bind", "127.0.0.1", "--save", ""];
const server = await startQueueServer("redis-server", settings, 6399);
console.log("Working");
const broker = ["--broker", "redis://127.0.0.1:6399", "--queue", "sums"];
await main(["--jobs", "examples/_queue_jobs.ts", ...broker]);
server.kill();
