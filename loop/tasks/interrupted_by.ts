import * as inside from "../inside.ts";
import { current } from "../scheduling/_current.ts";
import type { CoroutineHost } from "./_consumer.ts";
import { CancelledError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "./future.ts";
import { startOperation } from "./start_operation.ts";
import type { Coroutine } from "./task.ts";

/**
 * Gives what `start` gives; with a `signal` as an operation that aborting it cancels, with its reason
 * as the cause. It throws the reason then, as `fetch()` does: nobody has cancelled the caller.
 */
export function interruptedBy<T>(
  loop: EventLoop,
  signal: AbortSignal | undefined,
  start: () => Future<T>,
): Future<T> {
  return signal === undefined ? start() : startOperation(loop, interruptedSteps(signal, start));
}

function* interruptedSteps<T>(
  signal: AbortSignal,
  start: () => Future<T>,
): Coroutine<T> {
  signal.throwIfAborted();
  const asked = countAsked();
  const future = start();
  const cancel = () => future.cancel(undefined, { cause: signal.reason });
  signal.addEventListener("abort", cancel);
  try {
    return yield* future;
  } catch (error) {
    // A cancellation of the caller, beside the one of the signal, wins.
    if (error instanceof CancelledError && signal.aborted && asked() === 0) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Returns how many cancellations of the caller have come from now on, and are not due still. */
function countAsked(): () => number {
  const host = current.operation as CoroutineHost;
  const count = () => host.cancelling() - host[inside.dueCount]();
  const before = count();
  return () => count() - before;
}
