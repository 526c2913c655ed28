/**
 * Makes random programs.
 *
 * Plain chance rarely brings two tasks to the same lock in the same turn, and faults hide there.
 * So each program has a theme, whose statements are frequent, few resources, and times from a
 * short list, so that much happens at the same instant. Half of them are made for contention:
 * several workers on the theme's resources, and a main task that cancels, wakes and barges.
 *
 * @module
 */
import { SeededRandom } from "./_random.ts";
import { LineMaker } from "./_line.ts";
import { Supply } from "./_supply.ts";
import {
  type ActionName,
  COMMON,
  IN_CALLBACKS,
  MAX_DEPTH,
  type Name,
  NESTING,
  THEME_IN_CALLBACKS,
  THEMES,
  type WaitingName,
  type Weights,
} from "./_tables.ts";
import type { Action, Expression, Guard, Program, Statement } from "./program.ts";

/** Makes the program of `seed`, in which tasks may wait for each other in a circle if `circles`. */
export function generateProgram(seed: number, circles = true): Program {
  const random = new SeededRandom(seed);
  const theme = random.chance(0.15) ? "mixed" : random.pick(Object.keys(THEMES));
  return new Generator(theme, random, circles).make();
}

class Generator extends Supply {
  readonly #weights: Weights;
  readonly #callbackWeights: Weights;
  /** Statements that may still be made. */
  #budget: number;
  /** The callback whose actions are being made; it adds only later ones, so that all ends. */
  #callback = -1;
  #groups: number[] = [];
  #scopes: number[] = [];
  #handles: number[] = [];
  #repeating = false;
  /** The callback that was added last. */
  #added: (Action & { op: "addCallback" | "removeCallback" }) | null = null;

  constructor(theme: string, random: SeededRandom, circles: boolean) {
    super(random, theme, circles);
    this.#weights = this.#mixWeights(theme);
    this.#callbackWeights = { ...IN_CALLBACKS };
    for (const [name, weight] of Object.entries(this.#weights) as [Name, number][]) {
      if (THEME_IN_CALLBACKS.has(name)) this.#callbackWeights[name] = weight;
    }
    this.#budget = random.between(12, 45);
  }

  make(): Program {
    const program = this.program;
    program.body = this.#main();
    program.callbacks = program.callbacks.map((actions, name) => {
      this.#callback = name;
      return actions.length > 0 ? actions : this.#actions(MAX_DEPTH - 1);
    });
    return program;
  }

  #main(): Statement[] {
    switch (this.random.weighted({ free: 4, contention: 3, line: 3 })) {
      case "free":
        return this.#block(0, 4, 9);
      case "contention":
        return this.#contention();
      case "line":
        return new LineMaker(this).make();
    }
  }

