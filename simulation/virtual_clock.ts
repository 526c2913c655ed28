/**
 * Time that passes only when nothing can run.
 *
 * *Theory of operation.* A loop that is about to wait sets its alarm. Then the clock lets every
 * native promise go on as far as it can, which takes one macrotask; now all loops wait, or have
 * been woken and wait again. Time jumps to what is next: an appointment of the simulated world,
 * or the deadline of a loop. Whatever is due happens in one go, appointments first, each in the
 * order in which it was planned, and the clock begins anew.
 *
 * Appointments that take no time could go on at one moment for ever, and no timer would fire again:
 * two ends of a connection without latency that answer each other. So after many rounds at one
 * moment each further one takes time.
 *
 * With no appointment and no deadline, nothing can ever happen: every loop ends with a
 * `DeadlockError` that names who waits for what.
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import { checkArgument, checkOptions, DELAY } from "../loop/values/check_options.ts";
import type { Clock, ClockAlarm } from "../loop/platform/platform.ts";
import { Agenda, type Appointment } from "./_agenda.ts";
import { whenPromisesRest } from "./_deno_turn.ts";
import { VIRTUAL_CLOCK } from "./_options.ts";

/** How many rounds one moment may have, and the seconds that each later one takes. */
const ROUNDS_OF_A_MOMENT = 1000;
const LATER_ROUND = 0.000_1;

export type { Appointment } from "./_agenda.ts";

/**
 * Settings of a {@linkcode VirtualClock}.
 *
 * @category Simulation
 */
