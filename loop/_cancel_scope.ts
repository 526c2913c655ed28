import { type Flow, flows, runningTask } from "./_ambient.ts";
import type { AwaitingFunction } from "./_awaiting_function.ts";
import { createCancelledError } from "./_cancelled_error.ts";
import type { CancelRoot, Interruptible } from "./_consumer.ts";
import type { Context } from "./context.ts";
import type { CancelledError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";

/**
 * Where a cancellation that found nothing to interrupt comes from. One that a function asked of
 * its own task waits for the next await that suspends, as asyncio's; one from outside came while
 * the function was at a foreign promise, and ends the next await of any future of ours.
 */
type Due = "no" | "outside" | "self";

/**
 * What a cancellation of an async function goes through.
 *
 * *Theory of operation.* A coroutine waits for one future at a time. An async function may wait
 * for several (`Promise.all`), through calls that the loop never sees. So each `await` of a
 * future of ours is listed in the scope that the function carries ({@linkcode Flow}), and leaves
 * the list when it ends. A cancellation interrupts every one in the list and in nested scopes;
 * when there is none, because the function is at a foreign promise, it stays *due*, and
 * {@linkcode AwaitingFunction} throws it at the next await.
 *
 * A task has a root scope; `timeout()` and `taskGroup()` nest one each, so that they cut their
 * body and nothing else of the task.
 */
export class CancelScope implements Flow, CancelRoot {
  /** The task that the functions of this scope are part of. */
  readonly task: Task<unknown>;
  /** The loop of the task. */
  readonly loop: EventLoop;
  /** The context variables that the functions see. */
  readonly context: Context;
  /** Whether the body has ended. What still runs is never cancelled. */
  closed = false;

  readonly #parent: CancelScope | null;
  /** Created for the first nested scope; most tasks have none. */
  #nested: Set<CancelScope> | null = null;
  /** The awaits that are pending, newest first. */
  #awaits: AwaitingFunction<unknown> | null = null;
  /** Cancellations asked for and not taken back, since the scope was opened. */
  #count = 0;
  /** Those of the enclosing scope at that time, as far as they were not taken back here. */
  #base: number;
  #due: Due = "no";
  #message: string | undefined;
  /**
   * Signals that the function has read since its last await of ours. When one of them aborts, the
   * foreign promise that it is at ends by that, and it must not get the cancellation once more.
   */
  #signals: Set<AbortSignal> | null = null;

  /**
   * Creates the scope of `task`, or one nested in `parent`.
   *
   * @param cancelling How many cancellations were asked for outside of it.
   */
  constructor(
    task: Task<unknown>,
    context: Context,
    parent: CancelScope | null = null,
    cancelling: number = parent?.cancelling() ?? 0,
  ) {
    this.task = task;
    this.loop = task.getLoop();
    this.context = context;
    this.#parent = parent;
    this.#base = cancelling;
    if (parent === null) return;
    (parent.#nested ??= new Set()).add(this);
    // The next await may be in here.
    this.#takeDueOf(parent);
  }

  /** This scope, as part of the flow. */
  get scope(): this {
    return this;
  }

  /** The function has read `signal`, which aborts before it is cancelled. */
  noteSignal(signal: AbortSignal): void {
    (this.#signals ??= new Set()).add(signal);
  }

  /** Calls `fn` inside this scope; it carries the scope across its awaits. */
  run<R>(fn: () => R): R {
    return flows.run(this, fn);
  }

  /** Cancels what runs in the scope: interrupts its awaits, or is due at the next. */
  cancel(message?: string): void {
    this.#count += 1;
    let interrupted = false;
    for (const awaiting of this.#listAwaits()) {
      if (awaiting.future._circular) {
        awaiting.giveUp(createCancelledError(message));
        interrupted = true;
      } else if (awaiting.future._interrupt(message)) interrupted = true;
    }
    for (const scope of [...this.#nested ?? []]) {
      scope.cancel(message);
      interrupted = true;
    }
    if (interrupted || (this.#awaits === null && this.#endsBySignal())) return;
    this.#due = runningTask() === this.task ? "self" : "outside";
    this.#message = message;
  }

  /** How many cancellations were asked for and not taken back. */
  cancelling(): number {
    return this.#base + this.#count;
  }

  /** Takes one cancellation of this scope back. Returns how many are left. */
  uncancel(): number {
    if (this.#count > 0) this.#count -= 1;
    else if (this.#base > 0) this.#base -= 1;
    if (this.cancelling() === 0) this.#due = "no";
    return this.cancelling();
  }

  /** Takes one cancellation back that came from outside, here and in the enclosing scopes. */
  uncancelAll(): number {
    for (let outer = this.#parent; outer !== null; outer = outer.#parent) outer.uncancel();
    return this.uncancel();
  }

  /** Makes a cancellation, which another error hides, due again at the next await. */
  recancel(message?: string): void {
    this.#due = "self";
    this.#message = message;
  }

  /** As {@linkcode recancel}, in the enclosing scope. */
  recancelOuter(): void {
    this.#parent?.recancel();
  }

  takeCancel(): CancelledError | null {
    if (this.#due === "no") return null;
    this.#due = "no";
    return createCancelledError(this.#message, this.loop.getDebug());
  }

  /** The message of the last cancellation that found nothing to interrupt. */
  get message(): string | undefined {
    return this.#message;
  }

  /** Takes a cancellation that came from outside, for an await that does not suspend. */
  takeOutsideCancel(): CancelledError | null {
    return this.#due === "outside" ? this.takeCancel() : null;
  }

  spendCancel(awaited: Interruptible): void {
    if (this.#due !== "no" && awaited._interrupt(this.#message)) this.#due = "no";
  }

  /** The function is at an await of ours again. */
  noteAwait(): void {
    this.#signals = null;
  }

  /** Lists a pending await. */
  add(awaiting: AwaitingFunction<unknown>): void {
    awaiting.next = this.#awaits;
    if (this.#awaits !== null) this.#awaits.previous = awaiting;
    this.#awaits = awaiting;
  }

  /** Takes an await off the list. */
  remove(awaiting: AwaitingFunction<unknown>): void {
    if (awaiting.next !== null) awaiting.next.previous = awaiting.previous;
    if (awaiting.previous !== null) awaiting.previous.next = awaiting.next;
    else if (this.#awaits === awaiting) this.#awaits = awaiting.next;
    awaiting.previous = awaiting.next = null;
  }

  /** The body has ended. */
  close(): void {
    this.closed = true;
    const parent = this.#parent;
    if (parent === null) return;
    parent.#nested?.delete(this);
    // Where the body came to no await, it is the next one after it.
    parent.#takeDueOf(this);
  }

  /** What the functions of this scope wait for, oldest first. */
  awaited(): Future<unknown>[] {
    return this.#listAwaits().map((awaiting) => awaiting.future);
  }

  #endsBySignal(): boolean {
    for (const signal of this.#signals ?? []) if (signal.aborted) return true;
    return false;
  }

  /** Moves the cancellation that is due in `other`, if any, here. */
  #takeDueOf(other: CancelScope): void {
    if (other.#due === "no") return;
    this.#due = other.#due;
    this.#message = other.#message;
    other.#due = "no";
  }

  /** The pending awaits, oldest first. */
  #listAwaits(): AwaitingFunction<unknown>[] {
    const list: AwaitingFunction<unknown>[] = [];
    for (let item = this.#awaits; item !== null; item = item.next) list.push(item);
    return list.reverse();
  }
}
