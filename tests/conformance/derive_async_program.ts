/**
 * Makes async_program.ts, the interpreter on async functions, from coroutine_program.ts, so that
 * the two say the same.
 *
 * ```sh
 * deno run --allow-read=tests --allow-write=tests tests/conformance/derive_async_program.ts
 * ```
 *
 * @module
 */

const SOURCE = new URL("coroutine_program.ts", import.meta.url);
const TARGET = new URL("async_program.ts", import.meta.url);

/** What changes, in this order. Nothing else differs between a coroutine and an async function. */
const CHANGES: readonly (readonly [RegExp, string])[] = [
  [
    /\/\*\* Runs programs as coroutines\..*\*\//,
    "/** Runs programs as async functions. Made by derive_async_program.ts: edit the original. */",
  ],
  [/CoroutineProgram/g, "AsyncProgram"],
  [/ +yield\* this\.#pause\(\);\n/g, ""],
  [/\n {2}\/\*\* Lets others run[^]*?\n {2}}\n/, ""],
  [/true as boolean/, "false as boolean"],
  [/ {2}\*#/g, "  async #"],
  [/function\* /g, "async function "],
  [/yield\* /g, "await "],
  [/ {2}type Coroutine,\n/, ""],
  [/Coroutine</g, "Promise<"],
];

/** Returns what async_program.ts has to be. */
export async function deriveAsyncProgram(): Promise<string> {
  let text = await Deno.readTextFile(SOURCE);
  for (const [pattern, replacement] of CHANGES) text = text.replace(pattern, replacement);
  return text;
}

/** Returns what async_program.ts is. */
export function readAsyncProgram(): Promise<string> {
  return Deno.readTextFile(TARGET);
}

if (import.meta.main) await Deno.writeTextFile(TARGET, await deriveAsyncProgram());
