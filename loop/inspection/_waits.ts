import * as inside from "../inside.ts";
import { argsOf } from "../scheduling/handle.ts";
import { CallerOperation } from "../structure/_caller_operation.ts";
import { CancelScope } from "../tasks/_cancel_scope.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Task } from "../tasks/task.ts";
import { inWords } from "../values/in_words.ts";

/** Waits that a text lists. */
const MOST_LISTED = 10;
/** How far a wait is followed through what it is part of. */
const DEEPEST = 16;

/** A deadline, and how it is told. */
interface Deadline {
  readonly when: number;
  readonly words: string;
}

/** What a deadline belongs to: a task, an operation of one, or the scope of an async function. */
type Host = object & { readonly [inside.task]?: Task<unknown> | null };

/** Says in words what tasks of one loop wait for. */
export class Waits {
  /** The deadlines that run in coroutines; an async function awaits its own. */
  readonly #deadlines: Map<object, Deadline[]> = new Map();

  readonly #now: number;

  constructor(loop: EventLoop, now: number = loop.time()) {
    this.#now = now;
    for (const timer of loop[inside.timers]) {
      const [subject] = argsOf(timer);
      const host = (subject as { [inside.cutsShort]?: object | null } | null | undefined)?.[
        inside.cutsShort
      ];
      if (host === undefined || host === null || host instanceof CancelScope) continue;
      const deadline = { when: timer.when(), words: inWords(subject as object, now) };
      const list = this.#deadlines.get(host);
      if (list === undefined) this.#deadlines.set(host, [deadline]);
      else list.push(deadline);
    }
  }

  /** What `task`, which awaits `awaited`, waits for: an async function may wait for several. */
  of(task: Task<unknown>, awaited: readonly Future<unknown>[] = task.awaiting()): string[] {
    const words: string[] = [];
    for (const future of awaited) {
      if (words.length === MOST_LISTED) {
        words.push(`and ${awaited.length - MOST_LISTED} more`);
        break;
      }
      words.push(this.#follow(future));
    }
    if (words.length === 0) words.push("a foreign promise");
    if (this.#deadlines.size === 0) return words;
    const deadlines = this.#deadlinesOf(task);
    return deadlines.length === 0 ? words : words.map((text) => [...deadlines, text].join(": "));
  }

  /** The task that `host` is, or is part of. */
  ownerOf(host: object): Task<unknown> | null {
    if (host instanceof CancelScope) return host.task;
    return host instanceof Task ? host : (host as Host)[inside.task] ?? null;
  }

  /** The deadlines of what `host` runs, from the outer to the inner: those are mostly sooner. */
  #deadlinesOf(host: object): string[] {
    const list = this.#deadlines.get(host);
    if (list === undefined) return [];
    return list.toSorted((a, b) => b.when - a.when).map((deadline) => deadline.words);
  }

  /** The wait for `future`, through the blocks and operations that are part of the caller. */
  #follow(future: Future<unknown>): string {
    if (!(future instanceof CallerOperation) && this.#deadlines.size === 0) {
      const own = future[inside.inWords](this.#now);
      if (own !== null) return own;
    }
    const words: string[] = [];
    let next = future;
    for (let depth = 0; depth < DEEPEST; depth += 1) {
      words.push(...this.#deadlinesOf(next));
      const own = next[inside.inWords](this.#now);
      if (own !== null) words.push(own);
      const isBlock = next instanceof CallerOperation;
      if (own !== null && !isBlock) break;
      const inner = next[inside.awaited]();
      if (inner.length === 1) next = inner[0] as Future<unknown>;
      else {
        if (inner.length === 0) {
          words.push(isBlock ? "a foreign promise" : inWords(next, this.#now));
        } else words.push(listInWords(inner, this.#now));
        break;
      }
    }
    return words.join(": ");
  }
}

function listInWords(futures: readonly Future<unknown>[], now: number): string {
  const words = futures.slice(0, MOST_LISTED).map((future) => inWords(future, now));
  if (futures.length > MOST_LISTED) words.push(`${futures.length - MOST_LISTED} more`);
  return words.join(" and ");
}
