import { assert, assertEquals, assertRejects } from "@std/assert";
import { gather, sleep } from "../../mod.ts";
import { explore, simulate, type SimulationMain } from "../../simulation/mod.ts";
import { plantedBugs } from "./_planted_bugs.ts";

const silent = { report: () => {} };

for (const { name, buggy, fixed } of plantedBugs) {
  Deno.test(`explore() finds ${name} within 1,000 runs, and nothing where it is fixed`, async () => {
    const { failure } = await explore(buggy, silent);
    assert(failure !== null);
    const { seed, schedule } = failure;
    await assertRejects(() => simulate(buggy, { seed, schedule, ...silent }));

    assertEquals(await explore(fixed, { runs: 300 }), { runs: 300, failure: null });
  });
}

/** Fails if the second task runs before the first in its third step, and never in the usual order. */
const unlucky: SimulationMain<void> = async () => {
  let latest = "";
  await gather(["first", "second", "third", "fourth"].map((name) => async () => {
    for (let step = 0; step < 4; step += 1) {
      if (name === "first" && step === 2) assert(latest !== "second");
      if (step === 2) latest = name;
      await sleep(0);
    }
  }));
};

Deno.test("explore() finds a mistake of order, and shrinks its schedule to one deviation", async () => {
  const lines: string[] = [];
  const fifo = await explore(unlucky, { schedules: ["fifo"], runs: 100 });
  assertEquals(fifo.failure, null);

  const { failure, runs } = await explore(unlucky, { report: (line) => lines.push(line) });

  assert(failure !== null);
  const { seed, schedule, deviations } = failure;
  assertEquals(deviations.shortest, 1);
  assert(deviations.first > 1);
  assert(/^\d+:\d+$/.test(schedule));
  assertEquals(lines.length, 1);
  assert(lines[0]?.startsWith(`Run ${runs} failed with AssertionError`));
  assert(lines[0]?.endsWith(`to repeat it: { seed: ${seed}, schedule: "${schedule}" }`));
  assert(failure.trace.lines.length > 0);
  await assertRejects(() => simulate(unlucky, { seed, schedule, ...silent }));
});
