import { Queue, type QueueOptions, type QueueStore } from "./queue.ts";

/**
 * A {@linkcode Queue} that gives the newest item first. As `asyncio.LifoQueue`.
 *
 * @category Synchronisation
 *
 * @example The newest first
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LifoQueue } from "@gyre/asyncio";
 *
 * const queue = new LifoQueue<number>();
 * queue.putNowait(1);
 * queue.putNowait(2);
 * assertEquals(queue.getNowait(), 2);
 * ```
 */
export class LifoQueue<T> extends Queue<T> {
  /** Creates an empty queue. */
  constructor(options: QueueOptions = {}) {
    super(options, new Stack());
  }
}

/** Last in, first out. */
class Stack<T> implements QueueStore<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T {
    return this.#items.pop() as T;
  }
}
