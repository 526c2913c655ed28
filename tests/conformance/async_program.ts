import {
  asCompleted,
  type Awaitable,
  CancelledError,
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
  type WaitResult,
} from "../../loop/mod.ts";
import type { Action, Expression, Ref, Statement, WaitingStatement } from "./program.ts";
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
const BODIES_ARE_LAZY = false as boolean;

const MODES = {
  first: "firstCompleted",
  exception: "firstException",
  all: "allCompleted",
} as const;

/** Runs programs as async functions. Made by derive_async_program.ts: edit the original. */
export class AsyncProgram extends World {
  override start(name: number, statements: Statement[]): TaskBody<unknown> {
    const body = () => this.#body(name, statements);
    return BODIES_ARE_LAZY && name % 2 === 0 ? body() as unknown as TaskBody<unknown> : body;
  }

  async #body(name: number, statements: Statement[]): Promise<unknown> {
    this.log(`begin${name}`);
    let returned: Returned;
    try {
      returned = await this.#block(statements);
    } finally {
      this.log(`end${name}`);
    }
    return returned === null ? name : returned[0];
  }

  async #block(statements: Statement[]): Promise<Returned> {
    for (const statement of statements) {
      if (this.over) return null;
      if (!isWaiting(statement)) {
        this.runAction(statement);
        continue;
      }
      // In the frame of the block, as each frame more costs an async function a microtask.
      try {
        const given = this.#startWait(statement);
        if (given === "nested") {
          const returned = await this.#nested(statement);
          if (returned !== null) return returned;
        } else if (given !== null) {
          const value = await given;
          this.logValue(statement, this.#shown(statement, value));
        }
      } catch (error) {
        this.logError(statement, error);
        if (error instanceof CancelledError || statement.soft !== true) throw error;
      }
    }
    return null;
  }

  async #nested(statement: WaitingStatement): Promise<Returned> {
    switch (statement.op) {
      case "return":
        return [statement.value];
      case "raiseError":
        throw new Boom(statement.message);
      case "raiseCancelled":
        throw new CancelledError(statement.message);
      case "repeat":
        return await this.#repeat(statement);
      case "try":
        return await this.#try(statement);
      case "with":
        return await this.#with(statement);
      case "timeout":
        return await this.#timeout(statement);
      case "timeoutAt":
        return await timeoutAt(
          statement.when,
          (scope: TimeoutScopeLike) => this.#timedBlock(scope, statement),
        );
      case "group": {
        const returned = await taskGroup((group) => this.#groupedBlock(group, statement));
        this.log(`left group${statement.id}`);
        return returned;
      }
      case "asCompleted":
        await this.#asCompleted(statement);
        return null;
      default:
        throw new Error(`Cannot run a statement: it is a ${statement.op}`);
    }
  }

  /** Starts a statement that is one wait; gives `null` if a task that it names does not exist. */
  #startWait(
    statement: WaitingStatement,
  ): Promise<unknown> | Future<unknown> | "nested" | null {
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
      case "wait": {
        const limit = statement.timeout === null ? {} : { timeout: statement.timeout };
        return wait(this.#futures(statement.of), { ...limit, returnWhen: MODES[statement.mode] });
      }
      case "acquire":
        return this.resource(statement).acquire();
      case "waitEvent":
        return at(this.events, statement.index).wait();
      case "waitCondition":
        return at(this.conditions, statement.index).wait();
      case "waitPredicate":
        return at(this.conditions, statement.index).waitFor(() => this.holds(statement));
      case "put":
        return at(this.queues, statement.index).put(statement.value);
      case "get":
        return at(this.queues, statement.index).get();
      case "join":
        return at(this.queues, statement.index).join();
      case "waitBarrier":
        return at(this.barriers, statement.index).wait();
      case "resetBarrier":
        return at(this.barriers, statement.index).reset();
      case "abortBarrier":
        return at(this.barriers, statement.index).abort();
      default:
        return "nested";
    }
  }

  /** What the trace shows of the value that `statement` gave. */
  #shown(statement: WaitingStatement, value: unknown): unknown {
    if (statement.op !== "wait") return VALUELESS.has(statement.op) ? null : value;
    const { done, pending } = value as WaitResult<Future<unknown>>;
    return [done, pending].map((part) => [...part].map((each) => this.nameOf(each)));
  }

  #futures(refs: Ref[]): Future<unknown>[] {
    return refs.map((ref) => this.futureOf(ref)).filter((each) => each !== null);
  }

  /** Makes what `gather` and the like are given; `null` for a task that does not exist. */
  #awaitable(expression: Expression): Awaitable<unknown> | null {
    switch (expression.kind) {
      case "ref":
        return this.futureOf(expression.of);
      case "coroutine":
        return this.start(expression.name, expression.body) as Awaitable<unknown>;
      case "gather":
        return gather(this.#awaitables(expression.of), {
          returnExceptions: expression.returnExceptions,
        });
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

  async #timedBlock(scope: TimeoutScopeLike, scoped: Scoped): Promise<Returned> {
    this.scopes.set(scoped.id, scope);
    const returned = await this.#block(scoped.body);
    return returned;
  }

  async #groupedBlock(group: GroupLike, scoped: Scoped): Promise<Returned> {
    this.groups.set(scoped.id, group);
    const returned = await this.#block(scoped.body);
    return returned;
  }

  async #repeat(statement: Of<"repeat">): Promise<Returned> {
    for (let left = statement.times; left > 0; left -= 1) {
      const returned = await this.#block(statement.body);
      if (returned !== null) return returned;
    }
    return null;
  }

  async #try(statement: Of<"try">): Promise<Returned> {
    try {
      return await this.#guarded(statement);
    } finally {
      if (!this.over) {
        this.log(`finally${statement.id}`);
        await this.#block(statement.finally);
      }
    }
  }

  async #guarded(statement: Of<"try">): Promise<Returned> {
    try {
      return await this.#block(statement.body);
    } catch (error) {
      if (!catches(statement.catch, error)) throw error;
      this.logError({ op: "caught", id: statement.id }, error);
      const returned = await this.#block(statement.handler);
      if (statement.rethrow) throw error;
      return returned;
    }
  }

  async #with(statement: Of<"with">): Promise<Returned> {
    const guard = this.resource(statement);
    await guard.acquire();
    try {
      this.logValue(statement, null);
      return await this.#block(statement.body);
    } finally {
      guard.release();
    }
  }

  async #timeout(statement: Of<"timeout">): Promise<Returned> {
    try {
      return await timeout(
        statement.delay,
        (scope: TimeoutScopeLike) => this.#timedBlock(scope, statement),
      );
    } finally {
      const expired = this.scopes.get(statement.id)?.expired();
      this.log(`left timeout${statement.id} ${expired}`);
    }
  }

  async #asCompleted(statement: Of<"asCompleted">): Promise<void> {
    const futures = this.#awaitables(statement.of).map((each) => ensureFuture(each));
    // CPython leaves open in which order several done ones come.
    const done = futures.filter((each) => each.done());
    const given = futures.filter((each) => !each.done() || each === done[0]);
    const limit = statement.timeout === null ? {} : { timeout: statement.timeout };
    for (const next of asCompleted(given, limit)) {
      const value = await next;
      this.logValue(statement, value);
    }
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
function begun(awaitable: Awaitable<unknown> | null): Promise<unknown> | Future<unknown> | null {
  const started = typeof awaitable === "function" ? awaitable() : awaitable;
  return started as Promise<unknown> | Future<unknown> | null;
}

/** These statements give nothing that the trace shows. */
const VALUELESS: ReadonlySet<WaitingStatement["op"]> = new Set([
  "acquire",
  "waitEvent",
  "waitCondition",
  "waitPredicate",
  "put",
  "join",
  "resetBarrier",
  "abortBarrier",
]);

function catches(kind: "all" | "cancelled" | "error" | null, error: unknown): boolean {
  if (kind === "all" || kind === null) return kind === "all";
  return (kind === "cancelled") === (error instanceof CancelledError);
}
