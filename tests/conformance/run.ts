import { EventLoop } from "../../loop/mod.ts";
import type { ReadyQueue, Runnable } from "../../loop/scheduling/ready_queue.ts";
import { InstantClock } from "./_instant_clock.ts";
import type { SeededRandom } from "./_random.ts";
import { AsyncProgram } from "./async_program.ts";
import { CoroutineProgram } from "./coroutine_program.ts";
import type { Program, Trace } from "./program.ts";

/** Seconds between the cancellations at the end, where they must not meet. */
const CANCEL_STEP = 1 / 8;

/** Runs `program` as coroutines, and returns what it did. */
export function runAsCoroutines(program: Program): Promise<Trace> {
  const loop = new EventLoop({ clock: new InstantClock("microtask") });
  return new CoroutineProgram(program, loop).run();
}

/** As {@linkcode runAsCoroutines}, but the tasks that are left are cancelled one by one. */
export function runAsSpacedCoroutines(program: Program): Promise<Trace> {
  const loop = new EventLoop({ clock: new InstantClock("microtask") });
  return new CoroutineProgram(program, loop, { cancelStep: CANCEL_STEP }).run();
}

/**
 * As {@linkcode runAsSpacedCoroutines}, but callbacks that are ready run in an order by chance, and
 * tasks pause by chance.
 */
export function runInAnyOrder(program: Program, random: SeededRandom): Promise<Trace> {
  const clock = new InstantClock("microtask");
  const loop = new EventLoop({ clock, ready: new ShuffledQueue(random) });
  const pauses = () => random.between(0, 2);
  return new CoroutineProgram(program, loop, { cancelStep: CANCEL_STEP, pauses }).run();
}

/** As {@linkcode runAsSpacedCoroutines}, with async functions in place of coroutines. */
export function runAsAsyncFunctions(program: Program): Promise<Trace> {
  const loop = new EventLoop({ clock: new InstantClock("macrotask") });
  return new AsyncProgram(program, loop, { cancelStep: CANCEL_STEP }).run();
}

/** Gives one of its entries, by chance. */
class ShuffledQueue implements ReadyQueue {
  readonly #random: SeededRandom;
  #entries: Runnable[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.length;
  }

  push(entry: Runnable): void {
    this.#entries.push(entry);
  }

  shift(): Runnable {
    const index = this.#random.between(0, this.#entries.length - 1);
    return this.#entries.splice(index, 1)[0] as Runnable;
  }

  trim(): void {}

  clear(): void {
    this.#entries = [];
  }
}
