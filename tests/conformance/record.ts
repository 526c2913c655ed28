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

const PROGRAMS = 400;
const TARGET = new URL("traces/cpython.json", import.meta.url);

await using python = new CPython();
const programs = Array.from({ length: PROGRAMS }, (_, seed) => generateProgram(seed));
const traces = await python.run(programs);
const lines = programs.flatMap((program, index) => {
  const trace = traces[index];
  if (trace === null || trace === undefined) return [];
  return [JSON.stringify(program), trace.join("\n")];
});
await Deno.writeTextFile(TARGET, JSON.stringify(lines, null, 2) + "\n");
