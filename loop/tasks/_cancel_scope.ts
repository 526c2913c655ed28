import * as inside from "../inside.ts";
import { type AsyncFrame, asyncFrames, runningTask } from "../scheduling/_current.ts";
import type { NativeAwait } from "./_native_await.ts";
import type { CancelReason } from "./_cancel_reason.ts";
import { CancelSignal } from "./_cancel_signal.ts";
import {
  type CancelEdge,
  type Cancellable,
  type CancelVerdict,
  walkCancel,
} from "./_cancel_walk.ts";
import type { CancelHost } from "./_consumer.ts";
import { DueCancellation } from "./_due_cancellation.ts";
import {
  anyWindow,
  type ArrivalWindow,
  type Callee,
  isOnPath,
  runWindow,
  type Teller,
  type Trace,
  traceAwait,
} from "./_own_path.ts";
import type { Context } from "../scheduling/context.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";

/**
 * What a cancellation of an async function goes through.
 *
 * *Theory of operation.* A coroutine waits for one future at a time. An async function may wait
 * for several (`Promise.all`), through calls that the loop never sees. So each `await` of a
 * future of ours is listed in the scope that the function carries ({@linkcode AsyncFrame}), and leaves
 * the list when it ends. A cancellation interrupts every one in the list. It stays *due* until it
 * has ended an await on the function's own path (`_own_path.ts`): those it has interrupted may be
 * the losers of a race, while the function is at a foreign promise. An await that the function
 * comes to meanwhile is interrupted as well.
 *
 * Where the path cannot be told, time does: a function that was told goes on within a few
 * microtasks, the *window*, and what it comes to in there is not interrupted once more. The same
 * holds when a signal of ours has ended a foreign promise.
 *
 * Whether an await was on the path is dear to tell, and nobody asks when the function ends by the
 * error, as most do. So it is an *arrival* first: the window is open, and who asks for what is due
 * has it told.
 *
 * The function itself never calls it: an await does, when it begins and when it ends, in `then()`;
 * a cancellation does, from a walk; and who runs the body, at its begin and end. Each cancellation
 * is counted until somebody takes it back, and due until it has arrived: the two are apart, as one
 * that was caught has arrived and counts on.
 *
 * A task has a root scope; `timeout()` and `taskGroup()` nest one each, so that they cut their
 * body and nothing else of the task. The await of such a block stands in the list of the outer
 * scope, and passes cancellations on.
 */
export class CancelScope implements AsyncFrame, CancelHost, Cancellable {
  /** The task that the functions of this scope are part of. */
  readonly task: Task<unknown>;
  /** The loop of the task. */
  readonly loop: EventLoop;
  /** The context variables that the functions see. */
  readonly context: Context;
  /** Whether the body has ended. What still runs is never cancelled. */
  closed = false;

