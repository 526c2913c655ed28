/**
 * Memory after 1,000,000 waits on one pending future, each given up:
 * `deno run bench/abandoned_waits.ts [count]`. It needs no permission.
 *
 * Prints, for each way to wait, the bytes that are left and the microseconds of a wait. The tests
 * do the same 20,000 times.
 *
 * @module
 */
import { ABANDONED_WAITS, measureRemains } from "../tests/loop/abandoned_waits.ts";

const count = Number(Deno.args[0] ?? 1_000_000);

for (const [name, way] of Object.entries(ABANDONED_WAITS)) {
  const start = performance.now();
  const { bytes } = await measureRemains(way, count);
  const microseconds = (performance.now() - start) * 1_000 / count;
  console.log(`${bytes} bytes left, ${microseconds.toFixed(1)} us each: ${count} x ${name}`);
}
