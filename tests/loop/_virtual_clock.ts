/**
 * A clock for tests: its time stands still while anything runs, and jumps to the next deadline
 * when all loops wait.
 *
 * *Theory of operation.* A loop that waits sets its alarm. One macrotask of the host later, when
 * every native promise has gone on as far as it can, the loops still wait or have set their
 * alarms anew; then time jumps to the earliest deadline, and that alarm alone rings. A loop
 * without a deadline waits for the host, and the test fails by itself if nothing comes.
 *
 * @module
 */
import { clearImmediate, setImmediate } from "node:timers";
import type { Clock, ClockAlarm } from "../../loop/platform/platform.ts";

/** Time that a test controls. Starts at zero. */
export class VirtualClock implements Clock {
  readonly #alarms: Set<VirtualAlarm> = new Set();
  #seconds = 0;
  #jump: ReturnType<typeof setImmediate> | null = null;

  now(): number {
    return this.#seconds;
  }

  /** Lets time pass while code runs, as a slow callback does. */
  advance(seconds: number): void {
    this.#seconds += seconds;
  }

  soon(wake: () => void): void {
    setImmediate(wake);
  }

  createAlarm(ring: () => void): ClockAlarm {
    const alarm = new VirtualAlarm(this, ring);
    this.#alarms.add(alarm);
    return alarm;
  }

  /** Jumps once the host has drained its promises. Each call starts the wait anew. */
  scheduleJump(): void {
    this.#cancelJump();
    this.#jump = setImmediate(() => this.#jumpToEarliest());
  }

  /** Forgets the alarm of a loop that has stopped. */
  delete(alarm: VirtualAlarm): void {
    this.#alarms.delete(alarm);
    if (this.#alarms.size === 0) this.#cancelJump();
  }

  #cancelJump(): void {
    if (this.#jump !== null) clearImmediate(this.#jump);
    this.#jump = null;
  }

  #jumpToEarliest(): void {
    this.#jump = null;
    let earliest: VirtualAlarm | null = null;
    for (const alarm of this.#alarms) {
      if (alarm.deadline < (earliest?.deadline ?? Infinity)) earliest = alarm;
    }
    if (earliest === null) return;
    this.#seconds = Math.max(this.#seconds, earliest.deadline);
    earliest.ringOnce();
    this.scheduleJump();
  }
}

class VirtualAlarm implements ClockAlarm {
  deadline: number;
  readonly #clock: VirtualClock;
  readonly #ring: () => void;

  constructor(clock: VirtualClock, ring: () => void) {
    this.deadline = Infinity;
    this.#clock = clock;
    this.#ring = ring;
  }

  set(deadline: number): void {
    this.deadline = deadline;
    this.#clock.scheduleJump();
  }

  close(): void {
    this.#clock.delete(this);
  }

  /** Rings, and is silent until it is set again. */
  ringOnce(): void {
    this.deadline = Infinity;
    this.#ring();
  }
}
