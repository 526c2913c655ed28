/**
 * Compares new random programs on CPython and on our coroutines.
 *
 * ```sh
 * deno run --allow-read=tests --allow-run=python3 tests/conformance/fuzz.ts --programs 10000 --seed 1
 * ```
 *
 * With `--async` it compares coroutines with async functions instead, which needs no Python.
 * `--python path` names another CPython, `--show seed` prints one program and both traces. Of a
 * disagreement it prints the seed, the shortest program that still disagrees, and both traces.
 *
 * @module
 */
import { compareWithAsync, generateSpreadProgram } from "./compare_async.ts";
import { CPython } from "./cpython.ts";
import { generateProgram } from "./generate.ts";
import type { Program, Trace } from "./program.ts";
import { runAsAsyncFunctions, runAsCoroutines, runAsSpacedCoroutines } from "./run.ts";
import { shrinkProgram } from "./shrink.ts";

/** How many programs CPython is given at once. */
const BATCH = 200;
/** After so many disagreements there is nothing more to learn. */
const MAX_REPORTS = 5;

/** What a comparison found. */
export interface Comparison {
  /** How many programs ran on both. */
  compared: number;
  /** How many CPython itself could not run. */
  skipped: number;
  /** The seeds that disagree. */
  disagreements: number[];
}

/** Compares the programs of `count` seeds from `seed` on. */
export async function comparePrograms(
  python: CPython,
  seed: number,
  count: number,
): Promise<Comparison> {
  const result: Comparison = { compared: 0, skipped: 0, disagreements: [] };
  for (let start = 0; start < count; start += BATCH) {
    const size = Math.min(BATCH, count - start);
    const seeds = Array.from({ length: size }, (_, index) => seed + start + index);
    const programs = seeds.map((each) => generateProgram(each));
    const traces = await python.run(programs);
    for (const [index, program] of programs.entries()) {
      const expected = traces[index] as Trace | null;
      // Also what CPython cannot run must come to its end.
      const actual = await runAsCoroutines(program);
      if (expected === null) result.skipped += 1;
      else if (actual.join("\n") === expected.join("\n")) result.compared += 1;
      else result.disagreements.push(seeds[index] as number);
    }
    if (result.disagreements.length >= MAX_REPORTS) break;
  }
  return result;
}

/** Compares the programs of `count` seeds from `seed` on with their form as async functions. */
export async function compareForms(seed: number, count: number): Promise<Comparison> {
  const result: Comparison = { compared: 0, skipped: 0, disagreements: [] };
  for (let each = seed; each < seed + count; each += 1) {
    const verdict = await compareWithAsync(generateSpreadProgram(each));
    if (verdict === "same") result.compared += 1;
    else if (verdict === "order") result.skipped += 1;
    else result.disagreements.push(each);
    if (result.disagreements.length >= MAX_REPORTS) break;
  }
  return result;
}

async function agrees(program: Program, expected: Trace): Promise<boolean> {
  return (await runAsCoroutines(program)).join("\n") === expected.join("\n");
}

/** Returns the smallest program from `seed` that disagrees, with both traces. */
export async function explain(python: CPython, seed: number): Promise<string> {
  const disagrees = async (program: Program) => {
    const [expected] = await python.run([program]);
    return expected !== null && expected !== undefined && !await agrees(program, expected);
  };
  return await describe(python, await shrinkProgram(generateProgram(seed), disagrees));
}

/** As {@linkcode explain}, for coroutines and async functions. */
export async function explainForms(seed: number): Promise<string> {
  const program = await shrinkProgram(
    generateSpreadProgram(seed),
    async (smaller) => await compareWithAsync(smaller) === "fault",
  );
  return side(program, await runAsSpacedCoroutines(program), await runAsAsyncFunctions(program));
}

async function describe(python: CPython, program: Program): Promise<string> {
  const [expected] = await python.run([program]);
  return side(program, expected ?? [], await runAsCoroutines(program));
}

/** Writes `program` and two traces of it side by side. */
function side(program: Program, expected: Trace, actual: Trace): string {
  const { body, callbacks, ...resources } = program;
  const lines = [JSON.stringify(resources), ...body.map((each) => JSON.stringify(each))];
  callbacks.forEach((each, name) => {
    if (each.length > 0) lines.push(`callback ${name}: ${JSON.stringify(each)}`);
  });
  for (let line = 0; line < Math.max(expected.length, actual.length); line += 1) {
    const [left, right] = [expected[line] ?? "", actual[line] ?? ""];
    lines.push(`${left === right ? " " : "!"} ${left.padEnd(48)} ${right}`);
  }
  return lines.join("\n");
}

async function report(
  seed: number,
  result: Comparison,
  explainOne: (seed: number) => Promise<string>,
): Promise<void> {
  for (const each of result.disagreements) {
    console.log(`seed ${each}\n${await explainOne(each)}\n`);
  }
  const { compared, skipped, disagreements } = result;
  console.log(
    `from seed ${seed}: ${compared} agree, ${skipped} skipped, ${disagreements.length} disagree`,
  );
  if (disagreements.length > 0) Deno.exitCode = 1;
}

if (import.meta.main) {
  const option = (name: string, fallback: string) => {
    const index = Deno.args.indexOf(`--${name}`);
    return index === -1 ? fallback : Deno.args[index + 1] as string;
  };
  const seed = Number(option("seed", String(Date.now() % 1e9)));
  const count = Number(option("programs", "10000"));
  const shown = option("show", "");
  if (Deno.args.includes("--async")) {
    await report(seed, await compareForms(seed, count), explainForms);
  } else {
    await using python = new CPython(option("python", "python3"));
    if (shown !== "") console.log(await describe(python, generateProgram(Number(shown))));
    else {
      await report(
        seed,
        await comparePrograms(python, seed, count),
        (each) => explain(python, each),
      );
    }
  }
}
