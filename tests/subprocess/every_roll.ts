// Loads a port for 20 seconds while its workers are replaced ten times, and five of them are killed in
// the midst of that. Prints what became of the visits, and fails if one was lost.
import { run } from "@gyre/asyncio";
import { rollUnderLoad } from "./_rolls.ts";

const ROLLING = { seconds: 20, rolls: 10, visitors: 32 };

await run(async () => {
  const table = {
    processes: await rollUnderLoad({ ...ROLLING, kills: 5 }),
    threads: await rollUnderLoad({ ...ROLLING, kills: 0, threads: true }),
  };
  for (const [kind, { faults, ...figures }] of Object.entries(table)) {
    console.log(`${kind}, 10 rolls in the midst of visits:`);
    console.log(`  answered                                   ${figures.answered}`);
    console.log(`  workers that have answered                 ${figures.workers}`);
    console.log(`  of killed workers, which had begun         ${figures.ownServed}`);
    console.log(`  of killed workers, which had accepted only ${figures.ownAccepted}`);
    console.log(`  refused, or lost by others                 ${faults.length}`);
    console.log(`  exit code                                  ${figures.exitCode}`);
    for (const { stage, port } of faults) console.log(`    lost while ${stage}, port ${port}`);
    if (faults.length > 0 || figures.exitCode !== 0) Deno.exitCode = 1;
  }
});
