/** The jobs of queue_caller.ts and queue_worker.ts: callers name them, and workers run no others. */
import { defineJobs } from "@gyre/asyncio/queue";

export default defineJobs({
  double: (x: number) => x * 2,
  countPrimes(limit: number) {
    let count = 0;
    for (let n = 2; n < limit; n += 1) {
      let d = 2;
      while (d * d <= n && n % d !== 0) d += 1;
      if (d * d > n) count += 1;
    }
    console.log(`Counted ${count}`); // appears at the worker
    return count;
  },
});
