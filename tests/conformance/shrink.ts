import type { Program } from "./program.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Makes `program` smaller for as long as `fails` says so: it drops statements, puts the contents
 * of nested ones in their place, and makes numbers zero.
 */
export async function shrinkProgram(
  program: Program,
  fails: (smaller: Program) => Promise<boolean>,
): Promise<Program> {
  let best = program;
  for (let improved = true; improved;) {
    improved = false;
    for (let index = 0;; index += 1) {
      const smaller = variant(best, index);
      if (smaller === null) break;
      if (JSON.stringify(smaller) === JSON.stringify(best) || !await fails(smaller)) continue;
      best = smaller;
      improved = true;
      index -= 1;
    }
  }
  return best;
}

/** Returns the simplification number `index` of `program`, `null` past the last. */
function variant(program: Program, index: number): Program | null {
  const copy = structuredClone(program) as unknown as { [key: string]: Json };
  let left = index;
  for (const change of changesOf(copy)) {
    if (left === 0) {
      change();
      return copy as unknown as Program;
    }
    left -= 1;
  }
  return null;
}

/** Yields every simplification, largest first, as a function that makes it in place. */
function* changesOf(program: { [key: string]: Json }): Generator<() => void> {
  const lists: { [key: string]: Json }[][] = [];
  for (const key of ["body", "callbacks"]) collectLists(program[key] as Json, lists);
  for (const list of lists) {
    for (let index = 0; index < list.length; index += 1) yield () => void list.splice(index, 1);
  }
  for (const list of lists) {
    for (let index = 0; index < list.length; index += 1) {
      const item = list[index] as { [key: string]: Json };
      for (const value of Object.values(item)) {
        if (isStatements(value) && isLike(value, item)) {
          yield () => void list.splice(index, 1, ...value);
        }
      }
      if (isExpression(item.of)) {
        const of = item.of;
        if (isExpression(of.of)) yield () => void (item.of = of.of as Json);
      }
    }
  }
  for (const list of lists) {
    for (const item of list) {
      for (const [key, value] of Object.entries(item)) {
        if (SIMPLER[key] !== undefined && value !== SIMPLER[key]) {
          yield () => void (item[key] = SIMPLER[key] as Json);
        }
      }
    }
  }
}

/** What each field may become. */
const SIMPLER: Record<string, Json> = {
  message: "m",
  rethrow: false,
  eager: false,
  catch: "all",
  delay: 1,
  times: 1,
  timeout: 1,
  soft: true,
};

/** Collects every list of statements or expressions, also those inside others. */
function collectLists(value: Json, lists: { [key: string]: Json }[][]): void {
  if (Array.isArray(value)) {
    if (isStatements(value)) lists.push(value);
    for (const item of value) collectLists(item, lists);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) collectLists(item, lists);
  }
}

function isStatements(value: Json | undefined): value is { [key: string]: Json }[] {
  return Array.isArray(value) &&
    value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item));
}

/** Whether `list` holds what `item` is: statements or expressions. */
function isLike(list: { [key: string]: Json }[], item: { [key: string]: Json }): boolean {
  return list.every((each) => ("op" in each) === ("op" in item));
}

function isExpression(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "kind" in value;
}
