import { PollSleeper } from "./native_poll_sleeper.ts";
import { RingSleeper } from "./native_ring_sleeper.ts";

/** Waits for a descriptor while the thread does something else. */
export interface Sleeper {
  /** Calls what it was created with once the descriptor can be read. Not again before that. */
  sleep(): void;
  /** Nobody waits any more: nothing holds the process alive. */
  rest(): void;
  /** Ends it. What was waited for is not told. */
  close(): void;
}

/** Whether the kernel may be asked to wait itself. Off in the tests of the other way. */
export const ringSleeper: { enabled: boolean } = { enabled: true };

/** Creates what waits for `descriptor` and then calls `wake`: the kernel where it may, else a thread. */
export function createSleeper(descriptor: number, wake: () => void): Sleeper {
  const ring = ringSleeper.enabled ? RingSleeper.create(descriptor, wake) : null;
  return ring ?? new PollSleeper(descriptor, wake);
}
