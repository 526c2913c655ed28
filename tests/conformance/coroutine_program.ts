import {
  asCompleted,
  type Awaitable,
  CancelledError,
  type Coroutine,
  ensureFuture,
  type Future,
  gather,
  shield,
  sleep,
  type TaskBody,
  taskGroup,
  timeout,
  timeoutAt,
  wait,
  waitFor,
} from "../../loop/mod.ts";
import type { Action, Expression, Statement, WaitingStatement } from "./program.ts";
import { at, Boom, type GroupLike, type TimeoutScopeLike, World } from "./world.ts";

/** A waiting statement of one kind. */
type Of<K extends WaitingStatement["op"]> = WaitingStatement & { op: K };
/** What `timeout` and `group` are given. */
interface Scoped {
  id: number;
  body: Statement[];
}
/** A block gives `null`, or a list of the value that it returns. */
type Returned = [unknown] | null;

/** Whether calling a body runs nothing of it yet, so that it may be called early. */
const BODIES_ARE_LAZY = true;

const MODES = {
  first: "firstCompleted",
  exception: "firstException",
  all: "allCompleted",
} as const;

/** Runs programs as coroutines. async_program.ts is made from this file. */
export class CoroutineProgram extends World {
  override start(name: number, statements: Statement[]): TaskBody<unknown> {
    const body = () => this.#body(name, statements);
    return BODIES_ARE_LAZY && name % 2 === 0 ? body() as TaskBody<unknown> : body;
  }

