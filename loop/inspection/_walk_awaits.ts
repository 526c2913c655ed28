import * as inside from "../inside.ts";
import type { EventLoop } from "../event_loop.ts";
import { type Future, peekWaiters } from "../tasks/future.ts";
import { Task } from "../tasks/task.ts";

/** Is told of a task or future, what it awaits, and whether any of that is visited as well. */
type Visit = (
  future: Future<unknown>,
  awaited: readonly Future<unknown>[],
  leads: boolean,
) => void;

/**
 * Visits the tasks of `loop`, then what they await that is a task, or awaits something itself, or is
 * awaited by several, and so on: each once, however many wait for it, and nothing recurses. What one
 * alone awaits, and awaits nothing, is told of by that one only: it is most of what there is.
 */
export function walkAwaits(loop: EventLoop, visit: Visit): void {
  const list = loop[inside.tasks];
  const others = new Set<Future<unknown>>();
  const look = (future: Future<unknown>) => {
    const awaited = future[inside.awaited]();
    let leads = false;
    for (const next of awaited) {
      if (isLeaf(next)) continue;
      leads = true;
      // What is added to a set is visited by who goes through it.
      if (!(next instanceof Task && list.has(next))) others.add(next);
    }
    visit(future, awaited, leads);
  };
  for (const task of list) look(task);
  for (const future of others) look(future);
}

/** Whether one alone awaits `future`, and it nothing. */
function isLeaf(future: Future<unknown>): boolean {
  return !(future instanceof Task) && !isShared(future) && future[inside.awaited]().length === 0;
}

/** Whether several wait for `future`. */
function isShared(future: Future<unknown>): boolean {
  const waiters = peekWaiters(future);
  // An operation has its first consumer apart.
  return waiters instanceof Set
    ? waiters.size > 0
    : waiters !== null && future[inside.resumesConsumer];
}
