import { callbackOf, describeCallback, Handle } from "../loop/scheduling/handle.ts";
import type { Runnable } from "../loop/scheduling/ready_queue.ts";
import { Task } from "../loop/tasks/task.ts";
import { stepOwner } from "../loop/tasks/step_owner.ts";

/** Names `entry` in a trace: the task that goes on, or the callback. */
export function nameEntry(entry: Runnable): string {
  if (entry instanceof Handle) {
    const callback = callbackOf(entry);
    return callback === null ? "cancelled callback" : `callback ${describeCallback(callback)}`;
  }
  const thread = stepOwner(entry);
  if (thread instanceof Task) return `task ${thread.getName()}`;
  return `step ${entry.constructor.name}`;
}
