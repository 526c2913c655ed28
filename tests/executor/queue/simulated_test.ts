// The queue in simulated worlds whose hosts crash, stand still and are cut off.
import { assert, assertEquals } from "@std/assert";
import { explore } from "@gyre/asyncio/simulation";
import { FAULTS, queueWorld } from "./_simulated_worlds.ts";

Deno.test("QueueExecutor on a SimulatedBroker: each effect at least once, each future right, nothing left", async () => {
  const world = queueWorld({ acknowledgesEarly: false });
  assertEquals(await explore(world, { runs: 10, faults: FAULTS }), { runs: 10, failure: null });
});

Deno.test("explore() finds a worker that acknowledges a job before its effect", async () => {
  const world = queueWorld({ acknowledgesEarly: true });
  const { failure } = await explore(world, { runs: 200, faults: FAULTS, report: () => {} });
  assert(failure !== null);
  assert(String(failure.error).includes("has left no effect"), String(failure.error));
});
