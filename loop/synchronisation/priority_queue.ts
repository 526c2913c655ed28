import { Heap } from "./_heap.ts";
import { PRIORITY_QUEUE } from "../values/_options.ts";
import { describe } from "../values/_describe.ts";
import { checkOptions } from "../values/check_options.ts";
import { Queue, type QueueOptions } from "./queue.ts";

/**
 * Settings of a {@linkcode PriorityQueue}.
 *
 * @category Synchronisation
 */
export interface PriorityQueueOptions<T> extends QueueOptions {
  /** Orders the items, as for `Array.sort()`. By `<` by default, arrays element by element. */
  compare?: ((a: T, b: T) => number) | undefined;
}

/**
 * A {@linkcode Queue} that gives the smallest item first. As `asyncio.PriorityQueue`.
 *
 * @category Synchronisation
 *
 * @example Pairs of priority and value, as in Python
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PriorityQueue } from "@gyre/asyncio";
 *
 * const queue = new PriorityQueue<[number, string]>();
 * queue.putNowait([10, "later"]);
 * queue.putNowait([2, "first"]);
 * assertEquals(queue.getNowait(), [2, "first"]);
 * ```
 */
export class PriorityQueue<T> extends Queue<T> {
  /** Creates an empty queue. */
  constructor(options: PriorityQueueOptions<T> = {}) {
    checkOptions("create a queue", options, PRIORITY_QUEUE);
    const { compare = compareItems, ...ofAnyQueue } = options;
    super(ofAnyQueue, new Heap<T>(compare));
  }
}

/**
 * Orders items as {@linkcode compareNaturally} does.
 *
 * @throws {TypeError} If one is an object that `<` knows nothing of.
 */
function compareItems(a: unknown, b: unknown): number {
  for (const item of [a, b]) {
    if (hasOrder(item)) continue;
    throw new TypeError(
      `Cannot order the items of a queue: ${describe(item)} is no number, text or list; ` +
        "give compare, or put lists as in [priority, item]",
    );
  }
  return compareNaturally(a, b);
}

/** Whether `<` finds a number or a text in `value`. */
function hasOrder(value: unknown): boolean {
  if (typeof value === "function") return false;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return true;
  return Symbol.toPrimitive in value || value.toString !== Object.prototype.toString ||
    typeof value.valueOf() !== "object";
}

/** Orders by `<`; arrays by their first differing element, then the shorter first. */
function compareNaturally(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.min(a.length, b.length);
    for (let index = 0; index < length; index += 1) {
      const order = compareNaturally(a[index], b[index]);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}
