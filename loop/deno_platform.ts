import { DenoClock } from "./deno_clock.ts";
import type { Network, Platform, Random, Signals } from "./platform.ts";

const denoRandom: Random = { next: () => Math.random() };

const denoSignals: Signals = {
  listen(signal, callback) {
    Deno.addSignalListener(signal, callback);
    return () => Deno.removeSignalListener(signal, callback);
  },
};

/** Creates the platform that stands on Deno's own APIs, and on `network`. */
export function createDenoPlatform(network: Network): Platform {
  return { clock: new DenoClock(), random: denoRandom, signals: denoSignals, network };
}
