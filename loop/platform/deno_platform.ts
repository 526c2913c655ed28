import { DenoClock } from "./deno_clock.ts";
import type { Platform, Random, Signals } from "./platform.ts";

// All loops share these: none may change them.
const denoRandom: Random = Object.freeze({ next: () => Math.random() });

const denoSignals: Signals = Object.freeze<Signals>({
  listen(signal, callback) {
    Deno.addSignalListener(signal, callback);
    return () => Deno.removeSignalListener(signal, callback);
  },
});

/** The parts of the platform that other folders implement. */
export type DenoPlatformParts = Omit<Platform, "clock" | "random" | "signals">;

/** Creates the platform that stands on Deno's own APIs, and on `parts`. */
export function createDenoPlatform(parts: DenoPlatformParts): Platform {
  return { clock: new DenoClock(), random: denoRandom, signals: denoSignals, ...parts };
}
