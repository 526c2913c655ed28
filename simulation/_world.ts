import { AsyncLocalStorage } from "node:async_hooks";
import { InvalidStateError, TimeoutError } from "../loop/errors/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Gate, Patch } from "./_patch.ts";
import { currentPlace, type Place } from "./_place.ts";
import { HostWorks } from "./_host_works.ts";
import { SimulatedSignals } from "./_signals.ts";
import { Scheduler } from "./_scheduler.ts";
import type { Schedule } from "./schedule.ts";
import { SeededRandom } from "./seeded_random.ts";
import type { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** The simulation that current code is inside of; it follows `await`, as every caller does. */
export const worlds: AsyncLocalStorage<World | undefined> = new AsyncLocalStorage();

/** Errors that are kept of those that nobody has handled. */
const MOST_FAILURES = 10;

/** Callbacks in a row without time passing, after which a run is taken for one that never ends. */
const MOST_STEPS_AT_ONCE = 1_000_000;

/** The first moment of a simulation for `Date`: 2000-01-01T00:00:00Z, in milliseconds. */
const EPOCH_MS = 946_684_800_000;

/** Settings of a {@linkcode World}. */
export interface WorldOptions {
  /** Where all chance comes from. */
  seed: number;
  /** How tasks are ordered. */
  schedule: Schedule;
  /** Who records. */
  trace: Trace | null;
  /** Simulated seconds after which the run fails. */
  timeLimit: number;
  /** What serves the web, if anything does. */
  web?: Web | null;
}

/** What serves in a simulation what would reach the real network. */
export interface Web {
  /**
   * Returns what stands for the original called `name`, such as `fetch`; `undefined` if it is not
   * served.
   *
   * @param target Where the original is.
   */
  serve(name: string, world: World, readOriginal: () => unknown, target: object): unknown;
  /** What it replaces besides. */
  patches(): readonly Patch[];
  /** What it refuses besides. */
  gates(): readonly Gate[];
}

/** What one simulation shares: time, chance, order, and what went wrong. */
export class World {
  /** Time. */
  readonly clock: VirtualClock = new VirtualClock({ onError: (error) => this.fail(error) });
  /** What the host works at. */
  readonly works: HostWorks = new HostWorks(this.clock);
  /** Chance of the program: `Math.random` and its like. */
  readonly random: SeededRandom;
  /** The source of all other chance. */
  readonly seeds: SeededRandom;
  /** Order. */
  readonly scheduler: Scheduler;
  /** Signals to the process that began the simulation. */
  readonly signals: SimulatedSignals = new SimulatedSignals();
  /** Calls `work` inside of the world, as part of no task. */
  inRoot: <R>(work: () => R) => R = (work) => work();
  /** Where `main` runs. */
  mainPlace: Place | null = null;
  /** What must be true at any time. */
  claims: { check(): void } | null = null;
  /** What goes wrong. */
  faults: { heal(): void } | null = null;
  /** Told that nothing runs on `host` until `time`. */
  paused: (host: { readonly name: string }, time: number) => void = () => {};
  /** Told that `host` has crashed, or that its programs were killed. */
  crashed: (host: { readonly name: string }, isKilled: boolean) => void = () => {};
  /** Stops all that runs, and fails the simulation. */
  abandon: (error: Error) => void = () => {};
  /** Hosts whose loops found that nothing can wake them. */
  readonly stuck: Map<string, Error> = new Map();
  /** Errors that nobody has handled: the first few of them. */
  readonly failures: unknown[] = [];
  /** How many there were. */
  failureCount = 0;
  /** The number of the last child process. */
  #pid = 1000;
  readonly #pids: WeakMap<Place, number> = new WeakMap();
  /** Variables of the environment that the program has set, or deleted: `null`. */
  readonly environment: Map<string, string | null> = new Map();
  /** What forgets, when the simulation ends, what it has left in the host. */
  readonly leaving: (() => void)[] = [];
  /** Who records, if anybody does. */
  readonly trace: Trace | null;
  #steps = 0;
  /** Steps since time has passed, and when that was. */
  #stepsNow = 0;
  #stepsSince = 0;
  readonly #timeLimit: number;

  /** What serves the web, if anything does. */
  readonly web: Web | null;

  constructor({ seed, schedule, trace, timeLimit, web = null }: WorldOptions) {
    this.#timeLimit = timeLimit;
    this.web = web;
    this.seeds = new SeededRandom(seed);
    this.random = this.seeds.derive("program");
    this.scheduler = new Scheduler(schedule, this.seeds.derive("schedule"));
    this.trace = trace;
  }

  /** Where current code runs. */
  get place(): Place {
    const place = currentPlace();
    if (place?.isIn(this.clock)) return place;
    if (this.mainPlace !== null) return this.mainPlace;
    throw new InvalidStateError("Cannot use a simulated world: it has no host yet");
  }

  /** The loop that `main` runs on. */
  get mainLoop(): EventLoop {
    if (this.mainPlace !== null) return this.mainPlace.loop;
    throw new InvalidStateError("Cannot use a simulated world: it has no loop yet");
  }

  /** Milliseconds since 1970, as `Date.now()` gives them. */
  get dateMs(): number {
    return EPOCH_MS + Math.floor(this.clock.now() * 1000);
  }

  /** Callbacks and task steps that ran. */
  get steps(): number {
    return this.#steps;
  }

  /** Returns what stands for what would reach the real world; `undefined` if nothing does. */
  serve(name: string, readOriginal: () => unknown, target: object): unknown {
    return this.web?.serve(name, this, readOriginal, target);
  }

  /** Returns the number of a new child process. */
  takePid(): number {
    return ++this.#pid;
  }

  /** Returns the number of the process of `place`. */
  pidOf(place: Place): number {
    const pid = this.#pids.get(place) ?? this.takePid();
    this.#pids.set(place, pid);
    return pid;
  }

  /** Takes an error that nobody has handled. */
  fail(error: unknown): void {
    this.failureCount += 1;
    if (this.failures.length < MOST_FAILURES) this.failures.push(error);
  }

  /** Records an event. */
  note(host: string, event: string): void {
    this.trace?.add(this.clock.now(), host, event);
  }

  /** Counts a step. Ends a program that goes on for good. */
  countStep(): void {
    this.#steps += 1;
    const now = this.clock.now();
    if (now !== this.#stepsSince) {
      this.#stepsSince = now;
      this.#stepsNow = 0;
    }
    if (++this.#stepsNow === MOST_STEPS_AT_ONCE) {
      const what = `${MOST_STEPS_AT_ONCE} callbacks ran at ${now} seconds without time passing`;
      this.abandon(new InvalidStateError(`Cannot go on: ${what}`));
    }
  }

  /** All that is due has happened, and time is going on. */
  letTimePass(): void {
    if (this.claims !== null) this.inRoot(() => this.claims?.check());
    if (this.clock.now() <= this.#timeLimit) return;
    this.abandon(new TimeoutError(`Cannot go on: the simulation takes ${this.#timeLimit} seconds`));
  }
}
