import { firesBefore, leaveQueue, type TimerHandle } from "./timer_handle.ts";

/** Cancelled timers stay in the heap until they are this many and half of it. */
const PURGE_MINIMUM = 64;

/**
 * Pending timers, earliest first: a binary heap by (deadline, sequence).
 *
 * A cancelled timer only counts; it leaves when it comes to the top or, all at once, when half
 * of the heap is cancelled. So cancelling takes constant time, and memory follows the live ones.
 */
export class TimerQueue {
  #heap: TimerHandle[] = [];
  #cancelled = 0;

  /** The earliest pending deadline, `Infinity` when there is none. */
  get deadline(): number {
    const heap = this.#heap;
    while (heap.length > 0 && (heap[0] as TimerHandle).cancelled()) {
      leaveQueue(this.#pop());
      this.#cancelled -= 1;
    }
    return heap.length === 0 ? Infinity : (heap[0] as TimerHandle).when();
  }

  /** How many timers are pending. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Returns the pending timers, in the order in which they fire. */
  list(): TimerHandle[] {
    const pending = this.#heap.filter((timer) => !timer.cancelled());
    return pending.sort((a, b) => firesBefore(a, b) ? -1 : 1);
  }

  /** Returns the timers that fire next, `most` at most, in their order. */
  first(most: number): TimerHandle[] {
    if (this.#heap.length <= most) return this.list();
    // What fires next is at the top of the heap, or below what was found.
    const found: TimerHandle[] = [];
    const open = [0];
    while (found.length < most && open.length > 0) {
      let best = 0;
      for (let place = 1; place < open.length; place += 1) {
        const timer = this.#heap[open[place] as number] as TimerHandle;
        if (firesBefore(timer, this.#heap[open[best] as number] as TimerHandle)) best = place;
      }
      const index = open[best] as number;
      open[best] = open.at(-1) as number;
      open.pop();
      const timer = this.#heap[index] as TimerHandle;
      if (!timer.cancelled()) found.push(timer);
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length) open.push(child);
      }
    }
    return found;
  }

  /** Goes over the pending timers, in any order. */
  *[Symbol.iterator](): Generator<TimerHandle, void, unknown> {
    for (const timer of this.#heap) if (!timer.cancelled()) yield timer;
  }

  /** Adds `timer`. */
  push(timer: TimerHandle): void {
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the earliest timer if its deadline is at or before `now`. */
  takeExpired(now: number): TimerHandle | null {
    if (this.deadline > now) return null;
    const timer = this.#pop();
    leaveQueue(timer);
    return timer;
  }

  /** A pending timer was cancelled. */
  noteCancelled(): void {
    this.#cancelled += 1;
    if (this.#cancelled >= PURGE_MINIMUM && this.#cancelled * 2 > this.#heap.length) this.#purge();
  }

  /** Removes all timers. */
  clear(): void {
    for (const timer of this.#heap) leaveQueue(timer);
    this.#heap = [];
    this.#cancelled = 0;
  }

  #purge(): void {
    const live: TimerHandle[] = [];
    for (const timer of this.#heap) {
      if (timer.cancelled()) leaveQueue(timer);
      else live.push(timer);
    }
    this.#cancelled -= this.#heap.length - live.length;
    this.#heap = live;
    for (let index = (live.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  #pop(): TimerHandle {
    const heap = this.#heap;
    const top = heap[0] as TimerHandle;
    const last = heap.pop() as TimerHandle;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink(0);
    }
    return top;
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const timer = heap[start] as TimerHandle;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as TimerHandle;
      if (!firesBefore(timer, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const timer = heap[start] as TimerHandle;
    const firstLeaf = heap.length >> 1;
    let index = start;
    while (index < firstLeaf) {
      let child = 2 * index + 1;
      const right = child + 1;
      if (
        right < heap.length && firesBefore(heap[right] as TimerHandle, heap[child] as TimerHandle)
      ) child = right;
      if (!firesBefore(heap[child] as TimerHandle, timer)) break;
      heap[index] = heap[child] as TimerHandle;
      index = child;
    }
    heap[index] = timer;
  }
}
