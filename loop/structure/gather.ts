import * as inside from "../inside.ts";
import { runningLoop } from "../scheduling/_current.ts";
import { listAwaitables } from "./_awaitable_list.ts";
import { GATHER } from "../values/_options.ts";
import { CancelReason } from "../tasks/_cancel_reason.ts";
import type { CancelEdge, CancelVerdict } from "../tasks/_cancel_walk.ts";
import type { Runnable } from "../scheduling/_runnable.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import type { EngineContext } from "../scheduling/_deno_engine_context.ts";
import type { Context } from "../scheduling/context.ts";
import { type Awaitable, futureOfChecked } from "../tasks/ensure_future.ts";
import { type CancelledError, InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { isClaimed } from "../tasks/_coroutine_future.ts";
import { isCoroutine } from "../values/is_coroutine.ts";
import { addWaiter, forgetError, Future, settle, takeOutcome } from "../tasks/future.ts";

/**
 * Settings of {@linkcode gather}.
 *
 * @category Structure
 */
export interface GatherOptions {
  /**
   * Puts errors into the list of results instead of throwing the first. The types name `Error`; what
   * an awaitable throws that is none is put there as it is.
   */
  returnExceptions?: boolean | undefined;
}

/**
 * The results of a list of awaitables, in its order.
 *
 * @category Structure
 */
export type GatherResults<A extends readonly Awaitable<unknown>[]> = {
  -readonly [K in keyof A]: A[K] extends Awaitable<infer T> ? T : never;
};

/**
 * The results of a list of awaitables, or the errors in their places.
 *
 * @category Structure
 */
export type GatherOutcomes<A extends readonly Awaitable<unknown>[]> = {
  -readonly [K in keyof A]: (A[K] extends Awaitable<infer T> ? T : never) | Error;
};

/**
 * Waits for all awaitables and gives their results in the order of the list. As
 * `asyncio.gather()`.
 *
 * The first error ends the wait; the others go on. Cancelling the future cancels all of them; it
 * ends with the first that has ended, or with `returnExceptions` once all have. The same
 * awaitable given twice runs once; a function runs each time it is given.
 *
 * @param awaitables Futures, promises, coroutines, or functions, which become tasks.
 * @param options Additional options.
 * @throws {TypeError} If they are no list, as in `gather(a, b)`, or one cannot be waited for.
 * @throws {InvalidStateError} If they belong to different loops, or no loop is running here.
 *
 * @category Structure
 *
 * @example Two at once
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gather, run, sleep } from "@gyre/asyncio";
 *
 * assertEquals(await run(() => gather([sleep(0.002, "a"), sleep(0.001, "b")])), ["a", "b"]);
 * ```
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: GatherOptions & { returnExceptions?: false | undefined },
): Future<GatherResults<A>>;
/**
 * Waits for all awaitables and gives their results, or their errors, in the order of the list.
 *
 * @category Structure
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: GatherOptions,
): Future<GatherOutcomes<A>>;
export function gather(
  awaitables: readonly Awaitable<unknown>[],
  options: GatherOptions = NO_OPTIONS,
): Future<unknown[]> {
  const list = listAwaitables("gather", awaitables);
  checkOptions("gather", options, GATHER);
  const ownLoop = runningLoop();
  const { children, mayRepeat } = childrenOf(list, ownLoop);
  const loop = ownLoop ?? children[0]?.getLoop() ?? null;
  if (loop === null) {
    throw new InvalidStateError("Cannot gather: no event loop is running here");
  }
  if (mayRepeat && children.some((child) => child.getLoop() !== loop)) {
    throw new InvalidStateError("Cannot gather futures: they belong to different loops");
  }
  const gathering = new Gathering(loop, children, options.returnExceptions ?? false);
  if (!mayRepeat) gathering.watch(children, children.length);
  else {
    const different = new Set(children);
    gathering.watch(different, different.size);
  }
  return gathering;
}

/**
 * The future of each awaitable; the same one given twice has one. To remember them costs as much as
 * half of a task, so that begins with the first which may be there twice: a coroutine that no task
 * runs is none.
 */
function childrenOf(
  list: readonly Awaitable<unknown>[],
  ownLoop: EventLoop | null,
): { children: Future<unknown>[]; mayRepeat: boolean } {
  let known: Map<Awaitable<unknown>, Future<unknown>> | null = null;
  const children: Future<unknown>[] = [];
  for (const awaitable of list) {
    // A function is no awaitable itself, it makes one: each time it is given.
    if (typeof awaitable === "function") {
      children.push(futureOfChecked(awaitable, ownLoop));
      continue;
    }
    if (known === null && !isNewCoroutine(awaitable)) known = rememberAll(list, children);
    const child: Future<unknown> = known?.get(awaitable) ?? futureOfChecked(awaitable, ownLoop);
    // A task factory may run it in another one.
    if (known === null && !isClaimed(awaitable)) known = rememberAll(list, children);
    known?.set(awaitable, child);
    children.push(child);
  }
  return { children, mayRepeat: known !== null };
}

function isNewCoroutine(awaitable: object): boolean {
  return !(awaitable instanceof Future) && isCoroutine(awaitable) && !isClaimed(awaitable);
}

function rememberAll(
  list: readonly Awaitable<unknown>[],
  children: readonly Future<unknown>[],
): Map<Awaitable<unknown>, Future<unknown>> {
  const known = new Map<Awaitable<unknown>, Future<unknown>>();
  for (const [index, child] of children.entries()) {
    known.set(list[index] as Awaitable<unknown>, child);
  }
  return known;
}

/** The future of `gather()`. */
class Gathering extends Future<unknown[]> {
  readonly #children: readonly Future<unknown>[];
  readonly #returnExceptions: boolean;
  #failedChild: Future<unknown> | null = null;
  #pending = 0;
  #cancelRequested = false;

  constructor(loop: EventLoop, children: readonly Future<unknown>[], returnExceptions: boolean) {
    super(loop[inside.ownOptions]);
    this.#children = children;
    this.#returnExceptions = returnExceptions;
  }

  /** Waits for `count` different `children`. Those that are done count at once. */
  watch(children: Iterable<Future<unknown>>, count: number): void {
    this.#pending = count;
    if (count === 0) return this.setResult([]);
    const finished: Future<unknown>[] = [];
    for (const child of children) {
      if (child.done()) finished.push(child);
      else addWaiter(child, new GatheredChild(this, child));
    }
    for (const child of finished) this.childDone(child);
  }

  /** A child has ended. */
  childDone(child: Future<unknown>): void {
    this.#pending -= 1;
    if (this.done()) {
      // Somebody has looked at the first error; the later ones need no report.
      if (!child.cancelled()) child.exception();
      return;
    }
    if (!this.#returnExceptions) {
      if (child.cancelled() || child.exception() !== null) {
        this.#failedChild = child;
        return settle(this, "failed", takeOutcome(child).value);
      }
    } else forgetError(child); // Who gets the list gets the error, however late the others end.
    if (this.#pending === 0) this.#finish();
  }

  override get [inside.engineContext](): EngineContext | null | undefined {
    return this.#failedChild?.[inside.engineContext];
  }

  override get [inside.context](): Context | null {
    return this.#failedChild?.[inside.context] ?? null;
  }

  override [inside.inWords](): string {
    return `gather of ${this.#children.length} (${this.#pending} left)`;
  }

  override [inside.awaited](): Future<unknown>[] {
    return this.#children.filter((child) => !child.done());
  }

  override [inside.passCancel](
    reason: CancelReason,
    routed: boolean,
  ): CancelVerdict | readonly CancelEdge[] {
    if (this.done()) return super[inside.passCancel](reason, routed);
    return this.#children.map((future) => ({ future, routed: false }));
  }

  override [inside.endCancel](verdict: CancelVerdict): CancelVerdict {
    if (verdict !== "missed") this.#cancelRequested = true;
    return verdict;
  }

  #finish(): void {
    if (this.#cancelRequested) {
      const last = this.#children.at(-1) as Future<unknown>;
      const error = last.cancelled() ? takeOutcome(last).value : cancelledErrorOf(last);
      settle(this, "failed", error);
    } else settle(this, "finished", this.#children.map(resultOrError));
  }
}

/** What a list of results holds for `child`: the error of a cancelled task loses its message. */
function resultOrError(child: Future<unknown>): unknown {
  return child.cancelled() ? cancelledErrorOf(child) : takeOutcome(child).value;
}

function cancelledErrorOf(child: Future<unknown>): CancelledError {
  return (child[inside.cancelReason] ?? new CancelReason()).toError();
}

/** Tells a gathering that one of its children has ended. */
class GatheredChild implements Runnable {
  readonly #gathering: Gathering;
  readonly #child: Future<unknown>;

  constructor(gathering: Gathering, child: Future<unknown>) {
    this.#gathering = gathering;
    this.#child = child;
  }

  [inside.run](): void {
    this.#gathering.childDone(this.#child);
  }
}
