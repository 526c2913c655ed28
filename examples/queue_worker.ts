/**
 * A worker of a queue that is kept in a file: it runs the jobs of examples/_queue_jobs.ts, each in a
 * process, for whoever puts them into the file. Start as many as you like; Ctrl-C or SIGTERM lets it
 * finish what it has begun. `jsr:@gyre/asyncio/queue/worker` is the same program, to be given arguments.
 *
 * deno run --allow-read=.,/tmp/gyre-jobs.db --allow-write=/tmp/gyre-jobs.db --allow-run=deno examples/queue_worker.ts
 *
 * Prints, for one run of examples/queue_caller.ts:
 *     Working
 *     Counted 9592
 *     ^C
 *
 * @module
 */
import { main } from "@gyre/asyncio/queue/worker";

console.log("Working");
await main(["--jobs", "examples/_queue_jobs.ts", "--broker", "sqlite:/tmp/gyre-jobs.db"]);
