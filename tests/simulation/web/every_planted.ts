// Looks for each planted mistake, and runs each mended service 1,000 times. `deno task test:planted`.
import { exploreWeb } from "../../../simulation/web/mod.ts";
import { PLANTED_SERVICES } from "./_planted_services.ts";

const RUNS = 1000;
const silent = { report: () => {} };

for (const { name, options, create } of PLANTED_SERVICES) {
  const { failure, runs } = await exploreWeb(create(false), { ...options, ...silent, runs: RUNS });
  console.log(`${name}: found in run ${runs}, with the faults "${failure?.faults}"`);
  const mended = await exploreWeb(create(true), { ...options, runs: RUNS });
  const isFound = failure !== null && mended.failure === null;
  console.log(`${name}: mended, ${mended.runs} runs, ${mended.failure?.error ?? "nothing found"}`);
  if (!isFound) Deno.exitCode = 1;
}
