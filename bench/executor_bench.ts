// Executors: round trips, jobs in a row, and CPU-bound work on one thread against two:
//   deno bench -P=processes --permit-no-files bench/executor_bench.ts
// Beside CPython: bench/_peers/executor.ts and executor.py.
import { ProcessPoolExecutor, Runner, WorkerPoolExecutor } from "../mod.ts";

const PIPELINED = 2000;
const JOBS = 8;

const runner = new Runner();
const pools = {
  oneThread: new WorkerPoolExecutor({ maxWorkers: 1 }),
  twoThreads: new WorkerPoolExecutor({ maxWorkers: 2 }),
  oneProcess: new ProcessPoolExecutor({ maxWorkers: 1 }),
};
type Pool = keyof typeof pools;

const add = (a: number, b: number) => a + b;
const spin = (rounds: number) => {
  let x = 1;
  for (let n = 0; n < rounds; n += 1) x = (x * 1103515245 + 12345) & 0x7fffffff;
  return x;
};

await runner.run(async () => {
  for (const pool of Object.values(pools)) await pool.warmUp();
});

function roundTrips(pool: Pool): Promise<void> {
  return runner.run(async () => {
    for (let n = 0; n < 200; n += 1) await pools[pool].submit(add, n, 1);
  });
}

function pipelined(pool: Pool): Promise<unknown> {
  return runner.run(() =>
    Promise.all(Array.from({ length: PIPELINED }, (_, n) => pools[pool].submit(add, n, 1)))
  );
}

function cpuBound(pool: Pool): Promise<unknown> {
  return runner.run(() =>
    Promise.all(Array.from({ length: JOBS }, () => pools[pool].submit(spin, 20_000_000)))
  );
}

const options = { warmup: 2, n: 10 };
Deno.bench(
  { name: "one thread", group: "200 round trips", baseline: true, ...options },
  async () => void await roundTrips("oneThread"),
);
Deno.bench(
  { name: "one process", group: "200 round trips", ...options },
  async () => void await roundTrips("oneProcess"),
);

Deno.bench(
  { name: "one thread", group: `${PIPELINED} pipelined`, baseline: true, ...options },
  async () => void await pipelined("oneThread"),
);
Deno.bench(
  { name: "two threads", group: `${PIPELINED} pipelined`, ...options },
  async () => void await pipelined("twoThreads"),
);
Deno.bench(
  { name: "one process", group: `${PIPELINED} pipelined`, ...options },
  async () => void await pipelined("oneProcess"),
);

Deno.bench(
  { name: "one thread", group: `${JOBS} CPU-bound jobs`, baseline: true, ...options },
  async () => void await cpuBound("oneThread"),
);
Deno.bench(
  { name: "two threads", group: `${JOBS} CPU-bound jobs`, ...options },
  async () => void await cpuBound("twoThreads"),
);
