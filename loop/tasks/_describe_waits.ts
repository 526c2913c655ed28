import * as inside from "../inside.ts";
import { Future } from "./future.ts";
import { nameOf } from "./_name_of.ts";
import { Task } from "./task.ts";

/** Tasks that a message names. */
const MOST_NAMED = 20;

/** Says of each of `tasks` what it waits for; `""` of none. */
export function describeWaits(tasks: readonly Task<unknown>[]): string {
  const waits = tasks.slice(0, MOST_NAMED).map(describeWait);
  if (tasks.length > MOST_NAMED) waits.push(`and ${tasks.length - MOST_NAMED} more tasks`);
  return waits.join("; ");
}

function describeWait(task: Task<unknown>): string {
  const awaited = task.awaiting().map(describeAwaited);
  return `${nameOf(task)} waits for ${awaited.join(" and ") || "a foreign promise"}`;
}

/** Names what is awaited in the end, past operations that only pass it on. */
function describeAwaited(future: Future<unknown>): string {
  if (future instanceof Task) return nameOf(future);
  const inner = future[inside.awaited]();
  if (inner.length > 0) return inner.map(describeAwaited).join(" and ");
  return future.constructor === Future ? "a future" : future.constructor.name;
}
