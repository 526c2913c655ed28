import * as inside from "../inside.ts";
import type { CancelReason } from "./_cancel_reason.ts";
import type { Cancellable, CancelVerdict } from "./_cancel_walk.ts";
import type { CancelRoot, Consumer } from "./_consumer.ts";
import { DueCancellation } from "./_due_cancellation.ts";
import type { Runnable } from "../scheduling/_runnable.ts";
import { CancelledError } from "../errors/errors.ts";
import { Future, type FutureOptions, settle } from "./future.ts";

/**
 * What an operation waits for. `woken` and `interrupted` mean that its step is in the ready
 * queue; from then on nothing interrupts it.
 */
type Phase = "waiting" | "woken" | "interrupted";

/**
 * A future that does work of its own, in steps: it stands for a coroutine of asyncio's.
 *
 * *Theory of operation.* It starts where it is created. A step is an entry of the ready queue.
 * The consumer that came first goes on within the step that completes the operation, so that
 * the operation costs the loop exactly the turns that the coroutine would cost in its caller's
 * frame. A cancellation is routed through it; when its wake-up is in the queue
 * already, the task at the root of the consumers keeps the cancellation and this step takes it.
 *
 * A subclass waits by returning from a step, is woken by {@linkcode wake}, and ends by
 * {@linkcode finish} or {@linkcode fail}.
 */
export abstract class Operation<T> extends Future<T> implements Runnable, CancelRoot {
  // Plain names and no initializers, for speed: see "Insides" in CONTRIBUTING.md.
  declare private _phase: Phase;
  /** Why it was interrupted. */
  declare private _reason: CancelReason | null;
  declare private _consumer: Consumer | null;
  /** Cancellations of its own that came when the wake-up was in the queue already. */
  declare private _due: DueCancellation | null;

  constructor(options: FutureOptions) {
    super(options);
    this._phase = "waiting";
    this._reason = null;
    this._consumer = null;
    this._due = null;
  }

  /** What is awaited has come. */
  protected abstract resumed(): void;

  /**
   * The operation is cancelled. Ends it with `error`, after cleaning up.
   *
   * @param error What to fail with.
   * @param woken Whether what it waits for has come too, and must be passed on.
   */
  protected abstract interrupted(error: CancelledError, woken: boolean): void;

  /** Puts the next step into the ready queue. Returns `false` if it was there already. */
  wake(): boolean {
    if (this._phase !== "waiting" || this.done()) return false;
    this._phase = "woken";
    this.getLoop()[inside.enqueue](this);
    return true;
  }

  /** Whether the next step is in the ready queue. */
  get awake(): boolean {
    return this._phase !== "waiting";
  }

  /** Whether a cancellation is on the way, and the operation wants nothing any more. */
  get givingUp(): boolean {
    return this._phase === "interrupted";
  }

  /** Waits on: a step has found that what it waits for has not come yet. */
  protected suspend(): void {
    this._phase = "waiting";
  }

  /** Ends with `value` and resumes the consumer. */
  protected finish(value: T): void {
    settle(this, "finished", value);
    this._resumeConsumer();
  }

  /** Ends with `error` and resumes the consumer. */
  protected fail(error: unknown): void {
    settle(this, error instanceof CancelledError ? "cancelled" : "failed", error);
    this._resumeConsumer();
  }

  [inside.run](): void {
    const phase = this._phase;
    let reason = phase === "interrupted" ? this._reason : null;
    const due = this[inside.takeCancel]() ??
      this._consumer?.[inside.root]()?.[inside.takeCancel]() ?? null;
    reason = due === null ? reason : reason?.after(due) ?? due;
    if (reason === null) this.resumed();
    else this.interrupted(reason.toError(this.getLoop().getDebug()), phase === "woken");
  }

  [inside.takeCancel](): CancelReason | null {
    return this._due === null ? null : this._due.take();
  }

  [inside.spendCancel](awaited: Cancellable): void {
    this._due?.spendOn(awaited, this);
  }

  /** Who the step resumes in the end. */
  [inside.root](): CancelRoot {
    return this._consumer?.[inside.root]() ?? this;
  }

  override [inside.subscribe](consumer: Consumer): void {
    if (this._consumer === null && !this.done()) this._consumer = consumer;
    else super[inside.subscribe](consumer);
  }

  override [inside.unsubscribe](consumer: Consumer): void {
    if (this._consumer === consumer) this._consumer = null;
    super[inside.unsubscribe](consumer);
  }

  override [inside.passCancel](reason: CancelReason, routed: boolean): CancelVerdict {
    if (this.done()) return super[inside.passCancel](reason, routed) as CancelVerdict;
    if (this._phase === "waiting") {
      this._phase = "interrupted";
      this._reason = reason;
      this.getLoop()[inside.enqueue](this);
      return "interrupted";
    }
    if (routed) return "missed";
    (this._due ??= new DueCancellation()).add(reason);
    return "interrupted";
  }

  override get [inside.resumesConsumer](): boolean {
    return true;
  }

  private _resumeConsumer(): void {
    const consumer = this._consumer;
    if (consumer === null) return;
    this._consumer = null;
    consumer[inside.resume]();
  }
}
