import { ambient, flows, runningTask } from "./_ambient.ts";
import type { CancelScope } from "./_cancel_scope.ts";
import type { CancelRoot, Consumer, CoroutineHost, Interruptible } from "./_consumer.ts";
import { createCancelledError } from "./_cancelled_error.ts";
import { type Context, currentContext } from "./context.ts";
import { CancelledError, InvalidStateError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import { endedCancelled, Future, markSeen, settle } from "./future.ts";
import type { Coroutine, Task } from "./task.ts";

/**
 * Runs `coroutine` at once as part of the current task, up to where it first waits, and returns
 * a future of its result. This is how an operation of several steps is written:
 *
 * ```ts
 * import { startOperation } from "./start_operation.ts";
 * import { type Coroutine, EventLoop, type Future, sleep } from "./mod.ts";
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
 */
export function startOperation<T>(loop: EventLoop, coroutine: Coroutine<T>): Future<T> {
  return new CoroutineOperation(loop, coroutine);
}

/** Not an error: the step has none to throw. */
const NOTHING: unique symbol = Symbol("nothing");

/** An {@linkcode Operation} whose steps are those of a coroutine. */
class CoroutineOperation<T> extends Future<T> implements Consumer, CancelRoot, CoroutineHost {
  readonly #coroutine: Coroutine<T>;
  readonly _task: Task<unknown> | null = runningTask();
  /** The scope of the async function that the operation was started in. */
  readonly #scope: CancelScope | null = flows.getStore()?.scope ?? null;
  readonly #context: Context = currentContext();
  #waiter: Future<unknown> | null = null;
  #consumer: Consumer | null = null;
  #thrown: unknown = NOTHING;
  /** Whether `cancel()` came when nothing could be interrupted. */
  #cancelDue = false;
  #message: string | undefined;
  /** Cancellations of the operation alone, asked for and not taken back. */
  #cancelling = 0;

  constructor(loop: EventLoop, coroutine: Coroutine<T>) {
    super({ loop });
    this.#coroutine = coroutine;
    this.#step(NOTHING);
  }

  override cancel(message?: string): boolean {
    if (this.done()) return super.cancel();
    this.#cancelling += 1;
    if (!this._interrupt(message)) {
      this.#cancelDue = true;
      this.#message = message;
    }
    return true;
  }

  cancelling(): number {
    return this.#cancelling + (this.#outer?.cancelling() ?? 0);
  }

  uncancel(): number {
    if (this.#cancelling === 0) this.#scope?.uncancelAll();
    else if (--this.#cancelling === 0) this.#cancelDue = false;
    return this.cancelling();
  }

  recancel(message?: string): void {
    this.#outer?.recancel(message);
  }

  override _interrupt(message?: string): boolean {
    return this.#waiter?._interrupt(message) ?? false;
  }

  override _subscribe(consumer: Consumer): void {
    if (this.#consumer === null && !this.done()) this.#consumer = consumer;
    else super._subscribe(consumer);
  }

  override _awaited(): Future<unknown>[] {
    return this.#waiter === null ? [] : [this.#waiter];
  }

  override get _delivers(): boolean {
    return true;
  }

  _run(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    let thrown = this.#thrown;
    this.#thrown = NOTHING;
    const due = this.takeCancel();
    if (due !== null && (waiter === null || !endedCancelled(waiter))) {
      if (waiter !== null) markSeen(waiter);
      thrown = due;
    }
    this.#step(thrown);
  }

  _resume(): void {
    this.#waiter = null;
    this.#step(NOTHING);
  }

  _root(): CancelRoot {
    return this;
  }

  takeCancel(): CancelledError | null {
    if (!this.#cancelDue) return this.#consumer?._root()?.takeCancel() ?? null;
    this.#cancelDue = false;
    return createCancelledError(this.#message);
  }

  spendCancel(awaited: Interruptible): void {
    if (!this.#cancelDue) this.#consumer?._root()?.spendCancel(awaited);
    else if (awaited._interrupt(this.#message)) this.#cancelDue = false;
  }

  /** What the operation is part of. */
  get #outer(): CancelScope | Task<unknown> | null {
    return this.#scope ?? this._task;
  }

  #step(thrown: unknown): void {
    const { loop, task, context, operation } = ambient;
    ambient.loop = this.getLoop();
    ambient.task = this._task;
    ambient.context = this.#context;
    ambient.operation = this;
    let result: IteratorResult<unknown, T> | null = null;
    let failure: unknown;
    try {
      result = thrown === NOTHING ? this.#coroutine.next() : this.#coroutine.throw(thrown);
    } catch (error) {
      failure = error;
    }
    ambient.loop = loop;
    ambient.task = task;
    ambient.context = context;
    ambient.operation = operation;
    // Only now, in the state of before, may the consumer go on.
    if (result === null) {
      this.#end(failure instanceof CancelledError ? "cancelled" : "failed", failure);
    } else if (result.done === true) this.#end("finished", result.value);
    else this.#suspend(result.value);
  }

  #suspend(awaited: unknown): void {
    if (!(awaited instanceof Future) || awaited.getLoop() !== this.getLoop()) {
      if (awaited !== undefined) {
        this.#thrown = new InvalidStateError(
          "Cannot wait in an operation: expected a future of the same loop",
        );
      }
      return this.getLoop().enqueue(this);
    }
    this.#waiter = awaited;
    awaited._subscribe(this);
    this.spendCancel(awaited);
  }

  #end(state: "finished" | "failed" | "cancelled", value: unknown): void {
    settle(this, state, value);
    const consumer = this.#consumer;
    this.#consumer = null;
    consumer?._resume();
  }
}
