import type { Clock, ClockAlarm } from "../../loop/platform/platform.ts";
import { setImmediate } from "node:timers";

/**
 * A clock whose time passes only while a loop waits: then it jumps to the deadline.
 *
 * Coroutines need no turn of the host in between, so that a jump costs a microtask; async
 * functions go on in microtasks of their own, and have to come to rest before time passes.
 */
export class InstantClock implements Clock {
  readonly #jump: (then: () => void) => void;
  #now = 0;

  /** Creates a clock at 0. */
  constructor(jumpsAfter: "microtask" | "macrotask") {
    this.#jump = jumpsAfter === "microtask" ? queueMicrotask : setImmediate;
  }

  now(): number {
    return this.#now;
  }

  soon(wake: () => void): void {
    setImmediate(wake);
  }

  createAlarm(ring: () => void, idle: (error: Error) => void): ClockAlarm {
    let request = 0;
    return {
      set: (deadline) => {
        const mine = ++request;
        if (deadline === Infinity) return idle(new Error("Cannot wake the loop: it has no timer"));
        this.#jump(() => {
          if (mine !== request) return;
          this.#now = Math.max(this.#now, deadline);
          ring();
        });
      },
      close: () => {
        request += 1;
      },
    };
  }
}
