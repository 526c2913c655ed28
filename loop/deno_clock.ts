import { setImmediate } from "node:timers";
import { CancelledError } from "./errors.ts";
import type { Alarm, Clock } from "./platform.ts";

/** The longest delay of a host timer, in milliseconds; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Time as Deno has it: `performance.now()`, host timers, and `setImmediate`. */
export class DenoClock implements Clock {
  /** Returns the seconds since the process started. */
  now(): number {
    return performance.now() / 1000;
  }

  /** Calls `wake` after I/O and timers of the host had their turn. */
  soon(wake: () => void): void {
    setImmediate(wake);
  }

  /** Creates the timer of one loop. */
  createAlarm(ring: () => void): Alarm {
    return new DenoAlarm(ring);
  }
}

/**
 * One host timer. While its loop runs there always is one, so that the process stays alive, for
 * ever ahead if need be. A later deadline leaves it as it is: it rings early, the loop looks at
 * its timers and sets it again. That saves a host timer for each message with a time limit.
 */
class DenoAlarm implements Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout>;
  /** When the host timer rings, in milliseconds of `performance.now()`. */
  #ringsAtMs: number;

  constructor(ring: () => void) {
    this.#ring = ring;
    this.#ringsAtMs = performance.now() + LONGEST_DELAY_MS;
    this.#timer = setTimeout(this.#onTimer, LONGEST_DELAY_MS);
    holdRejections();
  }

  set(deadline: number): void {
    const deadlineMs = deadline * 1000;
    if (deadlineMs >= this.#ringsAtMs) return;
    clearTimeout(this.#timer);
    this.#start(deadlineMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    releaseRejections();
  }

  readonly #onTimer = (): void => {
    this.#start(Infinity);
    this.#ring();
  };

  #start(deadlineMs: number): void {
    const now = performance.now();
    const delay = Math.min(Math.max(Math.ceil(deadlineMs - now), 0), LONGEST_DELAY_MS);
    this.#ringsAtMs = now + delay;
    this.#timer = setTimeout(this.#onTimer, delay);
  }
}

/** How many loops run, and so need {@linkcode ignoreCancellation}. */
let runningLoops = 0;

function holdRejections(): void {
  if (runningLoops++ === 0) globalThis.addEventListener("unhandledrejection", ignoreCancellation);
}

function releaseRejections(): void {
  if (--runningLoops > 0) return;
  globalThis.removeEventListener("unhandledrejection", ignoreCancellation);
}

/** A call that a cancelled task left floating ends with `CancelledError`, which is no defect. */
function ignoreCancellation(event: PromiseRejectionEvent): void {
  if (event.reason instanceof CancelledError) event.preventDefault();
}
