/**
 * Which of the awaits inside an async function is one that the function itself waits at.
 *
 * *Theory of operation.* The loser of a race, or a helper that nobody awaits, still waits for
 * something after the function has gone on. Only the engine knows who waits for whom: it follows
 * the promises when it records the stack of an error. So what a task or a block runs is awaited
 * by one function, {@linkcode followPath}, and a stack from within an await that reaches it
 * belongs to the path. Such a stack is recorded for a cancellation only. The engine does not see
 * through a promise that two wait for, and through callbacks of the user: then it says no. So do we
 * for `Promise.any()`, which keeps the error to itself as long as others may give a value.
 *
 * @module
 */
import { afterTick, afterTurn } from "../scheduling/deno_ticks.ts";

/** Awaits `promise`, and tells how it ended. This is the end of a path. */
export async function followPath<T>(
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
}

/** Stands behind {@linkcode followPath} in the stack. Before it nothing is recorded. */
export async function holdPath(path: Promise<void>): Promise<void> {
  await path;
}

/**
 * Whether the await whose `then()` the engine calls right now is on a path that
 * {@linkcode holdPath} holds.
 */
export function isOnPath(): boolean {
  const errors = Error as { prepareStackTrace?: unknown; stackTraceLimit: number };
  const { prepareStackTrace, stackTraceLimit } = errors;
  try {
    errors.prepareStackTrace = giveFrames;
    errors.stackTraceLimit = 1;
    // Leaves out all frames up to the end of the path.
    if (framesBehind(followPath).length === 0) return false;
    errors.stackTraceLimit = Infinity;
    return !framesBehind(isOnPath).some(isPromiseAny);
  } finally {
    errors.stackTraceLimit = stackTraceLimit;
    errors.prepareStackTrace = prepareStackTrace;
  }
}

/** One call in a stack, as the engine describes it. */
interface Frame {
  isAsync(): boolean;
  getTypeName(): string | null;
  getFunctionName(): string | null;
}

function giveFrames(_error: unknown, frames: readonly Frame[]): readonly Frame[] {
  return frames;
}

/** The calls that wait for the innermost one of `fn`. */
function framesBehind(fn: unknown): readonly Frame[] {
  const holder: { stack?: readonly Frame[] } = {};
  Error.captureStackTrace(holder, fn as () => void);
  return holder.stack ?? [];
}

function isPromiseAny(frame: Frame): boolean {
  // The name comes first: nearly always it is enough, and each question costs.
  return frame.getFunctionName() === "any" && frame.isAsync() && frame.getTypeName() === "Promise";
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

/**
 * Calls `open` when a function that `teller` told just now may go on, and `close` when it had time
 * to.
 */
export async function afterArrival(
  teller: Teller,
  open: () => void,
  close: () => void,
): Promise<void> {
  for (let hop = 0; hop < HOPS; hop += 1) {
    await undefined;
    if (hop + 1 === SOONEST[teller]) open();
  }
  const ticks = teller === "await" ? 0 : TICKS;
  for (let tick = 0; tick < ticks; tick += 1) await afterTick();
  const turns = teller === "recent signal" ? TURNS : 0;
  for (let turn = 0; turn < turns; turn += 1) await afterTurn();
  close();
}
