/**
 * Compares the same program written with coroutines and with async functions.
 *
 * An async function goes on in microtasks, so it may come a little later in its turn. Results
 * must be the same wherever the order within one instant does not decide them. Whether it does
 * is found by trying: coroutines run in other orders, with pauses, and all must agree.
 *
 * @module
 */
import { SeededRandom } from "./_random.ts";
import { spreadOut } from "./_spread.ts";
import { generateProgram } from "./generate.ts";
import type { Program, Trace } from "./program.ts";
import { runAsAsyncFunctions, runAsSpacedCoroutines, runInAnyOrder } from "./run.ts";

/** How many orders are tried before a difference counts. */
const ORDERS = 300;

/**
 * What came of it: the same; another result where the order within one instant decides; or a
 * fault: another result, or a task that never ends and does so in no order of coroutines.
 */
export type Verdict = "same" | "order" | "fault";

/** Makes the program of `seed`, with few things at the same instant. */
export function generateSpreadProgram(seed: number): Program {
  return spreadOut(generateProgram(seed, false));
}

/** Compares `program` as coroutines with `program` as async functions. */
export async function compareWithAsync(program: Program): Promise<Verdict> {
  const expected = byTask(await runAsSpacedCoroutines(program));
  const actual = byTask(await runAsAsyncFunctions(program));
  if (expected === actual) return "same";
  let orderDecides = false;
  // One uncancel() too many takes back what a timeout asked for, on CPython too.
  let mayHang = hangs(expected) || JSON.stringify(program).includes('"uncancel"');
  for (let order = 0; order < ORDERS; order += 1) {
    const other = byTask(await runInAnyOrder(program, new SeededRandom(order)));
    orderDecides ||= other !== expected;
    mayHang ||= hangs(other);
    if (orderDecides && (mayHang || !hangs(actual))) return "order";
  }
  return "fault";
}

function hangs(lines: string): boolean {
  return / t\d+ is pending/.test(lines);
}

/**
 * Returns `trace` without the order of what happened to different tasks: the lines of each task
 * by themselves. Tasks that have no name of their own are told apart by what they did. How often
 * a task was cancelled is left out where another one asks: in an async function the scope of a
 * timeout or a group counts its own cancellations.
 */
export function byTask(trace: Trace): string {
  const tasks = new Map<string, string[]>();
  for (const line of trace) {
    const [time, task, ...event] = line.split(" ") as [string, string, ...string[]];
    const lines = tasks.get(task);
    const text = `${time} ${withoutCount(event.join(" "))}`;
    if (lines === undefined) tasks.set(task, [text]);
    else lines.push(text);
  }
  tasks.get("-")?.sort();
  const parts = [...tasks].map(([task, lines]) =>
    [task.startsWith("u") ? "u" : task, ...lines].join("\n")
  );
  return parts.sort().join("\n");
}

function withoutCount(event: string): string {
  return event.replace(/^(t\d+ is .*) \d+$/, "$1").replace(/^(look\d+ = \[)\d+/, "$1");
}
