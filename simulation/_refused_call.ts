import { InvalidStateError } from "../loop/errors/errors.ts";

/** Returns what stands for `call` where it would reach the real world: it rejects, or throws. */
export function createRefusal(call: string, rejects: boolean): () => Promise<never> {
  // An ordinary function, so that it may stand for a class, too.
  return function () {
    const error = new InvalidStateError(
      `Cannot call ${call} in a simulation: it reaches the real world; use the loop instead, ` +
        `or sim.outside()`,
    );
    if (rejects) return Promise.reject(error);
    throw error;
  };
}
