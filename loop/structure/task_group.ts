import * as inside from "../inside.ts";
import { Step } from "../scheduling/step.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { type CancelOptions, CancelReason, causeOf } from "../tasks/_cancel_reason.ts";
import { CancelScope } from "../tasks/_cancel_scope.ts";
import { cancelContained, type Cancellable } from "../tasks/_cancel_walk.ts";
import type { CancelHost, CoroutineHost } from "../tasks/_consumer.ts";
import { CallerOperation } from "./_caller_operation.ts";
import { lineOf } from "../values/_describe.ts";
import { TASK } from "../values/_options.ts";
import {
  type BlockBody,
  checkBody,
  refuseForUsers,
  runBody,
  runBodyInFunction,
} from "./_block_body.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import { CancelledError, InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { addWaiter, Future } from "../tasks/future.ts";
import { startOperation } from "../tasks/start_operation.ts";
import { refuseAsyncGenerator } from "../values/_function_kind.ts";
import { isCoroutine } from "../values/is_coroutine.ts";
import { type Coroutine, Task, type TaskBody, type TaskOptions } from "../tasks/task.ts";
import type { Handle } from "../scheduling/handle.ts";
import type { Runnable } from "../scheduling/_runnable.ts";

/**
 * Where a group stands. Tasks can be added while it is open, and while it closes until the last
 * one has ended.
 */
type GroupState = "open" | "closing" | "closed";

/**
 * Tasks that end together. As `asyncio.TaskGroup`; see {@linkcode taskGroup}.
 *
 * The first child that fails cancels the others and the body.
 *
 * @category Structure
 */
export class TaskGroup {
  readonly #loop: EventLoop;
  /** Whom the group cancels when a child fails. */
  readonly #parent: CoroutineHost | CancelScope;
  readonly #tasks: Set<Task<unknown>> = new Set();
  readonly #errors: unknown[] = [];
  #state: GroupState = "open";
  #aborting = false;
  #parentCancelRequested = false;
  /** What the group cancels its parent for. */
  #reason: CancelReason | null = null;
  /** The cancellation from outside that the group ends with, unless it ends with errors. */
  #cancelled: CancelledError | null = null;
  /** Cancellations of the parent before the group began: not the group's to answer. */
  readonly #cancellingBefore: number;
  /** Done once the last child has ended; set while the group waits for that. */
  #completed: Completion | null = null;

  /** Names the children that go on when they were cancelled. */
  #patience: Handle | null = null;

