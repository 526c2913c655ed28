import type { Program } from "./program.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Part of a second between two numbers of statements; sums of it are exact. */
const STEP = 1 / 4096;

/** What starts a task or a coroutine. */
const STARTS: ReadonlySet<Json | undefined> = new Set(["spawn", "groupSpawn", "coroutine"]);

/**
 * Returns `program` with times of its own for each statement, and with each task starting at a
 * time of its own: then little happens at the same instant, and its order decides little.
 */
export function spreadOut(program: Program): Program {
  return spread(program as unknown as Json) as unknown as Program;
}

function spread(value: Json): Json {
  if (Array.isArray(value)) return value.map(spread);
  if (typeof value !== "object" || value === null) return value;
  const copy: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) copy[key] = spread(item);
  const id = (copy.id ?? copy.name ?? 0) as number;
  for (const key of ["delay", "timeout", "when"]) {
    const time = copy[key];
    if (typeof time === "number" && time >= 0) copy[key] = time + id * STEP;
  }
  if (STARTS.has(copy.op) || STARTS.has(copy.kind)) {
    const start = { op: "sleep", id: 10_000 + id, delay: id * STEP };
    copy.body = [start, ...copy.body as Json[]];
  }
  return copy;
}
