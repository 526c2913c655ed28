import { loadOutside } from "../loop/platform/platform_loop.ts";
import { type RunEnd, runWorld } from "./_run_world.ts";
import { World } from "./_world.ts";
import { drawFaults, type Fault, formatFaults, parseFaults } from "./fault_plan.ts";
import type { Schedule } from "./schedule.ts";
import type { SimulateOptions } from "./simulate.ts";
import { Simulation, type SimulationMain } from "./simulation.ts";

/** How a run went. */
export interface Run<T> {
  /** How it ended. */
  readonly outcome: RunEnd<T>;
  /** The decisions that were not those of `fifo`. */
  readonly deviations: ReadonlyMap<number, number>;
  /** How many decisions there were. */
  readonly decisions: number;
  /** What was to go wrong. */
  readonly faults: readonly Fault[];
}

/** Thirty days, in seconds. */
const DEFAULT_TIME_LIMIT = 30 * 24 * 3600;

/** Runs `main` in a world of its own. */
export async function runOnce<T>(
  main: SimulationMain<T>,
  options: SimulateOptions,
): Promise<Run<T>> {
  const { seed = 0, schedule = "fifo", trace = null, timeLimit = DEFAULT_TIME_LIMIT } = options;
  // Who does not ask for it loads none of it.
  const web = options.web === true ? (await loadOutside(() => import("./web/_web.ts"))).web : null;
  const world = new World({ seed, schedule, trace, timeLimit, web });
  const faults = planFaults(options.faults, world);
  const sim = new Simulation(world, seed, { conditions: options.network, faults });
  const outcome = await runWorld(world, sim, main);
  const { deviations, decisions } = world.scheduler;
  return { outcome, deviations, decisions, faults };
}

function planFaults(faults: SimulateOptions["faults"], { seeds }: World): Fault[] {
  if (typeof faults === "string") return parseFaults(faults);
  return faults === undefined ? [] : drawFaults(faults, seeds.derive("faults"));
}

/** What has to be given to repeat a run. */
export interface RunSettings {
  readonly seed: number;
  readonly schedule: Schedule;
  readonly faults: readonly Fault[];
}

/** Writes them as they are to be given. */
export function describeRun({ seed, schedule, faults }: RunSettings): string {
  const plan = faults.length === 0 ? "" : `, faults: ${JSON.stringify(formatFaults(faults))}`;
  return `{ seed: ${seed}, schedule: ${JSON.stringify(schedule)}${plan} }`;
}
