import * as inside from "../loop/inside.ts";
import { DeadlockError } from "../loop/errors/errors.ts";
import { describeThrown } from "../loop/values/describe.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { Runner } from "../loop/runner.ts";
import { runInside } from "./_deno_globals.ts";
import { isInstance } from "./_is_instance.ts";
import type { World } from "./_world.ts";
import type { Simulation, SimulationMain } from "./simulation.ts";

/** How a run ended. */
export type RunEnd<T> = { failed: false; value: T } | { failed: true; error: unknown };

/** Runs `main` in `sim` to its end. Gives its failure as a value, with those that nobody handled. */
export async function runWorld<T>(
  world: World,
  sim: Simulation,
  main: SimulationMain<T>,
): Promise<RunEnd<T>> {
  let fatal: Error | null = null;
  world.abandon = (error) => {
    fatal ??= error;
    stopAll(sim);
  };
  const outcome = await runInside(world, async () => {
    const ended = await runMain(sim.loop, () => main(sim));
    sim[inside.end]();
    return ended;
  });
  if (fatal !== null) return { failed: true, error: fatal };
  if (outcome.failed) return { failed: true, error: describeDeadlock(world, outcome.error) };
  if (world.failureCount === 0) return outcome;
  return { failed: true, error: joinErrors(world) };
}

async function runMain<T>(loop: EventLoop, main: () => ReturnType<SimulationMain<T>>) {
  const runner = new Runner({ loopFactory: () => loop, signals: ["SIGINT", "SIGTERM"] });
  let outcome: RunEnd<T>;
  try {
    outcome = { failed: false, value: await runner.run(main) as T };
  } catch (error) {
    outcome = { failed: true, error };
  }
  try {
    await runner.close();
  } catch (error) {
    if (!outcome.failed) outcome = { failed: true, error };
  }
  return outcome;
}

function stopAll(sim: Simulation): void {
  for (const host of sim[inside.hosts]()) {
    host.loop[inside.tasks].clear();
    host.loop.stop();
  }
}

/** Adds to a deadlock who waits on the other hosts, and the errors that may be its cause. */
function describeDeadlock(world: World, error: unknown): unknown {
  if (!isInstance(error, DeadlockError)) return error;
  const { stuck, failureCount } = world;
  if (stuck.size === 0 && failureCount === 0) return error;
  const others = [...stuck].map(([host, { message }]) => `; on host "${host}": ${message}`);
  const options = failureCount === 0 ? {} : { cause: joinErrors(world) };
  return new DeadlockError(error.message + others.join(""), options);
}

/** Returns the only error that nobody has handled, or one that holds the first of them. */
function joinErrors({ failures, failureCount }: World): unknown {
  if (failureCount === 1) return failures[0];
  const message = describeThrown(failures[0]);
  return new AggregateError(
    failures,
    `Cannot end the simulation well: ${failureCount} errors were not handled, first: ${message}`,
  );
}