  readonly #parent: CancelScope | null;
  /** The awaits that are pending, newest first. */
  #awaits: NativeAwait<unknown> | null = null;
  /** Cancellations asked for and not taken back, since the scope was opened. */
  #count = 0;
  /** Those of the enclosing scope at that time, as far as they were not taken back here. */
  #base: number;
  /** Created by the first cancellation; see `#settledDue`. */
  #due: DueCancellation | null = null;
  /**
   * Whether the function has asked for what is due by itself: that waits for the next await that
   * suspends, as asyncio's. From outside it may end the await of a future that is done.
   */
  #dueToItself = false;
  /** Set while the function may be on its way from what has told it, once it is open. */
  #window: Window | null = null;
  #signal: CancelSignal | null = null;
  /** Whether the function has read a signal since its last await of ours. */
  #readSignal = false;
  /** The cancellation that the error of the body hides. */
  #hidden: CancelReason | null = null;
  /** The last cancellation that found nothing to interrupt. */
  #missed: CancelReason | undefined = undefined;

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
  }

  /** This scope, as part of the frame. */
  get scope(): this {
    return this;
  }

  /** Aborts when the scope is cancelled. */
  get signal(): AbortSignal {
    this.noteSignal();
    return (this.#signal ??= new CancelSignal()).read(this);
  }

  /** What {@linkcode signal} has aborted with, if it has. */
  get reason(): unknown {
    return this.#signal?.reason ?? null;
  }

  /** The function has read a signal that aborts when it is cancelled. */
  noteSignal(): void {
    this.#readSignal = true;
  }

  /** The function has come to an await of ours. */
  noteAwait(): void {
    this.#readSignal = false;
  }

  /** Whether the deadline `reason` has ended the body only by the signal that it had read. */
  wasToldBySignal(reason: CancelReason): boolean {
    return this.reason !== null && this.#settledDue?.has(reason) === true && !this.#isOnItsWay();
  }

  /** Calls `fn` inside this scope; it carries the scope across its awaits. */
  run<R>(fn: () => R): R {
    return asyncFrames.run(this, fn);
  }

  /** Cancels what runs in the scope. */
  [inside.cancel](reason: CancelReason): void {
    walkCancel(this, reason, false, this.task);
  }

  [inside.passCancel](reason: CancelReason): readonly CancelEdge[] {
    return this.passCancel(reason, this.#signal?.abort(reason) === true);
  }

  /**
   * Notes a cancellation; returns the awaits that it goes on to.
   *
   * @param signalled Whether it has just aborted a signal that the function may have passed on.
   */
  passCancel(reason: CancelReason, signalled: boolean): readonly CancelEdge[] {
    this.#count += 1;
    const fromInside = runningTask() === this.task;
    this.keepDue(reason, fromInside);
    if (signalled && !fromInside) {
      this.#openWindow(this.#hasReadSignal() ? "recent signal" : "signal");
    }
    return this.#listAwaits();
  }

  [inside.endCancel](verdict: CancelVerdict, reason: CancelReason): CancelVerdict {
    if (verdict === "missed") this.#missed = reason;
    return "interrupted";
  }

  /** How many cancellations were asked for and not taken back. */
  cancelling(): number {
    return this.#base + this.#count;
  }

  /** Takes one cancellation of this scope back. Returns how many are left. */
  uncancel(): number {
    if (this.#count > 0) this.#count -= 1;
    else if (this.#base > 0) this.#base -= 1;
    if (this.cancelling() === 0) this.#due?.clear();
    return this.cancelling();
  }

  /** Takes one cancellation back that came from outside, here and in the enclosing scopes. */
  uncancelAll(): number {
    for (let outer = this.#parent; outer !== null; outer = outer.#parent) outer.uncancel();
    return this.uncancel();
  }

  [inside.dueCount](): number {
    return this.#settledDue?.pending === true ? 1 : 0;
  }

  /** Makes a cancellation, which another error hides, due again at the next await. */
  [inside.recancel](reason: CancelReason): void {
    this.keepDue(reason, true);
  }

  /** As {@linkcode recancel}, in the enclosing scope, once the body has ended. */
  recancelOuter(reason: CancelReason): void {
    this.#hidden = reason;
  }

  /** Drops `reason`, which its asker takes back. */
  [inside.forget](reason: CancelReason): void {
    this.#settledDue?.[inside.forget](reason);
  }

  /** Keeps `reason` until it has arrived. */
  keepDue(reason: CancelReason, toItself: boolean): void {
    this.#settleArrival();
    (this.#due ??= new DueCancellation()).add(reason);
    this.#dueToItself = toItself;
  }

  /** The cancellation that is due in `inner`, which is nested here, at its begin. */
  passDueTo(inner: CancelScope, reason: CancelReason): void {
    inner.keepDue(reason, this.#dueToItself);
  }

  /** Takes back what is due in `inner` at its end. Returns whether anything was. */
  takeDueOf(inner: CancelScope): boolean {
    const hidden = inner.#hidden;
    const left = inner[inside.takeCancel]();
    // Who asked may have taken it back while a body went on that nobody waits for.
    if (this.cancelling() === 0) return false;
    if (hidden !== null) {
      this.#due?.clear();
      this[inside.recancel](hidden);
    } else if (left === null) return false;
    else if (this[inside.dueCount]() === 0) this.keepDue(left, inner.#dueToItself);
    return true;
  }

  /** What has not arrived in a body that is at its end. */
  [inside.takeCancel](): CancelReason | null {
    const reason = this.#settledDue?.take() ?? null;
    return reason === null || this.#isOnItsWay() ? null : reason;
  }

  /** The last cancellation that found nothing to interrupt. */
  get [inside.cancelReason](): CancelReason | undefined {
    return this.#missed;
  }

  /** The cancellation that is due, to end an await with that begun before it. */
  get dueReason(): CancelReason | null {
    return this.#settledDue?.reason ?? null;
  }

  /**
   * The cancellation that ends an await which begins now, inside of its `then()`.
   *
   * @param suspends Whether it waits for a future that is not done.
   */
  reasonAtAwait(suspends: boolean, awaiting: NativeAwait<unknown>): CancelReason | null {
    const reason = this.dueReason;
    if (reason === null || (!suspends && this.#dueToItself)) return null;
    if (!this.#isOnItsWay()) return reason;
    if (!reason.mayProbe() || isOnPath(traceAwait())) this.#due?.clear();
    // Perhaps the cleanup of a helper, perhaps the function's own: it goes on after it.
    else awaiting.reopens = true;
    return null;
  }

  /** An await that was interrupted ends, inside of `then()`: what is due has arrived, or not. */
  noteArrival(then?: Callee): void {
    const reason = this.dueReason;
    if (reason === null) return;
    if (!reason.mayProbe()) return this.#due?.clear();
    this.#openWindow("await", traceAwait(then));
  }

  /** An await ends that was let be within the window. */
  reopenWindow(): void {
    if (this.#settledDue?.pending === true) this.#openWindow("await");
  }

  /** Lists a pending await. */
  add(awaiting: NativeAwait<unknown>): void {
    awaiting.next = this.#awaits;
    if (this.#awaits !== null) this.#awaits.previous = awaiting;
    this.#awaits = awaiting;
  }

  /** Takes an await off the list. */
  remove(awaiting: NativeAwait<unknown>): void {
    if (awaiting.next !== null) awaiting.next.previous = awaiting.previous;
    if (awaiting.previous !== null) awaiting.previous.next = awaiting.next;
    else if (this.#awaits === awaiting) this.#awaits = awaiting.next;
    awaiting.previous = awaiting.next = null;
  }

  /** The body has ended. */
  close(): void {
    this.closed = true;
  }

  /** What the functions of this scope wait for, oldest first. */
  [inside.awaited](): Future<unknown>[] {
    const list: Future<unknown>[] = [];
    for (let item = this.#awaits; item !== null; item = item.next) list.push(item.future);
    return list.length > 1 ? list.reverse() : list;
  }

  /** What is due, once it is told whether it has arrived. */
  get #settledDue(): DueCancellation | null {
    this.#settleArrival();
    return this.#due;
  }

  /** Tells whether the await that has ended last was on the function's own path. */
  #settleArrival(): void {
    const window = this.#window;
    const trace = window?.takeTrace() ?? null;
    if (window === null || trace === null || !isOnPath(trace)) return;
    this.#due?.clear();
    this.#window = window.before;
  }

  /** A loop, as blocks may be nested deeper than calls can be. */
  #hasReadSignal(): boolean {
    let reads = this.#readSignal;
    for (let outer = this.#parent; !reads && outer !== null; outer = outer.#parent) {
      reads = outer.#readSignal;
    }
    return reads;
  }

  /** Whether the function may have been told just now. */
  #isOnItsWay(): boolean {
    if (!anyWindow()) return false;
    let told = this.#isTold();
    for (let outer = this.#parent; !told && outer !== null; outer = outer.#parent) {
      told = outer.#isTold();
    }
    return told;
  }

  #isTold(): boolean {
    this.#settleArrival();
    return this.#window?.isOpen === true;
  }

  #openWindow(teller: Teller, trace: Trace | null = null): void {
    const window = new Window(this, trace, this.#window);
    this.#window = window;
    runWindow(teller, window);
  }

  /** The function had its time. */
  closeWindow(window: Window): void {
    if (this.#window === window) this.#settleArrival();
    if (this.#window === window) this.#window = null;
  }

  /** The pending awaits, oldest first. */
  #listAwaits(): NativeAwait<unknown>[] {
    const list: NativeAwait<unknown>[] = [];
    for (let item = this.#awaits; item !== null; item = item.next) list.push(item);
    return list.reverse();
  }
}

/** The time in which the function of a scope may be on its way from what has told it. */
class Window implements ArrivalWindow {
  /** Whether the function may go on by now. */
  isOpen: boolean;
  #isOver = false;
  readonly #scope: CancelScope;
  /** The await that has told it, until somebody asks whether that was on its path. */
  #trace: Trace | null;
  #before: Window | null;

  constructor(scope: CancelScope, trace: Trace | null, before: Window | null) {
    this.#scope = scope;
    this.#trace = trace;
    this.#before = before;
    // Who was told before is not told anew.
    this.isOpen = before?.isOpen === true;
  }

  /** The one that there would be without this. */
  get before(): Window | null {
    const before = this.#before;
    return before === null || before.#isOver ? null : before;
  }

  get isNeedless(): boolean {
    return this.#scope.closed;
  }

  takeTrace(): Trace | null {
    const trace = this.#trace;
    this.#trace = null;
    return trace;
  }

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.#isOver = true;
    this.#scope.closeWindow(this);
    this.#before = null;
  }
}
