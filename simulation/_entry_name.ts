import { callbackOf, describeCallback, Handle } from "../loop/scheduling/handle.ts";
import type { Runnable } from "../loop/scheduling/ready_queue.ts";
import { Task } from "../loop/tasks/task.ts";
import { threadOf } from "../loop/tasks/thread_of.ts";

/** Names `entry` in a trace: the task that goes on, or the callback. */
export function nameEntry(entry: Runnable): string {
  if (entry instanceof Handle) {
    const callback = callbackOf(entry);
    return callback === null ? "cancelled callback" : `callback ${describeCallback(callback)}`;
  }
  const thread = threadOf(entry);
  if (thread instanceof Task) return `task ${thread.getName()}`;
  return `step ${entry.constructor.name}`;
}
