/**
 * Schedules: which of the tasks that are ready runs next.
 *
 * *Theory of operation.* The steps of one task keep their order, and so do those of the loop
 * itself (callbacks, transports): each is a *thread*. A schedule chooses among threads that are
 * ready. `fifo` takes the one that has been ready longest, as asyncio does. The others may take
 * any, within one iteration of the loop: programs may rely on it that what is ready runs in the
 * next iteration, and must not rely on who else does.
 *
 * Each choice among several threads is a numbered *decision*, a number itself: 0 for the thread
 * that has been ready longest, 1 for the next, and so on. The ones that are not 0 are the
 * *deviations* of a run from `fifo`; with the seed they repeat the run.
 *
 * @module
 */
import type { SeededRandom } from "./seeded_random.ts";

/**
 * How a simulation orders what is ready.
 *
 * - `"fifo"`: as asyncio does, in the order in which it became ready.
 * - `"random"`: any task, chosen anew for every step. Each seed has its own share of such choices.
 * - `"pct"`: each task has a random priority, which changes at a few random steps. Probabilistic
 *   concurrency testing: it finds a bug that needs few changes of order with a known probability.
 * - a list of deviations, as a failed run prints it: `"12:1 40:2"` means that decision 12 took the
 *   second task in the order of `fifo` and decision 40 the third.
 *
 * @category Simulation
 */
export type Schedule = "fifo" | "random" | "pct" | Deviations;

/**
 * Decisions that are not those of `fifo`, as `<decision>:<choice>`, with spaces between.
 *
 * @category Simulation
 */
export type Deviations = `${number}:${string}`;

/** Chooses among the threads that are ready. */
export interface Chooser {
  /** Returns the index of the thread to run. There are at least two. */
  choose(threads: readonly object[]): number;
}

/** Creates what chooses by `schedule`. `null` stands for the order of `fifo`. */
export function createChooser(schedule: Schedule, random: SeededRandom): Chooser | null {
  switch (schedule) {
    case "fifo":
      return null;
    case "random":
      return new RandomChooser(random);
    case "pct":
      return new PriorityChooser(random);
    default:
      return new ReplayingChooser(parseDeviations(schedule));
  }
}

/** Writes deviations as a schedule. */
export function formatDeviations(deviations: ReadonlyMap<number, number>): Schedule {
  if (deviations.size === 0) return "fifo";
  return [...deviations].map(([decision, choice]) => `${decision}:${choice}`).join(
    " ",
  ) as Deviations;
}

/** Reads deviations from a schedule. */
export function parseDeviations(schedule: Schedule): Map<number, number> {
  const deviations = new Map<number, number>();
  if (schedule === "fifo") return deviations;
  for (const item of schedule.split(" ")) {
    const match = /^(\d+):(\d+)$/.exec(item);
    if (match === null) {
      throw new RangeError(
        `Cannot use schedule ${JSON.stringify(schedule)}: expected "fifo", "random", "pct" ` +
          `or deviations such as "12:1 40:2"`,
      );
    }
    deviations.set(Number(match[1]), Number(match[2]));
  }
  return deviations;
}

/** How often a random schedule deviates; each seed has one of these. */
const DEVIATION_RATES = [1, 0.3, 0.1, 0.03];

class RandomChooser implements Chooser {
  readonly #random: SeededRandom;
  readonly #rate: number;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#rate = DEVIATION_RATES[random.below(DEVIATION_RATES.length)] as number;
  }

  choose(threads: readonly object[]): number {
    return this.#random.chance(this.#rate) ? this.#random.below(threads.length) : 0;
  }
}

/** Priorities change at most this often. */
const MOST_CHANGES = 4;
/** Powers of two between which the length of a run is guessed, in decisions. */
const SHORTEST_RUN = 3;
const LONGEST_RUN = 12;

class PriorityChooser implements Chooser {
  readonly #random: SeededRandom;
  readonly #priorities: WeakMap<object, number> = new WeakMap();
  /** The decisions at which the winner loses its priority. */
  readonly #changes: Set<number> = new Set();
  #decisions = 0;
  /** Priorities below all others are negative, each lower than the one before. */
  #lowest = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    const length = 2 ** (SHORTEST_RUN + random.next() * (LONGEST_RUN - SHORTEST_RUN));
    const count = random.below(MOST_CHANGES + 1);
    for (let change = 0; change < count; change += 1) this.#changes.add(random.below(length));
  }

  choose(threads: readonly object[]): number {
    let index = this.#winner(threads);
    if (this.#changes.has(this.#decisions++)) {
      this.#priorities.set(threads[index] as object, --this.#lowest);
      index = this.#winner(threads);
    }
    return index;
  }

  #winner(threads: readonly object[]): number {
    let winner = 0;
    let highest = -Infinity;
    for (const [index, thread] of threads.entries()) {
      const priority = this.#priorityOf(thread);
      if (priority <= highest) continue;
      highest = priority;
      winner = index;
    }
    return winner;
  }

  #priorityOf(thread: object): number {
    let priority = this.#priorities.get(thread);
    if (priority === undefined) {
      priority = this.#random.next();
      this.#priorities.set(thread, priority);
    }
    return priority;
  }
}

class ReplayingChooser implements Chooser {
  readonly #deviations: ReadonlyMap<number, number>;
  #decisions = 0;

  constructor(deviations: ReadonlyMap<number, number>) {
    this.#deviations = deviations;
  }

  choose(threads: readonly object[]): number {
    const choice = this.#deviations.get(this.#decisions++) ?? 0;
    return Math.min(choice, threads.length - 1);
  }
}
