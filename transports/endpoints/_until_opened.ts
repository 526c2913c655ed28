import type { Future } from "../../loop/tasks/future.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";

/** Waits until `transport` has called `connectionMade`. If that fails or is cancelled, aborts it. */
export function* untilOpened<T extends { abort(): void }>(
  transport: T,
  opened: Future<void>,
): Coroutine<T> {
  try {
    yield* opened;
  } catch (error) {
    transport.abort();
    throw error;
  }
  return transport;
}