  /** @ignore Groups are created by `taskGroup()`. */
  constructor(loop: EventLoop, parent: CoroutineHost | CancelScope) {
    refuseForUsers("create a task group", "taskGroup(async (group) => { … })", parent);
    this.#loop = loop;
    this.#parent = parent;
    // One that is due comes to the body as any other from outside.
    this.#cancellingBefore = parent.cancelling() - parent[inside.dueCount]();
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<TaskGroup open tasks=2>`. */
  toString(): string {
    return lineOf(this, this.#aborting ? `${this.#state} cancelling` : this.#state, {
      tasks: this.#tasks.size,
      errors: this.#errors.length,
    });
  }

  /**
   * Starts a child task.
   *
   * @param body A coroutine, or a function that returns a coroutine, a promise or a value.
   * @throws {InvalidStateError} If the group is closed or shutting down; the body never runs.
   */
  createTask<T>(body: TaskBody<T>, options: TaskOptions = NO_OPTIONS): Task<T> {
    this.#checkOpen(body);
    const task = this.#loop.createTask(body, options);
    this.#tasks.add(task);
    if (task.done()) this[inside.childDone](task);
    else addWaiter(task, new GroupedChild(this, task));
    this.#cancelLate(task);
    return task;
  }

  /**
   * Starts a child task and waits until it says that it is ready. A child that fails before
   * fails this call, and not the group.
   *
   * @param body Gets a function to call, once, with the value to give.
   * @returns The value that the child reported.
   * @throws {InvalidStateError} If the child ends without having reported.
   *
   * @example A server that is listening when `start` returns
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { run, sleep, taskGroup } from "@gyre/asyncio";
   *
   * await run(() =>
   *   taskGroup(async (group) => {
   *     const port = await group.start<number>(async (ready) => {
   *       ready(8080);
   *       await sleep(0);
   *     });
   *     assertEquals(port, 8080);
   *   })
   * );
   * ```
   */
  start<R>(
    body: (ready: (value: R) => void) => Coroutine<unknown> | PromiseLike<unknown> | unknown,
    options: TaskOptions = NO_OPTIONS,
  ): Future<R> {
    checkOptions("create a task", options, TASK);
    checkBody("start a task", body, "group.start((ready) => work(ready))");
    refuseAsyncGenerator(body);
    this.#checkOpen(body);
    return startOperation(this.#loop, this.#startSteps(body, options));
  }

  /**
   * Cancels all children and the rest of the body, without an error: the group ends quietly and
   * gives `undefined`, unless a child fails meanwhile.
   */
  cancel(): void {
    if (this.#aborting || this.#state === "closed") return;
    this.#abort();
    if (this.#state === "open") this.#cancelParent(CancelReason.yielding());
  }

  /** @ignore Waits for the children after the body ended; throws what the group ends with. */
  *[inside.close](outcome: { failed: boolean; error: unknown }): Coroutine<void> {
    this.#state = "closing";
    this.#cancelled = this.#outsideCancel(outcome.error);
    if (outcome.failed && !this.#aborting) this.#abort();
    while (this.#tasks.size > 0) {
      this.#completed ??= new Completion(this.#loop, this.#tasks);
      try {
        yield* this.#completed;
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        // The first cancellation from outside; later ones wait for the children as well.
        this.#cancelled ??= this.#outsideCancel(error);
        if (this.#aborting) this.#endCircles();
        else this.#abort();
      }
      this.#completed = null;
    }
    this.#state = "closed";
    this.#patience?.cancel();
    // The group takes back what it asked for; nothing more than before means nobody else did.
    if (this.#parentCancelRequested) {
      const left = this.#parent.uncancel();
      if (this.#errors.length === 0 && this.#reason !== null) {
        this.#parent[inside.forget](this.#reason);
      }
      if (left <= this.#cancellingBefore) this.#cancelled = null;
    }
    if (outcome.failed && !(outcome.error instanceof CancelledError)) {
      this.#errors.push(outcome.error);
    }
    if (this.#errors.length > 0) throw groupError(this.#errors);
    if (this.#cancelled !== null) throw this.#cancelled;
  }

  /**
   * @ignore The cancellation that was asked for by somebody else, where the group ended with errors
   * instead: the next await of the caller gets it.
   */
  [inside.hidden](error: unknown): CancelReason | null {
    if (error instanceof CancelledError || this.#parent.cancelling() === 0) return null;
    const cancelled = this.#cancelled;
    return cancelled === null ? new CancelReason() : CancelReason.of(cancelled);
  }

  /** `error`, if somebody else than the group has cancelled its parent. */
  #outsideCancel(error: unknown): CancelledError | null {
    if (!(error instanceof CancelledError)) return null;
    const own = this.#parentCancelRequested ? 1 : 0;
    return this.#parent.cancelling() > this.#cancellingBefore + own || own === 0 ? error : null;
  }

  *#startSteps<R>(
    body: (ready: (value: R) => void) => unknown,
    options: TaskOptions,
  ): Coroutine<R> {
    const ready = this.#loop.createFuture<R>();
    const report = (value: R) => {
      if (!ready.done()) ready.setResult(value);
    };
    const task = this.#loop.createTask(() => body(report), options);
    this.#tasks.add(task);
    this.#cancelLate(task);
    addWaiter(
      task,
      new Step(() => {
        if (ready.done()) return this[inside.childDone](task);
        this.#forget(task);
        if (task.cancelled()) {
          ready[inside.cancel](task[inside.cancelReason]?.withoutMessage() ?? new CancelReason());
        } else {
          ready.setException(
            task.exception() ??
              new InvalidStateError(
                `Cannot start task "${task.getName()}": it ended without saying that it is ready`,
              ),
          );
        }
      }),
    );
    try {
      return yield* ready;
    } catch (error) {
      if (!task.done()) this.#cancelChildren([task]);
      throw error;
    }
  }

  #checkOpen(body: unknown): void {
    const state = this.#state === "closed" || (this.#state === "closing" && this.#tasks.size === 0)
      ? "it is closed"
      : this.#aborting
      ? "it is shutting down"
      : null;
    if (state === null) return;
    if (isCoroutine(body)) body.return(undefined);
    throw new InvalidStateError(`Cannot create a task in a task group: ${state}`);
  }

  /** @ignore A child has ended. */
  [inside.childDone](task: Task<unknown>): void {
    this.#forget(task);
    if (task.cancelled()) return;
    const error = task.exception();
    if (error === null) return;
    this.#errors.push(error);
    if (this.#aborting || this.#parentCancelRequested) return;
    this.#abort();
    this.#cancelParent(new CancelReason());
  }

  /** @ignore The task, the operation or the scope that it is a block of. */
  get [inside.cutsShort](): CancelHost {
    return this.#parent;
  }

  /** An eager child may have had the group cancelled before it was one of its tasks. */
  #cancelLate(task: Task<unknown>): void {
    if (this.#aborting) this.#cancelChildren([task]);
  }

  #forget(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#completed?.done() === false) this.#completed.setResult();
  }

  #abort(): void {
    this.#aborting = true;
    const what = "Tasks of a group were cancelled and go on";
    this.#patience = this.#loop[inside.expectEnd](what, () => this.#tasks);
    const cancelled = this.#cancelled;
    const cause = cancelled === null ? undefined : causeOf(cancelled);
    this.#cancelChildren(this.#tasks, { cause });
  }

  #cancelChildren(tasks: Iterable<Task<unknown>>, options?: CancelOptions): void {
    cancelContained(this.#hosts, () => {
      for (const task of tasks) task.cancel(undefined, options);
    });
  }

  /** A cancelled child may still wait for who waits for it, through the groups of others. */
  #endCircles(): void {
    this.#cancelChildren(waitersFor(this.#hosts, this.#tasks));
  }

  /** Who waits for the group. */
  get #hosts(): Cancellable[] {
    const parent = this.#parent;
    const task = parent instanceof CancelScope ? parent.task : parent[inside.task];
    return task === null ? [parent] : [parent, task];
  }

  #cancelParent(reason: CancelReason): void {
    this.#parentCancelRequested = true;
    this.#reason = reason;
    this.#parent[inside.cancel](reason);
  }
}

