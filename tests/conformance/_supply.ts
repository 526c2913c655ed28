import type { SeededRandom } from "./_random.ts";
import { EARLY_MOMENTS, GUARDS, MOMENTS } from "./_tables.ts";
import type { Action, Guard, Program, Ref, Statement } from "./program.ts";

/** Numbers, times, references and resources for the statements of one program. */
export class Supply {
  /** What decides. */
  readonly random: SeededRandom;
  /** The program being made. */
  readonly program: Program;
  /** How many tasks and coroutines there are; each has a number of its own. */
  tasks = 0;
  /** The numbers that are tasks; the others are coroutines. */
  readonly spawned: number[] = [];
  /** The task whose body is being made. */
  self = 0;
  /** The task and the coroutines in it whose bodies are being made. */
  enclosing: readonly number[] = [0];
  readonly #guards: readonly Guard["kind"][];
  readonly #moments: readonly number[];
  #ids = 0;

  /** Whether tasks may wait for each other in a circle. */
  readonly circles: boolean;

  /** Starts a program with a theme. */
  constructor(random: SeededRandom, theme: string, circles: boolean) {
    this.circles = circles;
    this.random = random;
    this.#guards = GUARDS[theme] ?? ["lock", "semaphore", "bounded", "condition"];
    this.#moments = random.chance(0.4) ? EARLY_MOMENTS : MOMENTS;
    this.program = this.#resources();
  }

  /** Returns a number for a statement. */
  id(): number {
    this.#ids += 1;
    return this.#ids;
  }

  /** Returns seconds. */
  moment(): number {
    return this.random.pick(this.#moments);
  }

  /** Returns seconds, rarely negative, or `null`. */
  momentOrNever(): number | null {
    return this.random.chance(0.1) ? null : this.random.chance(0.05) ? -1 : this.moment();
  }

  /** Returns the message of a cancellation, or none. */
  message(): string | null {
    return this.random.chance(0.5) ? null : this.random.pick(["m1", "m2", "m3"]);
  }

  /** Returns a task, which may not exist. */
  task(): number {
    if (this.spawned.length > 0 && this.random.chance(0.8)) return this.random.pick(this.spawned);
    return this.random.between(this.random.chance(0.1) ? 0 : 1, Math.max(this.tasks, 1) + 1);
  }

  /** Returns a bare future. */
  future(): number {
    return this.random.between(0, this.program.futures - 1);
  }

  /** Returns a task or a future. */
  ref(): Ref {
    return this.random.chance(0.75) ? { task: this.task() } : { future: this.future() };
  }

  /**
   * What a task may wait for: mostly tasks younger than itself. Tasks that wait for each other in
   * a circle overflow CPython's stack when they are cancelled, and a task that has awaited itself
   * cannot be awaited any more by anybody, as a flag of it stays set.
   */
  awaitedRef(): Ref {
    if (this.random.chance(0.25)) return { future: this.future() };
    const older = this.spawned.filter((task) => task < this.self && !this.enclosing.includes(task));
    if (older.length > 0 && this.circles && this.random.chance(0.02)) {
      return { task: this.random.pick(older) };
    }
    const younger = this.spawned.filter((task) => task > this.self);
    if (younger.length > 0 && this.random.chance(0.6)) return { task: this.random.pick(younger) };
    return { task: this.self + this.random.between(1, Math.max(this.tasks - this.self, 1)) };
  }

  /** Returns the place of one of `count` resources, mostly the first. */
  index(count: number): number {
    return this.random.chance(0.75) ? 0 : this.random.between(0, count - 1);
  }

  /** Returns the place of a queue. */
  queue(): number {
    return this.index(this.program.queues.length);
  }

  /** Returns a lock or the like. */
  guard(kinds: readonly Guard["kind"][] = this.#guards): Guard {
    const { locks, semaphores, bounded, conditions } = this.program;
    const counts = {
      lock: locks,
      semaphore: semaphores.length,
      bounded: bounded.length,
      condition: conditions.length,
    };
    const kind = this.random.pick(kinds);
    return { kind, index: this.index(counts[kind]) };
  }

  /** Makes a sleep. */
  sleep(): Statement {
    return { op: "sleep", id: this.id(), delay: this.moment() };
  }

  /** Makes a cancellation. */
  cancel(): Action {
    return { op: "cancel", id: this.id(), of: this.ref(), message: this.message() };
  }

  #resources(): Program {
    const random = this.random;
    const some = <T>(most: number, make: () => T): T[] =>
      Array.from({ length: random.between(1, most) }, make);
    return {
      futures: random.between(1, 3),
      locks: random.between(1, 2),
      semaphores: some(2, () => random.between(0, 2)),
      bounded: [random.between(1, 2)],
      events: random.between(1, 2),
      conditions: some(2, () => random.chance(0.3) ? 0 : null),
      barriers: some(2, () => random.between(1, 3)),
      queues: some(2, () => ({
        kind: random.pick(["fifo", "fifo", "lifo", "priority"]),
        limit: random.pick([0, 1, 1, 2]),
      })),
      variables: 1,
      callbacks: some(4, () => []),
      body: [],
    };
  }
}
