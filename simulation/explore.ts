import { describeThrown } from "../loop/values/describe.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { EXPLORE } from "./_options.ts";
import { describeRun, type Run, runOnce } from "./_run_once.ts";
import { shortenList } from "./_shorten.ts";
import { type FaultPlan, formatFaults, parseFaults } from "./fault_plan.ts";
import { formatDeviations, type Schedule } from "./schedule.ts";
import type { SimulateOptions } from "./simulate.ts";
import type { SimulationMain } from "./simulation.ts";
import { isAlike, shortenSchedule } from "./_shorten_schedule.ts";
import { Trace } from "./trace.ts";

/**
 * Settings of {@linkcode explore}.
 *
 * @category Simulation
 */
export interface ExploreOptions extends Omit<SimulateOptions, "schedule" | "trace"> {
  /** How many runs to try at most; 1,000 by default. */
  runs?: number | undefined;
  /** The seed of the first run; each later one has the next. 0 by default. */
  seed?: number | undefined;
  /** The schedules, taken in turns; `"fifo"`, `"random"` and `"pct"` by default. */
  schedules?: readonly Schedule[] | undefined;
}

/**
 * What {@linkcode explore} has found.
 *
 * @category Simulation
 */
export interface Exploration {
  /** How many runs it tried, the failed one included. */
  runs: number;
  /** The first failure, or `null`. */
  failure: ExploredFailure | null;
}

/**
 * A run that has failed, and the shortest way found to repeat it.
 *
 * @category Simulation
 */
export interface ExploredFailure {
  /** What the run failed with. */
  error: unknown;
  /** The seed that repeats it. */
  seed: number;
  /** The schedule that repeats it, with as few deviations from `"fifo"` as were found. */
  schedule: Schedule;
  /** The faults that repeat it, as few as were found; empty if there are none. */
  faults: FaultPlan;
  /** How many deviations that are, and how many the run had that failed first. */
  deviations: { shortest: number; first: number };
  /** What happens in the shortest run. */
  trace: Trace;
}

/** The runs after which nothing was found, where nothing is said. */
const DEFAULT_RUNS = 1000;
const DEFAULT_SCHEDULES: readonly Schedule[] = ["fifo", "random", "pct"];

/**
 * Searches for a run of `main` that fails: it tries seeds and schedules one after the other.
 *
 * The failure is repeated with fewer and fewer deviations from the usual order, as long as it
 * fails with an error of the same class, and reported in one line. `main` has to begin anew with
 * each call.
 *
 * @param main A function that returns a coroutine, a promise or a value.
 * @param options Additional options.
 * @returns What was found.
 *
 * @category Simulation
 *
 * @example A counter that loses an update if tasks are unlucky
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gather, sleep } from "@gyre/asyncio";
 * import { explore } from "@gyre/asyncio/simulation";
 *
 * const { failure } = await explore(async ({ random }) => {
 *   let count = 0;
 *   const increment = async () => {
 *     const before = count;
 *     if (random.chance(0.1)) await sleep(0);
 *     count = before + 1;
 *   };
 *   await gather([increment, increment]);
 *   assertEquals(count, 2);
 * }, { report: () => {} });
 * assertEquals(failure !== null, true);
 * ```
 */
export async function explore(
  main: SimulationMain<unknown>,
  options: ExploreOptions = {},
): Promise<Exploration> {
  checkOptions("explore", options, EXPLORE);
  const { seed: firstSeed = 0, runs = DEFAULT_RUNS, schedules = DEFAULT_SCHEDULES } = options;
  for (let run = 0; run < runs; run += 1) {
    const seed = firstSeed + run;
    const schedule = schedules[run % schedules.length] ?? "fifo";
    const failed = await runOnce(main, { ...options, seed, schedule });
    if (!failed.outcome.failed) continue;
    const { error } = failed.outcome;
    const failure = { error, ...await findShortest(main, { ...options, seed, schedule }, failed) };
    const report = options.report ?? ((line) => console.error(line));
    report(describeInOneLine(run + 1, failure));
    return { runs: run + 1, failure };
  }
  return { runs, failure: null };
}

/** Repetitions of a failed run for the sake of its faults, at most. */
const MOST_REPETITIONS = 200;

/** Repeats a failed run in the shortest way that is found: the fewest faults first, then the order. */
export async function findShortest(
  main: SimulationMain<unknown>,
  options: SimulateOptions & { seed: number },
  failed: Run<unknown>,
): Promise<Omit<ExploredFailure, "error">> {
  let last = failed;
  const faults = formatFaults(
    await shortenList(failed.faults, async (some) => {
      const run = await runOnce(main, { ...options, faults: formatFaults(some) });
      const fails = isAlike(run, failed);
      if (fails) last = run;
      return fails;
    }, { left: MOST_REPETITIONS }),
  );
  const shortest = await shortenSchedule(last, (deviations) => {
    return runOnce(main, { ...options, faults, schedule: formatDeviations(deviations) });
  });
  const schedule = formatDeviations(shortest);
  const trace = new Trace();
  await runOnce(main, { ...options, faults, schedule, trace });
  return {
    seed: options.seed,
    schedule,
    faults,
    deviations: { shortest: shortest.size, first: failed.deviations.size },
    trace,
  };
}

/** Says in one line what failed, and how to repeat it. */
export function describeInOneLine(
  runs: number,
  { error, seed, schedule, faults }: ExploredFailure,
): string {
  const repeat = describeRun({ seed, schedule, faults: parseFaults(faults) });
  return `Run ${runs} failed with ${firstLine(error)}; to repeat it: ${repeat}`;
}

function firstLine(error: unknown): string {
  return describeThrown(error).split("\n", 1)[0] as string;
}
