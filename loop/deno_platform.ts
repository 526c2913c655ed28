import { DenoClock } from "./deno_clock.ts";
import type { Platform, Random, Signals } from "./platform.ts";

const denoRandom: Random = { next: () => Math.random() };

const denoSignals: Signals = {
  listen(signal, callback) {
    Deno.addSignalListener(signal, callback);
    return () => Deno.removeSignalListener(signal, callback);
  },
};

/** The parts of the platform that other folders implement. */
export type DenoPlatformParts = Omit<Platform, "clock" | "random" | "signals">;

/** Creates the platform that stands on Deno's own APIs, and on `parts`. */
export function createDenoPlatform(parts: DenoPlatformParts): Platform {
  return { clock: new DenoClock(), random: denoRandom, signals: denoSignals, ...parts };
}
