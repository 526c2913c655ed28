/**
 * A worker of a queue that NATS JetStream keeps: it runs the jobs of examples/_queue_jobs.ts, each in a
 * process. It brings a nats-server of its own, with a folder in /tmp; with yours, that is a command:
 *
 *     deno run --allow-net=127.0.0.1:4222 --allow-read=. --allow-run=deno \
 *       jsr:@gyre/asyncio/queue/worker --jobs ./jobs.ts --broker nats://127.0.0.1:4222 --queue sums
 *
 * deno run --allow-net=127.0.0.1:4299 --allow-read=. --allow-run=deno,nats-server examples/queue_nats_worker.ts
 *
 * Prints, for one run of examples/queue_nats_caller.ts:
 *     Working
 *     Counted 9592
 *     ^C
 *
 * @module
 */
import { main } from "@gyre/asyncio/queue/worker";
import { startQueueServer } from "./_queue_server.ts";

const settings = ["--port", "4299", "--addr", "127.0.0.1", "--jetstream"];
const server = await startQueueServer(
  "nats-server",
  [...settings, "--store_dir", "/tmp/gyre-example-nats"],
  4299,
);
console.log("Working");
const broker = ["--broker", "nats://127.0.0.1:4299", "--queue", "sums"];
await main(["--jobs", "examples/_queue_jobs.ts", ...broker]);
server.kill();
