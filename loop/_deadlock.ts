import { DeadlockError } from "./errors.ts";
import type { EventLoop } from "./event_loop.ts";
import { Future, nameOf } from "./future.ts";
import { Task } from "./task.ts";

/** Tasks that the message names. */
const MOST_NAMED = 20;

/** Returns the error of a loop that nothing can wake; it says who waits for what. */
export function createDeadlockError(loop: EventLoop): DeadlockError {
  const tasks = [...loop.tasks];
  const waits = tasks.slice(0, MOST_NAMED).map(describeWait);
  if (tasks.length > MOST_NAMED) waits.push(`and ${tasks.length - MOST_NAMED} more tasks`);
  const state = waits.length === 0 ? "it has no task and no timer" : waits.join("; ");
  return new DeadlockError(`Cannot go on as nothing can wake the event loop: ${state}`);
}

function describeWait(task: Task<unknown>): string {
  const awaited = task.awaiting().map(describeAwaited);
  return `${nameOf(task)} waits for ${awaited.join(" and ") || "a foreign promise"}`;
}

/** Names what is awaited in the end, past operations that only pass it on. */
function describeAwaited(future: Future<unknown>): string {
  if (future instanceof Task) return nameOf(future);
  const inner = future._awaited();
  if (inner.length > 0) return inner.map(describeAwaited).join(" and ");
  return future.constructor === Future ? "a future" : future.constructor.name;
}
