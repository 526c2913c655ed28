import * as inside from "../inside.ts";
import { current, currentFrame, runningTask } from "../scheduling/_current.ts";
import type { CancelScope } from "./_cancel_scope.ts";
import type { CancelReason } from "./_cancel_reason.ts";
import type { CancelEdge, Cancellable, CancelVerdict } from "./_cancel_walk.ts";
import type { CancelRoot, Consumer } from "./_consumer.ts";
import { CoroutineFuture, NOTHING } from "./_coroutine_future.ts";
import { type Context, currentContext } from "../scheduling/context.ts";
import type { EventLoop } from "../event_loop.ts";
import { inWords } from "../values/in_words.ts";
import { settle } from "./future.ts";
import type { Future } from "./future.ts";
import type { Coroutine, Task } from "./task.ts";

/**
 * Runs `coroutine` at once as part of the current task, up to where it first waits, and returns
 * a future of its result. This is how an operation of several steps is written:
 *
 * ```ts
 * import { startOperation } from "./start_operation.ts";
 * import { type Coroutine, EventLoop, type Future, sleep } from "../mod.ts";
 *
 * export function greet(loop: EventLoop, name: string): Future<string> {
 *   return startOperation(loop, greetSteps(name));
 * }
 *
 * function* greetSteps(name: string): Coroutine<string> {
 *   yield* sleep(1);
 *   return `Hello ${name}`;
 * }
 * ```
 *
 * It costs the loop the turns that `await greet(name)` costs in asyncio. Cancelling the future
 * throws `CancelledError` where the coroutine waits.
 *
 * @param action What a wait for it is called, as in `"condition.wait of"`; what it waits for itself
 * says it by default.
 * @param subject What the action is done to, at the end of that text.
 */
export function startOperation<T>(
  loop: EventLoop,
  coroutine: Coroutine<T>,
  action: string | null = null,
  subject: object | null = null,
): Future<T> {
  return new CoroutineOperation(loop, coroutine, action, subject);
}

/** A coroutine that is part of the task in which it was started. */
class CoroutineOperation<T> extends CoroutineFuture<T> {
  readonly #task: Task<unknown> | null = runningTask();
  /** The scope of the async function that the operation was started in. */
  readonly #scope: CancelScope | null = currentFrame()?.scope ?? null;
  readonly #context: Context = currentContext();
  readonly #action: string | null;
  readonly #subject: object | null;
  #consumer: Consumer | null = null;

  constructor(
    loop: EventLoop,
    coroutine: Coroutine<T>,
    action: string | null,
    subject: object | null,
  ) {
    super({ loop });
    this.#action = action;
    this.#subject = subject;
    this._coroutine = coroutine;
    this.step(NOTHING);
    if (!this.done()) this.keepEngineContext();
  }

  override get [inside.task](): Task<unknown> | null {
    return this.#task;
  }

  override [inside.inWords](): string | null {
    const subject = this.#subject;
    return subject === null ? this.#action : `${this.#action} ${inWords(subject)}`;
  }

  override get [inside.context](): Context {
    return this.#context;
  }

  override cancelling(): number {
    return super.cancelling() + (this.#outer?.cancelling() ?? 0);
  }

  override uncancel(): number {
    if (this._cancelCount === 0) this.#scope?.uncancelAll();
    else super.uncancel();
    return this.cancelling();
  }

  override [inside.dueCount](): number {
    return super[inside.dueCount]() || (this.#outer?.[inside.dueCount]() ?? 0);
  }

  override [inside.recancel](reason: CancelReason): void {
    this.#outer?.[inside.recancel](reason);
  }

  override [inside.forget](reason: CancelReason): void {
    super[inside.forget](reason);
    this.#outer?.[inside.forget](reason);
  }

  override [inside.subscribe](consumer: Consumer): void {
    if (this.#consumer === null && !this.done()) this.#consumer = consumer;
    else super[inside.subscribe](consumer);
  }

  override [inside.unsubscribe](consumer: Consumer): void {
    if (this.#consumer === consumer) this.#consumer = null;
    super[inside.unsubscribe](consumer);
  }

  override get [inside.resumesConsumer](): boolean {
    return true;
  }

  override [inside.passCancel](
    reason: CancelReason,
    routed: boolean,
  ): CancelVerdict | readonly CancelEdge[] {
    if (this.done()) return super[inside.passCancel](reason, routed);
    // What the task is asked for is counted by the task.
    if (!routed) this._cancelCount += 1;
    const passed = this.passToWaiter();
    return passed === "missed" ? this[inside.endCancel](passed, reason, routed) : passed;
  }

  override [inside.root](): CancelRoot {
    return this;
  }

  override [inside.takeCancel](): CancelReason | null {
    return this._due?.take() ?? this.#consumer?.[inside.root]()?.[inside.takeCancel]() ??
      null;
  }

  override [inside.spendCancel](awaited: Cancellable): void {
    if (this._due?.pending === true) this._due.spendOn(awaited, this);
    else this.#consumer?.[inside.root]()?.[inside.spendCancel](awaited);
  }

  /** What the operation is part of. */
  get #outer(): CancelScope | Task<unknown> | null {
    return this.#scope ?? this.#task;
  }

  protected override step(thrown: unknown): void {
    const { loop, task, context, operation } = current;
    current.loop = this.getLoop();
    current.task = this.#task;
    current.context = this.#context;
    current.operation = this;
    let result: IteratorResult<unknown, T> | null = null;
    let failure: unknown;
    try {
      result = this.advance(thrown);
    } catch (error) {
      failure = error;
    }
    current.loop = loop;
    current.task = task;
    current.context = context;
    current.operation = operation;
    // Only now, in the state of before, may the consumer go on.
    if (result === null) this.fail(failure);
    else this.proceed(result);
  }

  protected override end(state: "finished" | "failed" | "cancelled", value: unknown): void {
    this._coroutine = null;
    settle(this, state, value);
    const consumer = this.#consumer;
    this.#consumer = null;
    consumer?.[inside.resume]();
  }
}
