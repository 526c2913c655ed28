import { clearImmediate, setImmediate } from "node:timers";
import { CancelledError } from "../errors/errors.ts";
import type { Clock, ClockAlarm } from "./platform.ts";

/** The longest delay of a host timer, in milliseconds; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Immediates in a turn of the host. While the thread is busy, Deno looks for newly ready sockets
 * only once in 61 of them. With one in a turn of 0.5 ms a message would wait for 30 ms; six cost
 * some 2 % of the time.
 */
const IMMEDIATES = 6;

/** Time as Deno has it: `performance.now()`, host timers, and `setImmediate`. */
export class DenoClock implements Clock {
  /** Returns the seconds since the process started. */
  now(): number {
    return performance.now() / 1000;
  }

  /** Calls `wake` after I/O and timers of the host had their turn. */
  soon(wake: () => void): void {
    let left = IMMEDIATES;
    const next = () => {
      left -= 1;
      if (left > 0) setImmediate(next);
      else wake();
    };
    setImmediate(next);
  }

  /** Calls `beat` every so many seconds. */
  startBeat(seconds: number, beat: () => void): () => void {
    const timer = setInterval(beat, seconds * 1000);
    Deno.unrefTimer(timer);
    return () => clearInterval(timer);
  }

  /** Creates the timer of one loop. */
  createAlarm(ring: () => void): ClockAlarm {
    return new DenoAlarm(ring);
  }
}

/** Deno fires a timer this many milliseconds late: it rounds up, and waits for the next tick. */
const LATENESS_MS = 1;

/**
 * One host timer. While its loop runs there always is one, so that the process stays alive, for
 * ever ahead if need be.
 *
 * A later deadline leaves the timer as it is: when it fires, the alarm looks at the deadline and
 * starts it again. That saves a host timer for each message with a time limit. It is set to fire
 * a little early, as Deno is late by a millisecond; the rest, less than that, is polled for.
 */
class DenoAlarm implements ClockAlarm {
  readonly #ring: () => void;
  /** What the loop waits for, in milliseconds of `performance.now()`. */
  #deadlineMs = Infinity;
  /** When the host timer is expected to fire. */
  #firesAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setImmediate> | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
    this.#start();
    holdRejections();
  }

  set(deadline: number): void {
    this.#deadlineMs = deadline * 1000;
    if (this.#deadlineMs < this.#firesAtMs) this.#start();
  }

  close(): void {
    this.#clear();
    releaseRejections();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#poll);
  }

  #start(): void {
    this.#clear();
    const now = performance.now();
    const delay = Math.min(this.#deadlineMs - now, LONGEST_DELAY_MS);
    this.#firesAtMs = now + delay;
    if (delay > LATENESS_MS) {
      this.#timer = setTimeout(this.#onTimer, Math.ceil(delay) - LATENESS_MS);
    } else this.#poll = setImmediate(this.#onTimer);
  }

  readonly #onTimer = (): void => {
    if (performance.now() >= this.#deadlineMs) {
      this.#deadlineMs = Infinity;
      this.#start();
      this.#ring();
    } else this.#start();
  };
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
