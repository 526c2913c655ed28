// Runs each program of npm 200 times with one seed, in two processes, one of which has two busy ones
// beside it, and compares all the traces by a hash. `deno task test:npm`.
import { simulate, Trace } from "../../simulation/mod.ts";

const RUNS = 200;

/** Returns how many traces there were after the first run, by their hash. */
async function hashes(runs: number): Promise<Record<string, Record<string, number>>> {
  // It needs more permissions than who starts it.
  const { NPM_PROGRAMS } = await import("./_programs.js");
  const found: Record<string, Record<string, number>> = {};
  for (const [name, program] of Object.entries(NPM_PROGRAMS)) {
    const counts: Record<string, number> = {};
    for (let run = 0; run <= runs; run += 1) {
      const trace = new Trace();
      await simulate(program, { web: true, seed: 3, trace, timeLimit: 3600 });
      const bytes = new TextEncoder().encode(String(trace));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(
        0,
        12,
      );
      if (run > 0) counts[digest] = (counts[digest] ?? 0) + 1;
    }
    found[name] = counts;
  }
  return found;
}

const BUSY = "for (;;);";

if (Deno.args[0] === "run") {
  console.log(JSON.stringify(await hashes(Number(Deno.args[1]))));
  Deno.exit(0);
}
for (const isBusy of [false, true]) {
  const busy = isBusy
    ? [1, 2].map(() => new Deno.Command("deno", { args: ["eval", BUSY] }).spawn())
    : [];
  const { stdout } = await new Deno.Command("deno", {
    args: ["run", "--no-check", "-P=npm", "tests/npm/every_run.ts", "run", String(RUNS / 2)],
    stderr: "inherit",
  }).output();
  for (const child of busy) child.kill();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const found = JSON.parse(lines.at(-1) ?? "{}") as Record<string, Record<string, number>>;
  for (const [name, counts] of Object.entries(found)) {
    console.log(isBusy ? "busy" : "alone", name, JSON.stringify(counts));
  }
}