  *#body(name: number, statements: Statement[]): Coroutine<unknown> {
    this.log(`begin${name}`);
    let returned: Returned;
    try {
      returned = yield* this.#block(statements);
    } finally {
      this.log(`end${name}`);
    }
    return returned === null ? name : returned[0];
  }

  *#block(statements: Statement[]): Coroutine<Returned> {
    for (const statement of statements) {
      if (this.over) return null;
      const returned = yield* this.#step(statement);
      if (returned !== null) return returned;
    }
    return null;
  }

  *#step(statement: Statement): Coroutine<Returned> {
    if (!isWaiting(statement)) {
      this.runAction(statement);
      return null;
    }
    try {
      return yield* this.#run(statement);
    } catch (error) {
      this.logError(statement, error);
      if (error instanceof CancelledError || statement.soft !== true) throw error;
      return null;
    }
  }

  *#run(statement: WaitingStatement): Coroutine<Returned> {
    switch (statement.op) {
      case "return":
        return [statement.value];
      case "raiseError":
        throw new Boom(statement.message);
      case "raiseCancelled":
        throw new CancelledError(statement.message);
      case "repeat":
        return yield* this.#repeat(statement);
      case "try":
        return yield* this.#try(statement);
      case "with":
        return yield* this.#with(statement);
      case "timeout":
        return yield* this.#timeout(statement);
      case "timeoutAt":
        return yield* timeoutAt(
          statement.when,
          (scope: TimeoutScopeLike) => this.#timedBlock(scope, statement),
        );
      case "group": {
        const returned = yield* taskGroup((group) => this.#groupedBlock(group, statement));
        this.log(`left group${statement.id}`);
        return returned;
      }
      case "asCompleted":
        yield* this.#asCompleted(statement);
        return null;
      default: {
        const given = this.#wait(statement);
        if (given !== null) this.logValue(statement, yield* given);
        return null;
      }
    }
  }

  /** Starts a statement that is one wait, and gives its value. */
  #wait(statement: WaitingStatement): Coroutine<unknown> | Future<unknown> | null {
    switch (statement.op) {
      case "sleep":
        return sleep(statement.delay, statement.id);
      case "await":
        return begun(this.#awaitable(statement.of));
      case "waitFor":
        return begun(this.#awaitable({ ...statement, kind: "waitFor" }));
      case "gather":
        return begun(this.#awaitable({ ...statement, kind: "gather" }));
      case "shield":
        return begun(this.#awaitable({ ...statement, kind: "shield" }));
      case "wait":
        return this.#waitForSome(statement);
      case "acquire":
        return withoutValue(this.resource(statement).acquire());
      case "waitEvent":
        return withoutValue(at(this.events, statement.index).wait());
      case "waitCondition":
        return withoutValue(at(this.conditions, statement.index).wait());
      case "waitPredicate": {
        const condition = at(this.conditions, statement.index);
        return withoutValue(condition.waitFor(() => this.holds(statement)));
      }
      case "put":
        return withoutValue(at(this.queues, statement.index).put(statement.value));
      case "get":
        return at(this.queues, statement.index).get();
      case "join":
        return withoutValue(at(this.queues, statement.index).join());
      case "waitBarrier":
        return at(this.barriers, statement.index).wait();
      case "resetBarrier":
        return withoutValue(at(this.barriers, statement.index).reset());
      case "abortBarrier":
        return withoutValue(at(this.barriers, statement.index).abort());
      default:
        return null;
    }
  }

  /** Makes what `gather` and the like are given; `null` for a task that does not exist. */
  #awaitable(expression: Expression): Awaitable<unknown> | null {
    switch (expression.kind) {
      case "ref":
        return this.futureOf(expression.of);
      case "coroutine":
        return this.start(expression.name, expression.body) as Awaitable<unknown>;
      case "gather":
        return gather(this.#awaitables(expression.of), expression);
      case "shield": {
        const inner = this.#awaitable(expression.of);
        return inner === null ? null : shield(inner);
      }
      case "waitFor": {
        const inner = this.#awaitable(expression.of);
        return inner === null ? null : waitFor(inner, expression.timeout);
      }
      case "timeout":
        return timeout(
          expression.delay,
          (scope: TimeoutScopeLike) => this.#timedBlock(scope, expression),
        );
      case "group":
        return taskGroup((group) => this.#groupedBlock(group, expression));
    }
  }

  #awaitables(expressions: Expression[]): Awaitable<unknown>[] {
    return expressions.map((each) => this.#awaitable(each)).filter((each) => each !== null);
  }

  *#timedBlock(scope: TimeoutScopeLike, scoped: Scoped): Coroutine<Returned> {
    this.scopes.set(scoped.id, scope);
    return yield* this.#block(scoped.body);
  }

  *#groupedBlock(group: GroupLike, scoped: Scoped): Coroutine<Returned> {
    this.groups.set(scoped.id, group);
    return yield* this.#block(scoped.body);
  }

  *#repeat(statement: Of<"repeat">): Coroutine<Returned> {
    for (let left = statement.times; left > 0; left -= 1) {
      const returned = yield* this.#block(statement.body);
      if (returned !== null) return returned;
    }
    return null;
  }

  *#try(statement: Of<"try">): Coroutine<Returned> {
    try {
      return yield* this.#guarded(statement);
    } finally {
      if (!this.over) {
        this.log(`finally${statement.id}`);
        yield* this.#block(statement.finally);
      }
    }
  }

  *#guarded(statement: Of<"try">): Coroutine<Returned> {
    try {
      return yield* this.#block(statement.body);
    } catch (error) {
      if (!catches(statement.catch, error)) throw error;
      this.logError({ op: "caught", id: statement.id }, error);
      const returned = yield* this.#block(statement.handler);
      if (statement.rethrow) throw error;
      return returned;
    }
  }

  *#with(statement: Of<"with">): Coroutine<Returned> {
    const guard = this.resource(statement);
    yield* guard.acquire();
    try {
      this.logValue(statement, null);
      return yield* this.#block(statement.body);
    } finally {
      guard.release();
    }
  }

  *#timeout(statement: Of<"timeout">): Coroutine<Returned> {
    try {
      return yield* timeout(
        statement.delay,
        (scope: TimeoutScopeLike) => this.#timedBlock(scope, statement),
      );
    } finally {
      const expired = this.scopes.get(statement.id)?.expired();
      this.log(`left timeout${statement.id} ${expired}`);
    }
  }

  *#waitForSome(statement: Of<"wait">): Coroutine<unknown> {
    const futures = statement.of.map((ref) => this.futureOf(ref)).filter((each) => each !== null);
    const limit = statement.timeout === null ? {} : { timeout: statement.timeout };
    const result = yield* wait(futures, { ...limit, returnWhen: MODES[statement.mode] });
    const inOrder = [...new Set(futures)];
    return [result.done, result.pending].map((part) =>
      inOrder.filter((each) => part.has(each)).map((each) => inOrder.indexOf(each))
    );
  }

  *#asCompleted(statement: Of<"asCompleted">): Coroutine<void> {
    const futures = this.#awaitables(statement.of).map((each) => ensureFuture(each));
    // CPython leaves open in which order several done ones come.
    const done = futures.filter((each) => each.done());
    const given = futures.filter((each) => !each.done() || each === done[0]);
    const limit = statement.timeout === null ? {} : { timeout: statement.timeout };
    for (const next of asCompleted(given, limit)) this.logValue(statement, yield* next);
  }
}

/** Whether `statement` may wait. */
function isWaiting(statement: Statement): statement is WaitingStatement {
  return WAITING.has(statement.op);
}

const WAITING: ReadonlySet<(Action | WaitingStatement)["op"]> = new Set([
  "sleep",
  "await",
  "return",
  "raiseError",
  "raiseCancelled",
  "repeat",
  "try",
  "timeout",
  "timeoutAt",
  "group",
  "waitFor",
  "gather",
  "shield",
  "wait",
  "asCompleted",
  "acquire",
  "with",
  "waitEvent",
  "waitCondition",
  "get",
  "join",
  "waitBarrier",
  "resetBarrier",
  "abortBarrier",
  "waitPredicate",
  "put",
]);

/** A coroutine that a statement awaits runs as a part of its task. */
function begun(awaitable: Awaitable<unknown> | null): Coroutine<unknown> | Future<unknown> | null {
  const started = typeof awaitable === "function" ? awaitable() : awaitable;
  return started as Coroutine<unknown> | Future<unknown> | null;
}

function* withoutValue(future: Future<unknown>): Coroutine<null> {
  yield* future;
  return null;
}

function catches(kind: "all" | "cancelled" | "error" | null, error: unknown): boolean {
  if (kind === "all" || kind === null) return kind === "all";
  return (kind === "cancelled") === (error instanceof CancelledError);
}
