// How programs end, in real processes: a representative part of the table that `deno task
// test:endings` goes through as a whole.
import { assertEquals } from "@std/assert";
import {
  allEndings,
  type Ending,
  expectedOf,
  type Outcome,
  outcomeOf,
  titleOf,
} from "./_endings.ts";

/** Programs that run at once. */
const SIDE_BY_SIDE = 4;

/** Every seventh cell: each signal, main, leftover and runner comes several times. */
const cells = [...allEndings()].filter((_, index) => index % 7 === 0);

for (
  const [kind, values] of [
    ["runner", ["run", "runMain"]],
    ["main", ["returns", "throws", "returns when asked", "cleans up", "ignores", "never ends"]],
    ["leftover", ["nothing", "a task that ends", "a task that refuses", "a server", "a child"]],
  ] as const
) {
  Deno.test(`the cells that are tried have every ${kind}`, () => {
    const tried = new Set<string>(cells.map((cell) => cell[kind]));
    assertEquals(values.filter((value) => !tried.has(value)), []);
  });
}

/** Tries `cells`, a few at a time, and gives what came of each. */
async function tryAll(): Promise<Map<Ending, Outcome>> {
  const outcomes = new Map<Ending, Outcome>();
  const open = [...cells];
  const work = async () => {
    for (let cell = open.shift(); cell !== undefined; cell = open.shift()) {
      outcomes.set(cell, await outcomeOf(cell));
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return outcomes;
}

Deno.test("programs end as their mains, their signals and what they leave say", async (test) => {
  const outcomes = await tryAll();
  for (const cell of cells) {
    await test.step(titleOf(cell), () => assertEquals(outcomes.get(cell), expectedOf(cell)));
  }
});
