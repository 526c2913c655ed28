import { CancelledError } from "../../loop/errors/errors.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";

/** Waits for what `start` gives; aborting `signal` cancels it, and throws the signal's reason. */
export function* interruptedBy<T>(
  signal: AbortSignal | undefined,
  start: () => Future<T>,
): Coroutine<T> {
  signal?.throwIfAborted();
  const future = start();
  const cancel = () => future.cancel();
  signal?.addEventListener("abort", cancel);
  try {
    return yield* future;
  } catch (error) {
    if (error instanceof CancelledError && signal?.aborted) throw signal.reason;
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}
