/**
 * Which of the awaits inside an async function is one that the function itself waits at.
 *
 * *Theory of operation.* The loser of a race, or a helper that nobody awaits, still waits for
 * something after the function has gone on. Only the engine knows who waits for whom: it follows
 * the promises when it records the stack of an error. So what a task or a block runs is awaited
 * by one function, {@linkcode followPath}, and a stack from within an await that reaches it
 * belongs to the path. Such a stack is recorded for a cancellation only; to record it costs little,
 * and to read it ten times as much, which waits until somebody has to know. The engine does not see
 * through a promise that two wait for, and through callbacks of the user: then it says no. So do we
 * for `Promise.any()`, which keeps the error to itself as long as others may give a value.
 *
 * @module
 */
import { afterTick, afterTurn } from "../scheduling/deno_ticks.ts";

/** The name of {@linkcode followPath} in a stack, which no function of a program has. */
const END = "the end of a path";

/** Awaits `promise`, and tells how it ended. This is the end of a path. */
export const followPath: <T>(
  promise: PromiseLike<T>,
  onValue: (value: T) => void,
  onError: (error: unknown) => void,
) => Promise<void> = {
  async "the end of a path"<T>(
    promise: PromiseLike<T>,
    onValue: (value: T) => void,
    onError: (error: unknown) => void,
  ): Promise<void> {
    let value: T;
    try {
      value = await promise;
    } catch (error) {
      return onError(error);
    }
    onValue(value);
  },
}[END];

/** The stack of an await, which is not read yet. */
export interface Trace {
  readonly stack?: readonly Frame[];
}

/** A function that is in a stack. */
export type Callee = Parameters<typeof Error.captureStackTrace>[1];

/** One call in a stack, as the engine describes it. */
interface Frame {
  isAsync(): boolean;
  getTypeName(): string | null;
  getFunctionName(): string | null;
}

const errors = Error as { prepareStackTrace?: unknown; stackTraceLimit: number };

/** More calls than a stack has. `Infinity`, which is no small integer, would cost thrice as much. */
const NO_LIMIT = 1_000_000;

/**
 * Records the stack of the await whose `then()` the engine calls right now.
 *
 * @param then What the engine calls; what this calls itself costs a microsecond to record.
 */
export function traceAwait(then: Callee = traceAwait): Trace {
  const { stackTraceLimit } = errors;
  const trace: Trace = {};
  errors.stackTraceLimit = NO_LIMIT;
  Error.captureStackTrace(trace, then);
  errors.stackTraceLimit = stackTraceLimit;
  return trace;
}

/** Whether the await of `trace` is on a path that {@linkcode followPath} is the end of. */
export function isOnPath(trace: Trace): boolean {
  const { prepareStackTrace } = errors;
  errors.prepareStackTrace = giveFrames;
  try {
    // The engine asks for the frames when the stack is read for the first time.
    for (const frame of trace.stack ?? []) {
      const name = frame.getFunctionName();
      if (name === END) return true;
      if (name === "any" && isPromiseAny(frame)) return false;
    }
    return false;
  } finally {
    errors.prepareStackTrace = prepareStackTrace;
  }
}

function giveFrames(_error: unknown, frames: readonly Frame[]): readonly Frame[] {
  return frames;
}

function isPromiseAny(frame: Frame): boolean {
  return frame.isAsync() && frame.getTypeName() === "Promise";
}

/** Microtasks in which a function that was told goes on to its next await, or ends. */
const HOPS = 32;

/** Ticks in which a stream of Node's says that it was aborted. */
const TICKS = 4;

/** Turns of the host in which `fetch` does. */
const TURNS = 3;

/**
 * Who tells a function that it is cancelled: an await of ours; or foreign code, because a signal has
 * aborted that the function has read before, or as the last thing that it did.
 */
export type Teller = "await" | "signal" | "recent signal";

/** When a function that is told now goes on. What comes sooner was on its way before. */
const SOONEST: Record<Teller, number> = { await: 2, signal: 1, "recent signal": 1 };

/** The time in which a function goes on that was told. */
export interface ArrivalWindow {
  /** Whether nobody needs it any more: the function has ended. */
  readonly isNeedless: boolean;
  /** The function may go on from now on. */
  open(): void;
  /** It had time to. */
  close(): void;
}

/** How many windows have not been closed. */
let windows = 0;

/** Whether any function at all may be on its way from what has told it. */
export function anyWindow(): boolean {
  return windows > 0;
}

/** Opens `window` when a function that `teller` told just now may go on, and closes it. */
export async function runWindow(teller: Teller, window: ArrivalWindow): Promise<void> {
  windows += 1;
  try {
    await passWindow(teller, window);
  } finally {
    windows -= 1;
  }
}

async function passWindow(teller: Teller, window: ArrivalWindow): Promise<void> {
  for (let hop = 0; hop < HOPS; hop += 1) {
    await undefined;
    if (window.isNeedless) return;
    if (hop + 1 === SOONEST[teller]) window.open();
  }
  const ticks = teller === "await" ? 0 : TICKS;
  for (let tick = 0; tick < ticks; tick += 1) await afterTick();
  const turns = teller === "recent signal" ? TURNS : 0;
  for (let turn = 0; turn < turns; turn += 1) await afterTurn();
  window.close();
}
