import { checkOptions } from "../loop/values/check_options.ts";
import { SIMULATE } from "./_options.ts";
import { describeRun, runOnce } from "./_run_once.ts";
import type { FaultOptions, FaultPlan } from "./fault_plan.ts";
import type { LinkConditions } from "./link_conditions.ts";
import type { Schedule } from "./schedule.ts";
import type { SimulationMain } from "./simulation.ts";
import type { Trace } from "./trace.ts";

/**
 * Settings of {@linkcode simulate}.
 *
 * @category Simulation
 */
export interface SimulateOptions {
  /** Where all chance comes from; 0 by default. The same seed gives the same run. */
  seed?: number | undefined;
  /** How tasks that are ready are ordered; `"fifo"`, as asyncio does, by default. */
  schedule?: Schedule | undefined;
  /** What the network is like; see {@linkcode SimulatedNetwork}. */
  network?: Partial<LinkConditions> | undefined;
  /** An empty trace, to be filled. */
  trace?: Trace | undefined;
  /** Simulated seconds after which the run fails with a `TimeoutError`; 30 days by default. */
  timeLimit?: number | undefined;
  /**
   * What goes wrong with hosts: what it is drawn from by the seed, or a plan that a failed run has
   * printed. Nothing by default.
   */
  faults?: FaultOptions | FaultPlan | undefined;
  /**
   * Whether `fetch`, `Deno.serve`, `node:net`, `node:http` and their like reach the simulated network;
   * `@gyre/asyncio/simulation/web` says which. By default they are refused.
   */
  web?: boolean | undefined;
  /** Receives the line that says how to repeat a failed run; `console.error` by default. */
  report?: ((line: string) => void) | undefined;
}

/**
 * Runs `main` in a simulated world: virtual time, a network in memory, and all chance from a seed.
 *
 * The loop is the same class as the real one. Time begins at 0 and jumps when nothing can run.
 * `Math.random`, `Date`, `performance.now`, `crypto.getRandomValues`, `setTimeout`, `Deno.env` and
 * their like belong to the simulation for whatever is called from inside; what would reach the real
 * world, such as `fetch` and `Deno.connect`, fails. What the host answers later, such as `import()`,
 * `crypto.subtle` and `WebAssembly.compile()`, takes no simulated time. What is imported from
 * `node:` modules is the host's. When nothing can ever happen, the run fails with a
 * `DeadlockError` that names who waits for what.
 *
 * An error that nobody handles fails the run: also one that only the exception handler of a loop
 * was told, or a promise that was rejected and not awaited.
 *
 * @param main A function that returns a coroutine, a promise or a value.
 * @param options Additional options.
 * @returns What `main` gives.
 * @throws {DeadlockError} If nothing can wake the program. Its cause is the error that nobody has
 * handled, if there is one: it may be why nobody comes.
 * @throws {TimeoutError} If simulated time exceeds the limit.
 *
 * @category Simulation
 *
 * @example Sleeping for an hour
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep } from "@gyre/asyncio";
 * import { simulate } from "@gyre/asyncio/simulation";
 *
 * await simulate(async ({ loop }) => {
 *   await sleep(3600);
 *   assertEquals(loop.time(), 3600);
 *   assertEquals(new Date().toISOString(), "2000-01-01T01:00:00.000Z");
 * });
 * ```
 */
export async function simulate<T>(
  main: SimulationMain<T>,
  options: SimulateOptions = {},
): Promise<T> {
  checkOptions("simulate", options, SIMULATE);
  const { outcome, faults } = await runOnce(main, options);
  if (outcome.failed === false) return outcome.value;
  const { seed = 0, schedule = "fifo", report = (line) => console.error(line) } = options;
  report(`Simulation failed; to repeat it: ${describeRun({ seed, schedule, faults })}`);
  throw outcome.error;
}
