/**
 * Programs in which tasks stand in line for the same thing.
 *
 * @module
 */
import type { Supply } from "./_supply.ts";
import { type Line, LINES } from "./_tables.ts";
import type { Action, Expression, Statement } from "./program.ts";

/** Makes the main task of such a program. */
export class LineMaker {
  readonly #supply: Supply;

  /** Makes it of what `supply` gives. */
  constructor(supply: Supply) {
    this.#supply = supply;
  }

  /**
   * Tasks that stand in one line for the same thing, and a main task that wakes several of them,
   * cancels some and sends others to the end of the line, all in the same turn.
   */
  make(): Statement[] {
    const random = this.#supply.random;
    const { wait, wake } = this.#lineOf(random.pick(LINES));
    const join = (): Statement => {
      this.#supply.tasks += 1;
      this.#supply.spawned.push(this.#supply.tasks);
      const task = this.#supply.tasks;
      const body = random.chance(0.25) ? [this.#supply.sleep()] : [];
      body.push(...wait());
      return { op: "spawn", id: this.#supply.id(), task, eager: random.chance(0.2), body };
    };
    const body: Statement[] = [];
    for (let left = random.between(2, 5); left > 0; left -= 1) body.push(join());
    for (let rounds = random.between(2, 4); rounds > 0; rounds -= 1) {
      if (random.chance(0.8)) {
        body.push({ op: "sleep", id: this.#supply.id(), delay: random.pick([0, 0, 0, 1]) });
      }
      for (let left = random.between(0, 3); left > 0; left -= 1) body.push(...wake());
      for (let left = random.between(0, 2); left > 0; left -= 1) {
        const of = { task: random.pick(this.#supply.spawned) };
        body.push({ op: "cancel", id: this.#supply.id(), of, message: this.#supply.message() });
      }
      for (let left = random.between(0, 2); left > 0; left -= 1) body.push(join());
      if (random.chance(0.3)) { for (const action of wake()) body.push(action); }
    }
    return body;
  }

  /** What the tasks of a line do, and what wakes one of them. */
  #lineOf(kind: Line): { wait: () => Statement[]; wake: () => Statement[] } {
    const random = this.#supply.random;
    const of = <S extends object>(statement: S): S & { id: number } => ({
      id: this.#supply.id(),
      ...statement,
    });
    const pause = (): Statement[] => random.chance(0.5) ? [this.#supply.sleep()] : [];
    const index = 0;
    switch (kind) {
      case "lock": {
        const guard = { kind, index } as const;
        return {
          wait: () => [of({ op: "with", soft: true, ...guard, body: pause() })],
          wake: () => [
            of({ op: "acquire", soft: true, ...guard }),
            ...pause(),
            of({ op: "release", ...guard }),
          ],
        };
      }
      case "semaphore": {
        const guard = { kind, index } as const;
        this.#supply.program.semaphores[0] = random.chance(0.8) ? 0 : 1;
        return {
          wait: () => [of({ op: "acquire", soft: true, ...guard }), ...pause()],
          wake: () =>
            [1, 2, 3].slice(random.between(0, 2)).map(() => of({ op: "release", ...guard })),
        };
      }
      case "get":
        this.#supply.program.queues[0] = { kind: "fifo", limit: 0 };
        return {
          wait: () => [of({ op: "get", soft: true, index }), ...pause()],
          wake: () => [of({ op: "putNowait", index, value: random.between(0, 9) })],
        };
      case "put":
        this.#supply.program.queues[0] = { kind: "fifo", limit: random.between(1, 2) };
        return {
          wait: () => [of({ op: "put", soft: true, index, value: random.between(0, 9) })],
          wake: () => [of({ op: "getNowait", index })],
        };
      case "condition": {
        const guard = { kind, index } as const;
        const held = (): Statement => {
          const soft = random.chance(0.5);
          if (random.chance(0.6)) return of({ op: "waitCondition", soft, index });
          const value = random.between(1, 2);
          const cancels = random.chance(0.3);
          return of({ op: "waitPredicate", soft, index, variable: 0, value, cancels });
        };
        const assign = (): Statement =>
          of({ op: "assign", variable: 0, value: random.between(0, 2) });
        const notify = (): Statement =>
          of({ op: "notify", index, count: random.pick([1, 1, 2, null]) });
        return {
          wait: () => [
            of({
              op: "with",
              soft: true,
              ...guard,
              body: [held(), ...pause()],
            }),
          ],
          wake: () => [
            of({
              op: "with",
              soft: true,
              ...guard,
              body: [
                assign(),
                notify(),
                ...pause(),
                this.#supply.cancel(),
                ...pause(),
                this.#supply.cancel(),
              ],
            }),
          ],
        };
      }
      case "event":
        return {
          wait: () => [of({ op: "waitEvent", soft: true, index }), ...pause()],
          wake: () => [of({ op: "setEvent", index }), of({ op: "clearEvent", index })],
        };
      case "barrier":
        this.#supply.program.barriers[0] = random.between(2, 3);
        return {
          wait: () => [of({ op: "waitBarrier", soft: true, index }), ...pause()],
          wake: () => random.chance(0.5) ? [of({ op: "resetBarrier", index })] : [],
        };
      case "gather":
        return {
          wait: () => [
            of({
              op: "gather",
              soft: true,
              of: Array.from({ length: random.between(1, 3) }, () => this.#refusingChild()),
              returnExceptions: random.chance(0.4),
            }),
          ],
          wake: () => [this.#supply.cancel()],
        };
      case "group":
        return { wait: () => [this.#failingGroup()], wake: () => [this.#supply.cancel()] };
    }
  }

  /** A group whose children and body fail, each at its own time, also while it shuts down. */
  #failingGroup(): Statement {
    const random = this.#supply.random;
    const group = this.#supply.id();
    const addChild = (): Statement & Action => {
      this.#supply.tasks += 1;
      this.#supply.spawned.push(this.#supply.tasks);
      const task = this.#supply.tasks;
      return { op: "groupSpawn", id: this.#supply.id(), group, task, body: this.#failing() };
    };
    const body: Statement[] = [addChild()];
    for (let left = random.between(0, 3); left > 0; left -= 1) {
      const kind = random.weighted({ child: 3, later: 1, callback: 1, sleep: 1, failing: 1 });
      if (kind === "child") body.push(addChild());
      if (kind === "sleep") body.push(this.#supply.sleep());
      if (kind === "failing") body.push(...this.#failing());
      if (kind === "callback") {
        // It runs when the last child has ended, and before the group goes on.
        const { callbacks } = this.#supply.program;
        const of = { task: this.#supply.tasks };
        body.push({ op: "addCallback", id: this.#supply.id(), of, callback: callbacks.length });
        callbacks.push([addChild()]);
      }
      if (kind === "later") {
        const delay = random.pick([0, 0, 1, 2]);
        body.push({ op: "callLater", id: this.#supply.id(), delay, body: [addChild()] });
      }
    }
    return { op: "group", id: group, soft: random.chance(0.7), body };
  }

  /** Waits, and raises or not, also when cancelled meanwhile. */
  #failing(): Statement[] {
    const random = this.#supply.random;
    const raise = (): Statement[] => {
      const id = this.#supply.id();
      return random.chance(0.5) ? [{ op: "raiseError", id, message: `e${id}` }] : [];
    };
    return [{
      op: "try",
      id: this.#supply.id(),
      body: [this.#supply.sleep(), ...raise()],
      catch: random.pick(["cancelled", null, null]),
      handler: [...(random.chance(0.4) ? [this.#supply.sleep()] : []), ...raise()],
      rethrow: random.chance(0.5),
      finally: [],
    }];
  }

  /** A coroutine that may swallow its cancellation. */
  #refusingChild(): Expression {
    this.#supply.tasks += 1;
    const name = this.#supply.tasks;
    const wait: Statement = {
      op: "sleep",
      id: this.#supply.id(),
      delay: this.#supply.random.pick([1, 2]),
    };
    const body: Statement[] = [{
      op: "try",
      id: this.#supply.id(),
      body: [
        this.#supply.random.chance(0.3)
          ? { op: "cancelSelf", id: this.#supply.id(), message: "s" }
          : wait,
      ],
      catch: this.#supply.random.pick(["all", "cancelled", null]),
      handler: this.#supply.random.chance(0.3) ? [this.#supply.sleep()] : [],
      rethrow: this.#supply.random.chance(0.3),
      finally: [],
    }];
    if (this.#supply.random.chance(0.3)) body.push(this.#supply.sleep());
    return { kind: "coroutine", name, body };
  }
}
