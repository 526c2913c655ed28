// Runs the queue in 1,000 simulated worlds, and says which failed.
import { explore } from "@gyre/asyncio/simulation";
import { FAULTS, queueWorld } from "./_simulated_worlds.ts";

const { runs, failure } = await explore(queueWorld({ acknowledgesEarly: false }), {
  runs: 1000,
  faults: FAULTS,
});
console.log(`${runs} worlds, ${failure === null ? "none" : "one"} failed`);
if (failure !== null) throw failure.error;
