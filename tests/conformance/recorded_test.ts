import { assertEquals } from "@std/assert";
import { compareForms, explainForms } from "./fuzz.ts";
import { generateProgram } from "./generate.ts";
import type { Program } from "./program.ts";
import { runAsCoroutines } from "./run.ts";
import { shrinkProgram } from "./shrink.ts";
import recorded from "./traces/cpython.json" with { type: "json" };

/** More with `fuzz.ts --async`. */
const ASYNC_PROGRAMS = 500;

Deno.test("Coroutines leave the traces that CPython 3.13 left for the recorded programs", async () => {
  for (let index = 0; index < recorded.length; index += 2) {
    const program = JSON.parse(recorded[index] as string) as Program;
    const trace = await runAsCoroutines(program);
    assertEquals(trace, (recorded[index + 1] as string).split("\n"), `program ${index / 2}`);
  }
});

Deno.test("Programs as async functions give the results that they give as coroutines", async () => {
  const { disagreements, compared } = await compareForms(0, ASYNC_PROGRAMS);
  const [first] = disagreements;
  if (first !== undefined) throw new Error(`Seed ${first}:\n${await explainForms(first)}`);
  assertEquals(compared > ASYNC_PROGRAMS * 0.8, true);
});

Deno.test("A program leaves the same trace each time", async () => {
  for (let seed = 1000; seed < 1020; seed += 1) {
    const first = await runAsCoroutines(generateProgram(seed));
    assertEquals(await runAsCoroutines(generateProgram(seed)), first, `seed ${seed}`);
  }
});

Deno.test("shrinkProgram() leaves only what makes a program fail", async () => {
  const raises = (program: Program) => JSON.stringify(program).includes('"raiseError"');
  const seed = Array.from({ length: 100 }, (_, index) => index)
    .find((each) => raises(generateProgram(each))) as number;
  const smallest = await shrinkProgram(
    generateProgram(seed),
    (program) => Promise.resolve(raises(program)),
  );
  assertEquals(smallest.body.map((statement) => statement.op), ["raiseError"]);
});