/** Which of `tasks`, and of the tasks that these wait for, wait for one of `hosts`. */
function waitersFor(
  hosts: readonly Cancellable[],
  tasks: Iterable<Task<unknown>>,
): Set<Task<unknown>> {
  const found = new Set<Task<unknown>>();
  const known = new Set<Cancellable>(hosts);
  const open = Array.from(tasks, (task) => ({ future: task as Future<unknown>, task }));
  for (let wait = open.pop(); wait !== undefined; wait = open.pop()) {
    if (hosts.includes(wait.future)) found.add(wait.task);
    if (known.has(wait.future)) continue;
    known.add(wait.future);
    const task = wait.future instanceof Task ? wait.future : wait.task;
    for (const future of wait.future[inside.awaited]()) open.push({ future, task });
  }
  return found;
}

/** Tells a group that one of its children has ended. */
class GroupedChild implements Runnable {
  /** @ignore */
  readonly [inside.group]: TaskGroup;
  readonly #task: Task<unknown>;

  constructor(group: TaskGroup, task: Task<unknown>) {
    this[inside.group] = group;
    this.#task = task;
  }

  [inside.run](): void {
    this[inside.group][inside.childDone](this.#task);
  }
}

/** Done once the children of a group have ended. */
class Completion extends Future<void> {
  readonly #tasks: ReadonlySet<Task<unknown>>;

  constructor(loop: EventLoop, tasks: ReadonlySet<Task<unknown>>) {
    super({ loop });
    this.#tasks = tasks;
  }

  override [inside.inWords](): string {
    return `task group (${this.#tasks.size} left)`;
  }

  override [inside.awaited](): Future<unknown>[] {
    return [...this.#tasks];
  }
}

/**
 * Runs `body` with a group of tasks, and ends when all of them have ended. As
 * `async with asyncio.TaskGroup()`.
 *
 * When a child fails, the others and the body are cancelled, and the errors are thrown together:
 * the children's in the order in which they failed, then the body's. When the caller is
 * cancelled, so are the children.
 *
 * @param body A coroutine function or an async function; it runs in the calling task.
 * @returns What `body` returned.
 * @throws {AggregateError} If children or the body failed.
 *
 * @category Structure
 *
 * @example Two children
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, sleep, taskGroup } from "@gyre/asyncio";
 *
 * const sum = await run(async () => {
 *   const [a, b] = await taskGroup((group) => [
 *     group.createTask(() => sleep(0.001, 20)),
 *     group.createTask(() => sleep(0.001, 22)),
 *   ]);
 *   return a.result() + b.result();
 * });
 * assertEquals(sum, 42);
 * ```
 */
export function taskGroup<T>(body: BlockBody<TaskGroup, T>): Future<T> {
  checkBody("start a task group", body, "taskGroup(async (group) => { … })");
  return new GroupBlock(requireLoop("start a task group"), body);
}

class GroupBlock<T> extends CallerOperation<T> {
  readonly #body: BlockBody<TaskGroup, T>;

  constructor(loop: EventLoop, body: BlockBody<TaskGroup, T>) {
    super(loop);
    this.#body = body;
  }

  override [inside.inWords](): string {
    return "task group";
  }

  protected override *steps(task: Task<unknown>, host: CoroutineHost): Coroutine<T> {
    const group = new TaskGroup(this.getLoop(), host);
    let value: T | undefined;
    let outcome: { failed: boolean; error: unknown } = { failed: false, error: null };
    try {
      value = yield* runBody(this.#body, group, task, host);
    } catch (error) {
      outcome = { failed: true, error };
    }
    try {
      yield* group[inside.close](outcome);
    } catch (error) {
      const hidden = group[inside.hidden](error);
      if (hidden !== null) host[inside.recancel](hidden);
      throw error;
    }
    return value as T;
  }

  protected override async runInFunction(scope: CancelScope): Promise<T> {
    const group = new TaskGroup(this.getLoop(), scope);
    let value: T | undefined;
    let outcome: { failed: boolean; error: unknown } = { failed: false, error: null };
    try {
      value = await runBodyInFunction(this.#body, group, scope);
    } catch (error) {
      outcome = { failed: true, error };
    }
    try {
      await runBodyInFunction(() => group[inside.close](outcome), undefined, scope);
    } catch (error) {
      const hidden = group[inside.hidden](error);
      if (hidden !== null) scope.recancelOuter(hidden);
      throw error;
    }
    return value as T;
  }
}

/** The errors of a group as one. */
function groupError(errors: readonly unknown[]): AggregateError {
  const count = errors.length === 1 ? "1 unhandled error" : `${errors.length} unhandled errors`;
  return new AggregateError(errors, `Cannot complete a task group: ${count}`);
}
