import { type RunEnd, runWorld } from "./_run_world.ts";
import { World } from "./_world.ts";
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
  const web = options.web === true ? (await import("./web/_web.ts")).web : null;
  const world = new World({ seed, schedule, trace, timeLimit, web });
  const outcome = await runWorld(world, new Simulation(world, seed, options.network), main);
  const { deviations, decisions } = world.scheduler;
  return { outcome, deviations, decisions };
}