  #mixWeights(theme: string): Weights {
    const weights: Weights = { ...COMMON };
    const themes = theme === "mixed" ? Object.values(THEMES) : [THEMES[theme] as Weights];
    if (this.random.chance(0.4)) themes.push(THEMES[this.random.pick(["timeout", "group"])] ?? {});
    for (const theme of themes) {
      for (const [name, weight] of Object.entries(theme) as [Name, number][]) {
        weights[name] = (weights[name] ?? 0) + weight / Math.sqrt(themes.length);
      }
    }
    return weights;
  }

  /** Workers that compete, and a main task that disturbs them. */
  #contention(): Statement[] {
    const random = this.random;
    const body: Statement[] = [];
    this.#budget = Math.max(this.#budget, 30);
    for (let workers = random.between(2, 5); workers > 0; workers -= 1) {
      body.push(this.#spawn(1));
    }
    for (let rounds = random.between(2, 7); rounds > 0; rounds -= 1) {
      if (random.chance(0.6)) body.push(this.sleep());
      const wakes = this.#actionOf(this.#disturbance(), 0);
      if (wakes !== null) body.push(wakes);
      if (random.chance(0.7)) body.push(this.cancel());
      if (random.chance(0.25)) body.push(this.#spawn(1));
      if (random.chance(0.5)) body.push(...this.#block(1, 1, 1));
    }
    return body;
  }

  #disturbance(): ActionName {
    const weights: Partial<Record<ActionName, number>> = { cancel: 1, setResult: 1, look: 0.3 };
    for (const name of Object.keys(this.#weights) as Name[]) {
      if (THEME_IN_CALLBACKS.has(name)) weights[name as ActionName] = 3;
    }
    return this.random.weighted(weights);
  }

  #block(depth: number, least: number, most: number): Statement[] {
    const body: Statement[] = [];
    for (let left = this.random.between(least, most); left > 0; left -= 1) {
      if (this.#budget <= 0) break;
      const statement = this.#statement(depth);
      if (statement !== null) body.push(statement);
    }
    return body;
  }

  #actions(depth: number): Action[] {
    const actions: Action[] = [];
    for (let left = this.random.between(1, 3); left > 0; left -= 1) {
      const name = this.random.weighted(this.#callbackWeights) as ActionName;
      const action = this.#actionOf(name, depth);
      if (action !== null) actions.push(action);
    }
    return actions;
  }

  #statement(depth: number): Statement | null {
    let weights = this.#weights;
    if (depth >= MAX_DEPTH) {
      weights = { ...weights };
      for (const name of NESTING) delete weights[name];
    }
    const name = this.random.weighted(weights);
    this.#budget -= 1;
    return this.#waiting(name as WaitingName, depth) ?? this.#actionOf(name as ActionName, depth);
  }

  /** Makes the body of a task or coroutine, as which it is named. */
  #named(
    kind: "task" | "coroutine",
    depth: number,
    least: number,
    most: number,
  ): { name: number; body: Statement[] } {
    this.tasks += 1;
    const name = this.tasks;
    if (kind === "task") this.spawned.push(name);
    const { self, enclosing } = this;
    const callback = this.#callback;
    this.self = name;
    this.enclosing = kind === "task" ? [name] : [...enclosing, name];
    this.#callback = -1;
    const body = this.#block(depth + 1, least, most);
    this.self = self;
    this.enclosing = enclosing;
    this.#callback = callback;
    return { name, body };
  }

  #spawn(depth: number): Action {
    const id = this.id();
    const { name, body } = this.#named("task", depth, 1, 5);
    return { op: "spawn", id, task: name, eager: this.random.chance(0.08), body };
  }

  #actionOf(name: ActionName, depth: number): Action | null {
    const random = this.random;
    const id = this.id();
    switch (name) {
      case "log":
        return { op: name, id };
      case "set":
        return { op: name, id, value: random.between(1, 9) };
      case "raise":
        return { op: name, id, message: `e${id}` };
      case "cancel":
        return this.cancel();
      case "cancelSelf":
        return { op: name, id, message: this.message() };
      case "uncancel":
        return { op: name, id, task: random.chance(0.7) ? null : this.task() };
      case "look":
        return { op: name, id, of: this.ref() };
      case "spawn":
        return this.#repeating || this.#budget <= 0 ? null : this.#spawn(depth);
      case "groupSpawn": {
        const inGroup = this.#groups.at(-1);
        if (this.#repeating || inGroup === undefined) return null;
        const group = random.chance(0.8) ? inGroup : random.pick(this.#groups);
        const { name: task, body } = this.#named("task", depth, 1, 4);
        return { op: name, id, group, task, body };
      }
      case "setResult":
        return { op: name, id, future: this.future(), value: id };
      case "setException":
        return { op: name, id, future: this.future(), message: `e${id}` };
      case "addCallback": {
        const last = this.program.callbacks.length - 1;
        if (this.#callback >= last) return null;
        // The same one twice, to be removed at once.
        if (this.#added !== null && this.#callback === -1 && random.chance(0.3)) {
          return { ...this.#added, id };
        }
        const callback = random.between(this.#callback + 1, last);
        return this.#added = { op: name, id, of: this.ref(), callback };
      }
      case "removeCallback": {
        if (this.#added !== null && random.chance(0.7)) return { ...this.#added, op: name, id };
        const callback = random.between(0, this.program.callbacks.length - 1);
        return { op: name, id, of: this.ref(), callback };
      }
      case "callSoon":
        this.#handles.push(id);
        return { op: name, id, body: depth >= MAX_DEPTH ? [] : this.#actions(depth + 1) };
      case "callLater": {
        this.#handles.push(id);
        const body = depth >= MAX_DEPTH ? [] : this.#actions(depth + 1);
        return { op: name, id, delay: this.moment(), body };
      }
      case "cancelHandle":
        if (this.#handles.length === 0) return null;
        return { op: name, id, handle: random.pick(this.#handles) };
      case "reschedule":
        if (this.#scopes.length === 0) return null;
        return { op: name, id, scope: random.pick(this.#scopes), delay: this.momentOrNever() };
      case "release":
      case "locked":
        return { op: name, id, ...this.guard() };
      case "notify": {
        const count = random.chance(0.3) ? null : random.between(1, 2);
        return { op: name, id, index: this.index(this.program.conditions.length), count };
      }
      case "setEvent":
      case "clearEvent":
        return { op: name, id, index: this.index(this.program.events) };
      case "putNowait":
        return { op: name, id, index: this.queue(), value: random.between(0, 9) };
      case "getNowait":
      case "taskDone":
      case "size":
        return { op: name, id, index: this.queue() };
      case "shutdown":
        return { op: name, id, index: this.queue(), immediate: random.chance(0.5) };
      case "barrierState":
        return { op: name, id, index: this.index(this.program.barriers.length) };
      case "assign":
        return { op: name, id, variable: 0, value: random.between(0, 2) };
    }
  }

  #waiting(name: WaitingName, depth: number): Statement | null {
    const random = this.random;
    const id = this.id();
    const soft = random.chance(0.6);
    switch (name) {
      case "sleep":
        return this.sleep();
      case "await":
        return { op: name, id, soft, of: this.#expression(depth) };
      case "return":
        return { op: name, id, value: id };
      case "raiseError":
      case "raiseCancelled":
        return { op: name, id, message: `e${id}` };
      case "repeat":
        return this.#repeat(id, depth);
      case "try":
        return this.#try(id, depth);
      case "timeout":
      case "timeoutAt":
      case "group":
      case "with":
        return this.#scoped(name, id, soft, depth);
      case "waitFor":
        return {
          op: name,
          id,
          soft,
          of: this.#expression(depth),
          timeout: this.momentOrNever(),
        };
      case "gather": {
        const returnExceptions = random.chance(0.35);
        return { op: name, id, soft, of: this.#expressions(depth), returnExceptions };
      }
      case "shield":
        return { op: name, id, soft, of: this.#expression(depth) };
      case "wait": {
        const of = Array.from({ length: random.between(1, 4) }, () => this.awaitedRef());
        const mode = random.pick(["first", "exception", "all"] as const);
        return { op: name, id, soft, of, mode, timeout: this.#limit() };
      }
      case "asCompleted":
        return { op: name, id, soft, of: this.#expressions(depth), timeout: this.#limit() };
      case "acquire":
        return { op: name, id, soft, ...this.guard() };
      case "waitEvent":
        return { op: name, id, soft, index: this.index(this.program.events) };
      case "waitCondition":
        return { op: name, id, soft, index: this.index(this.program.conditions.length) };
      case "waitPredicate": {
        const index = this.index(this.program.conditions.length);
        const cancels = random.chance(0.3);
        return { op: name, id, soft, index, variable: 0, value: random.between(0, 2), cancels };
      }
      case "put":
        return { op: name, id, soft, index: this.queue(), value: random.between(0, 9) };
      case "get":
      case "join":
        return { op: name, id, soft, index: this.queue() };
      case "waitBarrier":
      case "resetBarrier":
      case "abortBarrier":
        return { op: name, id, soft, index: this.index(this.program.barriers.length) };
      default:
        return null;
    }
  }

  #limit(): number | null {
    return this.random.chance(0.5) ? null : this.moment();
  }

  #repeat(id: number, depth: number): Statement {
    const outer = this.#repeating;
    this.#repeating = true;
    const body = this.#block(depth + 1, 1, 3);
    this.#repeating = outer;
    return { op: "repeat", id, times: this.random.between(2, 3), body };
  }

  #try(id: number, depth: number): Statement {
    const random = this.random;
    return {
      op: "try",
      id,
      body: this.#block(depth + 1, 1, 4),
      catch: random.pick(["all", "cancelled", "cancelled", "error", null]),
      handler: this.#block(depth + 1, 0, 2),
      rethrow: random.chance(0.5),
      finally: random.chance(0.4) ? this.#block(depth + 1, 1, 2) : [],
    };
  }

  #scoped(
    op: "timeout" | "timeoutAt" | "group" | "with",
    id: number,
    soft: boolean,
    depth: number,
  ): Statement {
    const random = this.random;
    if (op === "with") {
      const guard = this.guard();
      return { op, id, soft, ...guard, body: this.#held(guard, depth) };
    }
    const known = op === "group" ? this.#groups : this.#scopes;
    known.push(id);
    const body = this.#block(depth + 1, 1, 5);
    // Mostly it is named where it is open, and now and then where it is not.
    if (random.chance(0.8)) known.pop();
    if (op === "group") return { op, id, soft, body };
    if (op === "timeout") return { op, id, soft, delay: this.momentOrNever(), body };
    const when = random.chance(0.1) ? null : this.moment() * 2;
    return { op, id, soft, when, body };
  }

  /** What is done with a lock in hand: with a condition, it is mostly waited for or notified. */
  #held(guard: Guard, depth: number): Statement[] {
    const body = this.#block(depth + 1, 1, 3);
    if (guard.kind !== "condition") return body;
    const { index } = guard;
    const id = this.id();
    const kind = this.random.weighted({ wait: 4, predicate: 2, notify: 4, none: 1 });
    if (kind === "wait") body.unshift({ op: "waitCondition", id, soft: true, index });
    if (kind === "predicate") {
      const value = this.random.between(1, 2);
      const cancels = this.random.chance(0.3);
      body.unshift({ op: "waitPredicate", id, index, variable: 0, value, cancels });
    }
    if (kind === "notify") {
      body.push({ op: "assign", id, variable: 0, value: this.random.between(0, 2) });
      const count = this.random.pick([1, 1, 2, null]);
      body.push({ op: "notify", id: this.id(), index, count });
    }
    return body;
  }

  #expressions(depth: number): Expression[] {
    const random = this.random;
    const expressions = Array.from(
      { length: random.between(random.chance(0.1) ? 0 : 1, 3) },
      () => this.#expression(depth),
    );
    const first = expressions[0];
    if (first?.kind === "ref" && random.chance(0.3)) expressions.push(first);
    return expressions;
  }

  #expression(depth: number): Expression {
    const random = this.random;
    const mayNest = depth < MAX_DEPTH && this.#budget > 0;
    const kind = mayNest
      ? random.weighted({
        ref: 4,
        coroutine: 4,
        gather: 0.8,
        shield: 0.8,
        waitFor: 0.8,
        timeout: 0.5,
        group: 0.5,
      })
      : "ref";
    switch (kind) {
      case "ref":
        return { kind, of: this.awaitedRef() };
      case "coroutine":
        return { kind, ...this.#named("coroutine", depth, 1, 4) };
      case "gather":
        return {
          kind,
          of: this.#expressions(depth + 1),
          returnExceptions: random.chance(0.35),
        };
      case "shield":
        return { kind, of: this.#expression(depth + 1) };
      case "waitFor":
        return { kind, of: this.#expression(depth + 1), timeout: this.momentOrNever() };
      case "timeout": {
        const id = this.id();
        return { kind, id, delay: this.momentOrNever(), body: this.#block(depth + 1, 1, 3) };
      }
      case "group": {
        const id = this.id();
        this.#groups.push(id);
        const body = this.#block(depth + 1, 1, 3);
        this.#groups.pop();
        return { kind, id, body };
      }
    }
  }
}
