/**
 * The whole gate: everything that has to hold before a change goes in. `deno task ok` runs it.
 *
 * Tests run twice, each time in a random order of its own; the second time the lines that run are
 * counted. All steps run, also after one that failed, and a table says at the end how each went.
 *
 * @module
 */

/** A task of deno.json that takes arguments for `deno test`. */
const TEST_TASKS = ["pure", "net", "unstable", "unix", "processes"];

/** Counts executed lines, in a folder that .gitignore names. */
const COVERAGE = ["--coverage=coverage", "--coverage-raw-data-only"];

/** One step: what it is called, and arguments of `deno`. */
type Step = [name: string, args: readonly string[]];

/** Runs all tests in the order that a new seed gives, which the output names. */
function testSteps(options: readonly string[], firstOptions: readonly string[] = []): Step[] {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  return TEST_TASKS.map((name, index) => {
    const args = ["task", `test:${name}`, `--shuffle=${seed}`, ...options];
    return [`test:${name}, order ${seed}`, index === 0 ? [...args, ...firstOptions] : args];
  });
}

const STEPS: readonly Step[] = [
  ["lint", ["task", "lint"]],
  ["doc examples", ["task", "test:doc"]],
  ["examples", ["task", "test:examples"]],
  ...testSteps([]),
  ...testSteps(COVERAGE, ["--clean"]),
  ["coverage", ["task", "coverage"]],
  ["publish", ["publish", "--dry-run", "--allow-dirty", "--quiet"]],
];

/** Runs a step, and says whether it was fine. */
async function runStep(args: readonly string[]): Promise<boolean> {
  const child = new Deno.Command("deno", { args: [...args], stdin: "null" }).spawn();
  return (await child.status).success;
}

const rows: string[] = [];
for (const [name, args] of STEPS) {
  console.log(`\ngate: ${name}`);
  const start = performance.now();
  const success = await runStep(args);
  const seconds = ((performance.now() - start) / 1000).toFixed(0).padStart(4);
  rows.push(`${success ? "ok    " : "FAILED"} ${seconds} s  ${name}`);
  if (!success) Deno.exitCode = 1;
}
console.log(`\n${rows.join("\n")}`);