export interface VirtualClockOptions {
  /** Receives what a scheduled call throws; by default it is an uncaught error of the program. */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * A clock that starts at 0 and jumps to the next deadline when nothing can run. Several loops may
 * share it.
 *
 * Only time is virtual: what a loop waits for must come from its timers, from its own tasks, or
 * from {@linkcode schedule}. {@linkcode simulate} makes a whole world.
 *
 * @category Simulation
 *
 * @example An hour in no time
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventLoop, sleep } from "@gyre/asyncio";
 * import { VirtualClock } from "@gyre/asyncio/simulation";
 *
 * const loop = new EventLoop({ clock: new VirtualClock() });
 * await loop.runUntilComplete(() => sleep(3600));
 * assertEquals(loop.time(), 3600);
 * loop.close();
 * ```
 */
export class VirtualClock implements Clock {
  readonly #agenda = new Agenda();
  /** Of the loops that run, in the order in which they began. */
  readonly #alarms: Set<VirtualAlarm> = new Set();
  #now = 0;
  /** Rounds since time has passed. */
  #rounds = 0;
  /** Whether the clock is to be called when the promises rest. */
  #called = false;
  /** How many are open that optional appointments are made for. */
  #open = 0;
  /** How many hold time still. */
  #holders = 0;
  readonly #onError: (error: unknown) => void;
  #around: (work: () => void) => void = (work) => work();
  #rested: () => void = () => {};

  /** Creates a clock at 0. */
  constructor(options: VirtualClockOptions = {}) {
    checkOptions("create a virtual clock", options, VIRTUAL_CLOCK);
    this.#onError = options.onError ?? reportError;
  }

  /** Returns the seconds since the beginning. */
  now(): number {
    return this.#now;
  }

  /** Calls `wake` once every native promise has gone on as far as it can. */
  soon(wake: () => void): void {
    whenPromisesRest(wake);
  }

  /** Creates the alarm of one loop. */
  createAlarm(ring: () => void, idle: () => void, deadline?: () => number): ClockAlarm {
    const alarm = new VirtualAlarm(this, ring, idle, deadline);
    this.#alarms.add(alarm);
    return alarm;
  }

  /**
   * Calls `happen` at `when`, outside of all loops, as the host calls for a packet that has come.
   *
   * @param when In seconds of the clock; now, if it has passed.
   */
  schedule(when: number, happen: () => void): Appointment {
    checkArgument("schedule a call", "when", when, DELAY);
    return this.#agenda.add(Math.max(when, this.#now), () => {
      try {
        happen();
      } catch (error) {
        this.#onError(error);
      }
    });
  }

  /**
   * Holds time still until the returned function is called: something outside of the simulation
   * is waited for.
   */
  hold(): () => void {
    this.#holders += 1;
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      this.#holders -= 1;
      this.#callBack();
    };
  }

  /**
   * @ignore Something is open that timers are started for which keep nothing going by themselves, as
   * that of a request. Returns what ends that.
   */
  [inside.keepGoing](): () => void {
    this.#open += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.#open -= 1;
      isOpen = false;
    };
  }

  /** @ignore Calls `work` every so many seconds, as long as anything else happens. */
  [inside.idle](seconds: number, work: () => void): () => void {
    const happen = () => {
      appointment = this.#agenda.add(this.#now + seconds, happen, "idle");
      work();
    };
    let appointment = this.#agenda.add(this.#now + seconds, happen, "idle");
    return () => appointment.cancel();
  }

  /** @ignore A loop is about to wait. */
  [inside.rest](): void {
    this.#callBack();
  }

  /** @ignore Forgets the alarm of a loop that has stopped. */
  [inside.remove](alarm: VirtualAlarm): void {
    this.#alarms.delete(alarm);
  }

  /** @ignore Says where all that happens is called: not in the context of who has waited last. */
  [inside.runIn](around: (work: () => void) => void): void {
    this.#around = around;
  }

  /** @ignore Calls `work` whenever all that is due has happened, before time goes on. */
  [inside.rested](work: () => void): void {
    this.#rested = work;
  }

  #callBack(): void {
    if (this.#called || this.#holders > 0) return;
    this.#called = true;
    whenPromisesRest(this.#onRest);
  }

  /** What happens is called in the context that was given for it; who is woken has a context. */
  readonly #runDue = (): void => this.#agenda.run(this.#now);

  readonly #onRest = (): void => {
    this.#called = false;
    if (this.#alarms.size === 0 || this.#holders > 0) return;
    const next = this.#next();
    if (next === Infinity) return this.#giveUp();
    if (next > this.#now) {
      this.#rested();
      this.#now = next;
      this.#rounds = 0;
    } else if (++this.#rounds > ROUNDS_OF_A_MOMENT) this.#now += LATER_ROUND;
    if (this.#agenda.next <= this.#now) this.#around(this.#runDue);
    for (const alarm of this.#alarms) if (alarm.deadline <= this.#now) alarm.ringOnce();
    this.#callBack();
  };

  #next(): number {
    let next = Infinity;
    for (const alarm of this.#alarms) {
      const { deadline } = alarm;
      if (deadline < next) next = deadline;
    }
    const { awaited, optional } = this.#agenda.weights;
    const counts = awaited > 0 || (this.#open > 0 && optional > 0);
    // Only what keeps nothing going is left.
    if (next === Infinity && !counts) return Infinity;
    return Math.min(next, this.#agenda.next);
  }

  #giveUp(): void {
    for (const alarm of [...this.#alarms]) alarm.idle();
  }
}

class VirtualAlarm implements ClockAlarm {
  /** What stops the loop for good. */
  readonly idle: () => void;
  readonly #clock: VirtualClock;
  readonly #ring: () => void;
  readonly #deadline: (() => number) | undefined;
  /** What was set, for who has no deadline of its own. */
  #setFor = Infinity;

  constructor(
    clock: VirtualClock,
    ring: () => void,
    idle: () => void,
    deadline: (() => number) | undefined,
  ) {
    this.idle = idle;
    this.#clock = clock;
    this.#ring = ring;
    this.#deadline = deadline;
  }

  /** When the alarm wants to ring. */
  get deadline(): number {
    return this.#deadline === undefined ? this.#setFor : this.#deadline();
  }

  set(deadline: number): void {
    this.#setFor = deadline;
    this.#clock[inside.rest]();
  }

  close(): void {
    this.#clock[inside.remove](this);
  }

  ringOnce(): void {
    this.#setFor = Infinity;
    this.#ring();
  }
}
