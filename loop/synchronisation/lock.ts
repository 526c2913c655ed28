import * as inside from "../inside.ts";
import { refuseTimeLimit } from "../values/time_limit.ts";
import { requireLoop, runningTask } from "../scheduling/_current.ts";
import { lineOf } from "../values/_describe.ts";
import { Held } from "./_held.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { type CancelledError, InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import { inWords, kindInWords, waitingInWords } from "../values/in_words.ts";

/**
 * Lets one task at a time through. As `asyncio.Lock`.
 *
 * Waiters get it in the order in which they came; a task that arrives while one is about to wake
 * does not overtake it. A waiter that is cancelled passes its turn on.
 *
 * @category Synchronisation
 *
 * @example Holding a lock for a block
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Lock, run } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const lock = new Lock();
 *   {
 *     using _held = await lock.acquire();
 *     assertEquals(lock.locked(), true);
 *   }
 *   assertEquals(lock.locked(), false);
 * });
 * ```
 */
export class Lock {
  #locked = false;
  /** Who has taken it, as far as it was measured. */
  #holder: Future<unknown> | null = null;
  /** In the order of arrival; who fills it is bounded by the number of tasks. */
  readonly #waiters: Set<Acquire> = new Set();

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Lock locked waiters=2>`. */
  toString(): string {
    return lineOf(this, this.#locked ? "locked" : "unlocked", { waiters: this.#waiters.size });
  }

  /** @ignore */
  [inside.inWords](): string {
    const holder = this[inside.holder];
    const state = holder === null ? "" : ` by ${inWords(holder)}`;
    const waiting = waitingInWords(this.#waiters.size);
    return kindInWords(this, this.#locked ? `locked${state}` : "unlocked", waiting);
  }

  /** @ignore Who has it, where something measures that. */
  get [inside.holder](): Future<unknown> | null {
    return this.#locked ? this.#holder : null;
  }

  /** Whether somebody holds the lock. */
  locked(): boolean {
    return this.#locked;
  }

  /**
   * Takes the lock, waiting until it is free.
   *
   * @returns What gives the lock back at the end of a `using` block.
   */
  acquire(): Future<Disposable> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "lock.acquire()");
    return new Acquire(requireLoop("acquire a lock"), this);
  }

  /**
   * Gives the lock back; the first waiter gets it in the next iteration.
   *
   * @throws {InvalidStateError} If nobody holds it.
   */
  release(): void {
    if (!this.#locked) throw new InvalidStateError("Cannot release a lock: it is not acquired");
    this.#locked = false;
    this.#wakeFirst();
  }

  /** @ignore Takes the lock if it is free and nobody waits for it. */
  [inside.tryAcquire](asker: Future<unknown> | null): boolean {
    if (this.#locked) return false;
    for (const waiter of this.#waiters) if (!waiter.givingUp) return false;
    this.#holder = asker;
    return this.#locked = true;
  }

  /** @ignore `waiter` waits for the lock. */
  [inside.addWaiter](waiter: Acquire): void {
    this.#waiters.add(waiter);
  }

  /** @ignore `waiter` was woken and takes the lock, or gives up. */
  [inside.removeWaiter](waiter: Acquire, takes: boolean): void {
    this.#waiters.delete(waiter);
    if (takes) {
      this.#locked = true;
      this.#holder = waiter.asker;
    } else if (!this.#locked) this.#wakeFirst();
  }

  #wakeFirst(): void {
    // The head may be awake already and not have run yet: then it is its turn still.
    for (const waiter of this.#waiters) return void waiter.wake();
  }
}

/** One wait for a lock. */
class Acquire extends Operation<Disposable> {
  readonly #lock: Lock;
  /** The task that asked, as far as it is measured. */
  readonly asker: Future<unknown> | null;

  constructor(loop: EventLoop, lock: Lock) {
    super(loop[inside.ownOptions]);
    this.#lock = lock;
    this.asker = loop[inside.meter] === null ? null : runningTask();
    if (lock[inside.tryAcquire](this.asker)) this.finish(new Held(lock));
    else lock[inside.addWaiter](this);
  }

  override [inside.inWords](): string {
    return `lock.acquire of ${inWords(this.#lock)}`;
  }

  override [inside.awaited](): Future<unknown>[] {
    const holder = this.#lock[inside.holder];
    return holder === null || holder.done() ? [] : [holder];
  }

  protected override resumed(): void {
    this.#lock[inside.removeWaiter](this, true);
    this.finish(new Held(this.#lock));
  }

  protected override interrupted(error: CancelledError): void {
    this.#lock[inside.removeWaiter](this, false);
    this.fail(error);
  }
}
