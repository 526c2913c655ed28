/**
 * Goes through the whole table of a program's ends. `deno task test:endings` runs it, in minutes.
 *
 * @module
 */
import { allEndings, type Ending, expectedOf, outcomeOf, titleOf } from "./_endings.ts";

/** Programs that run at once. */
const SIDE_BY_SIDE = 2;

const open: Ending[] = [...allEndings()];
const total = open.length;
let failed = 0;

async function work(): Promise<void> {
  for (let cell = open.shift(); cell !== undefined; cell = open.shift()) {
    const [outcome, expected] = [await outcomeOf(cell), expectedOf(cell)];
    if (Deno.inspect(outcome) === Deno.inspect(expected)) continue;
    failed += 1;
    console.log(`FAILED ${titleOf(cell)}`);
    console.log("  did     ", JSON.stringify(outcome), "\n  expected", JSON.stringify(expected));
  }
}

await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
console.log(`${failed === 0 ? "ok" : "FAILED"} | ${total - failed} passed | ${failed} failed`);
if (failed > 0) Deno.exitCode = 1;
