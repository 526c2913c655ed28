/**
 * Scheduling work for bench/peers.ts: prints microseconds for each operation as JSON.
 *
 * @module
 */
import * as gyre from "@gyre/asyncio";
import { createWork, type Work } from "../_schedule/works.ts";

const isQuick = Deno.args.includes("--quick");
const works = createWork(gyre, {
  many: isQuick ? 2_000 : 200_000,
  few: 0,
  gathered: isQuick ? 1_000 : 100_000,
});

/** The rows of the peers, by the names of the work. */
const ROWS: Record<string, string> = {
  "callSoon chain": "callSoon chain",
  "callSoon batch": "callSoon batch",
  "callLater and cancel": "callLater and cancel",
  "sleep(0)": "sleep(0) in a coroutine",
  "create and await a task": "task of a coroutine",
  "gather of 100,000": "gather of 100,000",
};

const results: Record<string, number> = {};
for (const [row, name] of Object.entries(ROWS)) {
  const work = works[name] as Work;
  const loop = new gyre.EventLoop();
  // The engine compiles what runs often: the first rounds do not count.
  for (let round = 0; round < 3; round += 1) await work(loop);
  const start = performance.now();
  const count = await work(loop);
  results[row] = (performance.now() - start) / count * 1e3;
  loop.close();
}
console.log(JSON.stringify(results));
