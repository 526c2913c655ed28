/**
 * Records what CPython does with a fixed set of programs, for machines without it.
 *
 * ```sh
 * deno run --allow-read=tests --allow-write=tests --allow-run=python3 tests/conformance/record.ts
 * ```
 *
 * Use the newest CPython at hand. The programs are kept with their traces, so that a change of
 * the generator leaves them as they are.
 *
 * @module
 */
import { CPython } from "./cpython.ts";
import { generateProgram } from "./generate.ts";

/** Programs that showed each of 79 planted faults, as seeds from 500,000 on. */
const TELLING: readonly number[] = `
  0 1 2 3 5 7 8 11 13 16 21 22 25 28 34 35 37 39 40 47 48 54 59 61 70 74 78 80 86 87 91 99
  107 123 125 193 199 217 231 251 252 268 330 380 513 605 676 709 748 1121 1944 3019 6142
  8053
`.trim().split(/\s+/).map(Number);
/** Others. */
const PROGRAMS = 340;
const TARGET = new URL("traces/cpython.json", import.meta.url);

await using python = new CPython();
const seeds = [
  ...TELLING.map((offset) => 500_000 + offset),
  ...Array.from({ length: PROGRAMS }, (_, seed) => seed),
];
const programs = seeds.map((seed) => generateProgram(seed));
const traces = await python.run(programs);
const lines = programs.flatMap((program, index) => {
  const trace = traces[index];
  if (trace === null || trace === undefined) return [];
  return [JSON.stringify(program), trace.join("\n")];
});
await Deno.writeTextFile(TARGET, JSON.stringify(lines, null, 2) + "\n");
