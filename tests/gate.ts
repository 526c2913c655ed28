/**
 * The whole gate: everything that has to hold before a change goes in. `deno task ok` runs it.
 *
 * Tests run twice, each time in a random order of its own; the second time the lines that run are
 * counted. Types are checked once, by lint, and not again before each set of tests. Two steps run at
 * a time, for two cores: one set of tests that count descriptors, watch processes, or expect that
 * nobody takes a port that they have just closed, beside one step that does not. What a step prints
 * comes when it ends. All steps run, also after one that failed, and a table says at the end how each went.
 *
 * @module
 */

/** Sets of tests, each a task of deno.json, and whether they want the machine for themselves. */
const TEST_TASKS = {
  pure: false,
  net: true,
  unstable: true,
  unix: true,
  processes: true,
  engines: false,
  native: true,
};

/** One step: what it is called, and arguments of `deno`. */
interface Step {
  readonly name: string;
  readonly args: readonly string[];
  /** Whether it wants no other such step beside it. */
  readonly usesMachine?: boolean;
}

/** Counts executed lines, in a folder that .gitignore names; each set has its own, which is emptied. */
function countingLines(set: string): string[] {
  return [`--coverage=coverage/${set}`, "--coverage-raw-data-only", "--clean"];
}

/** Runs all tests in the order that a new seed gives, which the output names. */
function testSteps(optionsOf: (set: string) => readonly string[] = () => []): Step[] {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  return Object.entries(TEST_TASKS).map(([set, usesMachine]) => ({
    name: `test:${set}, order ${seed}`,
    args: ["task", `test:${set}`, "--no-check", `--shuffle=${seed}`, ...optionsOf(set)],
    usesMachine,
  }));
}

/** What may run in any order. */
const STEPS: readonly Step[] = [
  { name: "lint", args: ["task", "lint"] },
  { name: "examples", args: ["task", "test:examples", "--no-check"] },
  { name: "doc examples", args: ["task", "test:doc"] },
  { name: "browser", args: ["task", "test:browser", "--no-check"], usesMachine: true },
  { name: "npm", args: ["task", "test:npm", "--no-check"] },
  ...testSteps(),
  ...testSteps(countingLines),
  { name: "publish", args: ["publish", "--dry-run", "--allow-dirty", "--quiet"] },
];

/** What needs all of them. */
const LAST: Step = { name: "coverage", args: ["task", "coverage"] };

const rows: string[] = [];

/** Runs a step, and prints what it has printed. */
async function runStep({ name, args }: Step): Promise<void> {
  const start = performance.now();
  console.log(`gate: ${name} …`);
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: [...args],
    stdin: "null",
  }).output();
  const seconds = ((performance.now() - start) / 1000).toFixed(0).padStart(4);
  const row = `${success ? "ok    " : "FAILED"} ${seconds} s  ${name}`;
  rows.push(row);
  if (!success) Deno.exitCode = 1;
  const text = new TextDecoder();
  console.log(`\n${text.decode(stdout)}${text.decode(stderr)}\ngate: ${row}\n`);
}

/** Runs steps one after the other. */
async function runLane(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await runStep(step);
}

const lanes = [true, false].map((lane) =>
  STEPS.filter(({ usesMachine = false }) => usesMachine === lane)
);
await Promise.all(lanes.map(runLane));
await runStep(LAST);
console.log(`\n${rows.join("\n")}`);
