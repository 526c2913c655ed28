import { Step } from "../loop/scheduling/step.ts";
import type { ReadyQueue, Runnable } from "../loop/scheduling/ready_queue.ts";
import { stepOwner } from "../loop/tasks/step_owner.ts";
import { type Chooser, createChooser, type Schedule } from "./schedule.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** Entries that a choice looks at. It bounds what a choice costs. */
const WINDOW = 64;

/** Taken entries at the front of a queue, after which they are dropped. */
const DROP_AFTER = 1024;

/** What a dead queue gives to a loop in the middle of an iteration. */
const NOTHING: Runnable = new Step(() => {});

/** Orders what is ready on the loops of one simulation, and keeps the deviations from `fifo`. */
export class Scheduler {
  /** The decisions so far that were not those of `fifo`. */
  readonly deviations: Map<number, number> = new Map();
  readonly #chooser: Chooser | null;
  #decisions = 0;

  /** Creates the scheduler of a run. */
  constructor(schedule: Schedule, random: SeededRandom) {
    this.#chooser = createChooser(schedule, random);
  }

  /** How many choices there were among several threads. */
  get decisions(): number {
    return this.#decisions;
  }

  /** Creates the ready queue of one loop. `onStep` is told about each entry before it runs. */
  createQueue(onStep: (entry: Runnable) => void): SimulatedQueue {
    return this.#chooser === null
      ? new SimulatedQueue(onStep)
      : new ChoosingQueue(onStep, (threads) => this.#choose(threads));
  }

  #choose(threads: readonly object[]): number {
    if (threads.length === 1 || this.#chooser === null) return 0;
    const choice = this.#chooser.choose(threads);
    const decision = this.#decisions++;
    if (choice !== 0) this.deviations.set(decision, choice);
    return choice;
  }
}

/** Runs entries in the order in which they came. */
export class SimulatedQueue implements ReadyQueue {
  protected readonly entries: Runnable[] = [];
  readonly #onStep: (entry: Runnable) => void;
  /** Entries at the front that were taken. */
  #taken = 0;
  #dead = false;

  constructor(onStep: (entry: Runnable) => void) {
    this.#onStep = onStep;
  }

  get size(): number {
    return this.entries.length - this.#taken;
  }

  push(entry: Runnable): void {
    if (!this.#dead) this.entries.push(entry);
  }

  shift(): Runnable {
    if (this.#dead) return NOTHING;
    const entry = this.take();
    this.#onStep(entry);
    return entry;
  }

  trim(): void {}

  clear(): void {
    this.entries.length = 0;
    this.#taken = 0;
  }

  /** Runs nothing from now on: the host has crashed. */
  kill(): void {
    this.#dead = true;
    this.clear();
  }

  /** Takes the entry to run. */
  protected take(): Runnable {
    const entry = this.entries[this.#taken++] as Runnable;
    if (this.#taken === this.entries.length) this.clear();
    else if (this.#taken > DROP_AFTER && this.#taken * 2 > this.entries.length) {
      this.entries.splice(0, this.#taken);
      this.#taken = 0;
    }
    return entry;
  }
}

/**
 * Runs the entry that is chosen among the first ones of their threads. As in every loop, an
 * iteration runs what was ready when it began: nothing overtakes the end of its iteration.
 */
class ChoosingQueue extends SimulatedQueue {
  readonly #choose: (threads: readonly object[]) => number;
  /** Entries at the front that belong to the current iteration. */
  #left = 0;

  constructor(
    onStep: (entry: Runnable) => void,
    choose: (threads: readonly object[]) => number,
  ) {
    super(onStep);
    this.#choose = choose;
  }

  override clear(): void {
    super.clear();
    this.#left = 0;
  }

  protected override take(): Runnable {
    if (this.#left === 0) this.#left = this.entries.length;
    const position = this.#left === 1 ? 0 : this.#choosePosition();
    this.#left -= 1;
    const [entry] = this.entries.splice(position, 1);
    return entry as Runnable;
  }

  #choosePosition(): number {
    const threads: object[] = [];
    const positions: number[] = [];
    const end = Math.min(this.#left, WINDOW);
    for (let position = 0; position < end; position += 1) {
      // The steps of the loop itself are a thread of their own.
      const thread = stepOwner(this.entries[position] as Runnable) ?? this;
      if (threads.includes(thread)) continue;
      threads.push(thread);
      positions.push(position);
    }
    return positions[this.#choose(threads)] as number;
  }
}
