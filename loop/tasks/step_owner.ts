import * as inside from "../inside.ts";
import { NativeAwait } from "./_native_await.ts";
import type { Consumer } from "./_consumer.ts";
import type { Runnable } from "../scheduling/_runnable.ts";

/**
 * Returns what `entry` of a ready queue is a step of: a task, or an operation that no task waits
 * for. `null` for the loop's own: callbacks, and the steps of transports. Steps of one thread keep
 * their order in every schedule.
 */
export function stepOwner(entry: Runnable): object | null {
  const root = (entry as Partial<Consumer>)[inside.root]?.() ?? null;
  return root instanceof NativeAwait ? root.task : root;
}
