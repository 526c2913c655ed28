import { DenoEventLoop, type LoopPermissions } from "../../../loop/mod.ts";
import type { Platform } from "../../../loop/platform/platform.ts";
import type { Simulation } from "../../../simulation/mod.ts";

/**
 * Creates a loop with `permissions` on the platform of `sim`, of which `parts` replace some. It has
 * the simulated time, and a ready queue of its own.
 */
export function restrictedLoop(
  sim: Simulation,
  permissions: LoopPermissions,
  parts: Partial<Platform> = {},
): DenoEventLoop {
  const { createReadyQueue: _, ...platform } = sim.loop.platform;
  return new DenoEventLoop({ platform: { ...platform, ...parts }, permissions });
}
