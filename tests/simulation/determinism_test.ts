import { assert, assertEquals } from "@std/assert";
import { diffTraces, simulate, Trace } from "../../simulation/mod.ts";
import { mixedProgram } from "./_planted_bugs.ts";

const schedules = ["fifo", "random", "pct"] as const;

async function record(seed: number): Promise<[result: string, trace: Trace]> {
  const trace = new Trace();
  const schedule = schedules[seed % schedules.length] ?? "fifo";
  return [await simulate(mixedProgram, { seed, schedule, trace }), trace];
}

Deno.test("1,000 seeds give the same trace, byte for byte, in two runs each", async () => {
  const different = new Set<string>();
  for (let seed = 0; seed < 1000; seed += 1) {
    const [result, trace] = await record(seed);
    const [again, traceAgain] = await record(seed);
    assertEquals(diffTraces(trace, traceAgain), null);
    assertEquals(result, again);
    different.add(result);
  }
  assert(different.size > 990);
});
