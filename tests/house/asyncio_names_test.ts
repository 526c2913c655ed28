import { assert, assertEquals } from "@std/assert";
import architecture from "../../ARCHITECTURE.md" with { type: "text" };
import exports from "../../mod.ts" with { type: "text" };
import { DenoEventLoop } from "../../mod.ts";
import {
  camelCase,
  coverageMarkdown,
  LOOP,
  MISSING,
  MODULE,
  RENAMED,
} from "./asyncio_names/coverage.ts";
import { MARKS } from "./asyncio_names/write.ts";

/** Every name that the package exports, types too. */
const exported = new Set(exports.match(/\b\w+(?=,\n| \} from)/g));

function isMethod(name: string): boolean {
  return name in DenoEventLoop.prototype;
}

Deno.test("every name of asyncio is exported, except those that are said not to be", () => {
  assertEquals(MODULE.here.map(camelCase).filter((name) => !exported.has(name)), []);
  const renamed = MODULE.renamed.map((name) => RENAMED[name]?.name ?? name);
  assertEquals(renamed.filter((name) => !exported.has(name)), []);
  assertEquals(MODULE.missing.map(camelCase).filter((name) => exported.has(name)), []);
});

Deno.test("every method of asyncio's loop is a method here, except those that are said not to be", () => {
  assertEquals(LOOP.here.map(camelCase).filter((name) => !isMethod(name)), []);
  assertEquals(LOOP.missing.map(camelCase).filter(isMethod), []);
  assertEquals(LOOP.renamed, []);
});

Deno.test("the tables of asyncio's names have no name that asyncio does not have", () => {
  const known = [...MODULE.renamed, ...MODULE.missing, ...LOOP.missing];
  assertEquals(Object.keys({ ...RENAMED, ...MISSING }).filter((name) => !known.includes(name)), []);
});

Deno.test("ARCHITECTURE.md has the list of asyncio's names that `deno task names` writes", () => {
  const [start, end] = MARKS;
  assert(architecture.includes(`${start}\n\n${coverageMarkdown()}\n\n${end}`));
});
