import { Heap } from "./_heap.ts";
import { PRIORITY_QUEUE } from "../values/_options.ts";
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
    const { compare = compareNaturally, ...ofAnyQueue } = options;
    super(ofAnyQueue, new Heap<T>(compare));
  }
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
