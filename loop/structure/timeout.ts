import * as inside from "../inside.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { CancelReason } from "../tasks/_cancel_reason.ts";
import type { CancelScope } from "../tasks/_cancel_scope.ts";
import type { CancelHost, CoroutineHost } from "../tasks/_consumer.ts";
import { CallerOperation } from "./_caller_operation.ts";
import {
  type BlockBody,
  checkBody,
  refuseForUsers,
  runBody,
  runBodyInFunction,
} from "./_block_body.ts";
import { lineOf } from "../values/_describe.ts";
import { checkSeconds } from "../values/_seconds.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { isAbort } from "../tasks/_foreign_abort.ts";
import { CancelledError, InvalidStateError, TimeoutError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import type { Handle } from "../scheduling/handle.ts";
import type { Coroutine, Task } from "../tasks/task.ts";
import { secondsLeft } from "../values/in_words.ts";

/** The time of a timeout is up. */
let expire: (timeout: Timeout) => void;

/** Where a {@linkcode Timeout} stands. Only an active one can expire. */
type TimeoutState = "created" | "active" | "expiring" | "expired" | "finished";

/**
 * The time limit of a running body. As `asyncio.Timeout`.
 *
 * @category Structure
 */
export class Timeout {
  readonly #loop: EventLoop;
  #when: number | null;
  #state: TimeoutState = "created";
  #timer: Handle | null = null;
  /** Whose time it is, once the body runs. */
  #limit: Limit | null = null;
  #controller: AbortController | null = null;

  /** @ignore Timeouts are created by `timeout()`. */
  constructor(loop: EventLoop, when: number | null) {
    refuseForUsers("create a timeout", "timeout(1, () => work())", loop);
    this.#loop = loop;
    this.#when = when;
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Timeout active when=1.5>`. */
  toString(): string {
    return lineOf(this, this.#state, { when: String(this.#when) });
  }

  /** Returns the deadline in seconds of the loop's clock; `null` for none. */
  when(): number | null {
    return this.#when;
  }

  /** Whether the deadline has passed while the body ran. */
  expired(): boolean {
    return this.#state === "expiring" || this.#state === "expired";
  }

  /** Aborts at the deadline. For `fetch` and other foreign promises. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.expired()) this.#controller.abort(timeIsUp());
    return this.#controller.signal;
  }

  /**
   * Moves the deadline.
   *
   * @param when Seconds of the loop's clock; `null` for none.
   * @throws {InvalidStateError} If the body has ended, or the deadline has passed.
   */
  reschedule(when: number | null): void {
    if (when !== null) checkSeconds("change the deadline of a timeout", "when", when);
    if (this.#state !== "active") {
      throw new InvalidStateError(`Cannot change the deadline of a timeout: it is ${this.#state}`);
    }
    this.#when = when;
    this.#timer?.cancel();
    if (when === null) this.#timer = null;
    else if (when <= this.#loop.time()) this.#timer = this.#loop.callSoon(expire, this);
    else this.#timer = this.#loop.callAt(when, expire, this);
  }

  /** @ignore The body starts, which `limit` cancels. */
  [inside.enterBody](limit: Limit): void {
    this.#state = "active";
    this.#limit = limit;
    this.reschedule(this.#when);
  }

  /** @ignore The body has ended. Returns whether the deadline has passed. */
  [inside.exitBody](): boolean {
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = this.#state === "expiring" ? "expired" : "finished";
    return this.#state === "expired";
  }

  /** @ignore What {@linkcode signal} has aborted with; `null` if it has not, or was not read. */
  get [inside.abortReason](): unknown {
    const signal = this.#controller?.signal;
    return signal?.aborted === true ? signal.reason : null;
  }

  #expire(): void {
    this.#state = "expiring";
    this.#timer = null;
    this.#controller?.abort(timeIsUp());
    this.#limit?.interrupt();
  }

  /** @ignore */
  get [inside.cutsShort](): CancelHost | null {
    return this.#limit?.host ?? null;
  }

  /** @ignore */
  [inside.inWords](now?: number): string {
    const when = this.#when;
    return when === null ? "timeout" : `timeout ${secondsLeft(this.#loop, when, now)}`;
  }

  static {
    expire = (timeout) => timeout.#expire();
  }
}

/**
 * Runs `body` with a time limit. As `async with asyncio.timeout(delay)`.
 *
 * At the deadline the body gets a `CancelledError`, and the caller a {@linkcode TimeoutError}
 * once the body has ended. A body that ends by itself counts, even late. A cancellation from
 * outside wins over the deadline.
 *
 * @param delay Seconds from the start of the body; `null` for no limit, until rescheduled.
 * @param body A coroutine function or an async function; it runs in the calling task.
 * @throws {TypeError} If `delay` is neither a number nor `null`.
 * @throws {RangeError} If it is `NaN`.
 *
 * @category Structure
 *
 * @example Giving up
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { run, sleep, timeout, TimeoutError } from "@gyre/asyncio";
 *
 * await assertRejects(() => run(() => timeout(0.001, () => sleep(3600))), TimeoutError);
 * ```
 */
export function timeout<T>(delay: number | null, body: BlockBody<Timeout, T>): Future<T> {
  checkTime("delay", delay);
  checkBody("start a timeout", body, "timeout(1, () => work())");
  return new TimeLimit(requireLoop("start a timeout"), delay, true, body);
}

/**
 * Runs `body` with a deadline. As `async with asyncio.timeout_at(when)`; see {@linkcode timeout}.
 *
 * @param when Seconds of the loop's clock; `null` for no deadline, until rescheduled.
 * @param body A coroutine function or an async function; it runs in the calling task.
 * @category Structure
 */
export function timeoutAt<T>(when: number | null, body: BlockBody<Timeout, T>): Future<T> {
  checkTime("when", when);
  checkBody("start a timeout", body, "timeoutAt(1, () => work())");
  return new TimeLimit(requireLoop("start a timeout"), when, false, body);
}

class TimeLimit<T> extends CallerOperation<T> {
  readonly #time: number | null;
  readonly #isDelay: boolean;
  readonly #body: BlockBody<Timeout, T>;
  /** Set once the body has begun. */
  #timeout: Timeout | null = null;

  constructor(
    loop: EventLoop,
    time: number | null,
    isDelay: boolean,
    body: BlockBody<Timeout, T>,
  ) {
    super(loop);
    this.#time = time;
    this.#isDelay = isDelay;
    this.#body = body;
  }

  protected override *steps(task: Task<unknown>, host: CoroutineHost): Coroutine<T> {
    const limit = this.#begin(host, task);
    let value: T;
    try {
      value = yield* runBody(this.#body, limit.timeout, task, host);
    } catch (error) {
      throw limit.endWith(error);
    }
    limit.end();
    return value;
  }

  protected override async runInFunction(scope: CancelScope): Promise<T> {
    const limit = this.#begin(scope, scope.task);
    let value: T;
    try {
      value = await runBodyInFunction(this.#body, limit.timeout, scope);
    } catch (error) {
      scope[inside.forget](limit.reason);
      throw limit.endWith(error);
    }
    const killed = scope.wasToldBySignal(limit.reason);
    scope[inside.forget](limit.reason);
    // What ends well when its signal aborts has not ended by itself.
    if (killed) throw limit.endWith(limit.reason.toError());
    limit.end();
    return value;
  }

  override [inside.inWords](now?: number): string {
    return this.#timeout === null ? "timeout" : this.#timeout[inside.inWords](now);
  }

  #begin(host: CancelHost, task: Task<unknown>): Limit {
    return new Limit(this.#timeout = this.#createTimeout(), host, task);
  }

  #createTimeout(): Timeout {
    const loop = this.getLoop();
    const when = this.#isDelay && this.#time !== null ? loop.time() + this.#time : this.#time;
    return new Timeout(loop, when);
  }
}

/** A body whose time runs, and who is cancelled when it is up. */
class Limit {
  readonly timeout: Timeout;
  /** What the body is cancelled for at the deadline. */
  readonly reason: CancelReason = new CancelReason();
  /** What is cancelled. */
  readonly host: CancelHost;
  /** Cancellations from before. One that is due comes to the body as any other from outside. */
  readonly #cancelling: number;
  readonly #task: Task<unknown>;
  /** Names the task when its body goes on. */
  #patience: Handle | null = null;

  constructor(timeout: Timeout, host: CancelHost, task: Task<unknown>) {
    this.timeout = timeout;
    this.host = host;
    this.#task = task;
    this.#cancelling = host.cancelling() - host[inside.dueCount]();
    timeout[inside.enterBody](this);
  }

  /** The time is up. */
  interrupt(): void {
    const what = "A time limit has passed, and its body goes on";
    this.#patience = this.#task.getLoop()[inside.expectEnd](what, () => [this.#task]);
    this.host[inside.cancel](this.reason);
  }

  /** The body has ended by itself. */
  end(): void {
    if (this.#exit()) this.host.uncancel();
  }

  /** The body has thrown `error`. Returns what the caller gets. */
  endWith(error: unknown): unknown {
    if (!this.#exit()) return error;
    // A cancellation from outside, beside the one of the deadline, wins.
    return this.host.uncancel() <= this.#cancelling
      ? timedOut(error, this.timeout[inside.abortReason])
      : error;
  }

  /** The body has ended. Returns whether the deadline has passed. */
  #exit(): boolean {
    this.#patience?.cancel();
    return this.timeout[inside.exitBody]();
  }
}

function timeIsUp(): TimeoutError {
  return new TimeoutError("Cannot finish in time: the deadline has passed");
}

/**
 * What the caller gets for the `error` of a body whose time was up.
 *
 * @param aborted What the signal of the timeout has aborted with, if it was read.
 */
export function timedOut(error: unknown, aborted: unknown = null): unknown {
  if (!(error instanceof CancelledError) && (aborted === null || !isAbort(error, aborted))) {
    return error;
  }
  const timeoutError = timeIsUp();
  timeoutError.cause = error;
  return timeoutError;
}

function checkTime(name: string, time: unknown): void {
  if (time !== null) checkSeconds("start a timeout", name, time);
}
