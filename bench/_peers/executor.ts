// This package's executors, for comparison with executor.py: microseconds for each job, medians of 10.
//   deno run --allow-run=deno bench/_peers/executor.ts
import { gather, ProcessPoolExecutor, run, WorkerPoolExecutor } from "../../mod.ts";

const add = (a: number, b: number) => a + b;

async function roundTrips(pool: WorkerPoolExecutor | ProcessPoolExecutor): Promise<number> {
  const count = 200;
  for (let n = 0; n < count; n += 1) await pool.submit(add, n, 1);
  return count;
}

async function pipelined(pool: WorkerPoolExecutor | ProcessPoolExecutor): Promise<number> {
  const count = 2000;
  await gather(Array.from({ length: count }, (_, n) => pool.submit(add, n, 1)));
  return count;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] as number;
}

await run(async () => {
  const pools = {
    "worker pool (default size)": new WorkerPoolExecutor(),
    "worker pool (1)": new WorkerPoolExecutor({ maxWorkers: 1 }),
    "process pool (1)": new ProcessPoolExecutor({ maxWorkers: 1 }),
  };
  for (const work of [roundTrips, pipelined]) {
    for (const [name, pool] of Object.entries(pools)) {
      await work(pool);
      const times: number[] = [];
      for (let round = 0; round < 10; round += 1) {
        const start = performance.now();
        const count = await work(pool);
        times.push((performance.now() - start) / count * 1000);
      }
      console.log(`${work.name.padEnd(12)} ${name.padEnd(28)} ${median(times).toFixed(1)} us`);
    }
  }
  for (const pool of Object.values(pools)) await pool.shutdown();
});
