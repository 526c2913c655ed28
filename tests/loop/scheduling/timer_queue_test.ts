import { assertEquals } from "@std/assert";
import { TimerQueue } from "../../../loop/scheduling/_timer_queue.ts";
import { EventLoop, TimerHandle } from "../../../loop/mod.ts";

const loop = new EventLoop();

/** Returns a function that gives numbers from 0 up to `limit`, the same for each seed. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

/** Adds a timer, as the loop does. */
function push(queue: TimerQueue, when: number, sequence: number): TimerHandle {
  const timer = new TimerHandle(loop, when, sequence, () => {}, [], new Map(), queue);
  queue.push(timer);
  return timer;
}

/** What a {@linkcode TimerQueue} equals: a sorted array. */
class SortedTimers {
  #timers: { when: number; sequence: number; timer: TimerHandle }[] = [];

  get size(): number {
    return this.#timers.length;
  }

  get deadline(): number {
    return this.#timers[0]?.when ?? Infinity;
  }

  push(when: number, sequence: number, timer: TimerHandle): void {
    this.#timers.push({ when, sequence, timer });
    this.#timers.sort((a, b) => a.when - b.when || a.sequence - b.sequence);
  }

  takeExpired(now: number): TimerHandle | null {
    return this.deadline > now ? null : this.#timers.shift()?.timer ?? null;
  }

  remove(index: number): TimerHandle | null {
    return this.#timers.splice(index, 1)[0]?.timer ?? null;
  }
}

Deno.test("TimerQueue agrees with a sorted array over random operations", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = createRandom(seed);
    const queue = new TimerQueue();
    const sorted = new SortedTimers();
    // Few cancels keep the heap full of live timers, many make it purge again and again.
    const cancels = [1, 4, 9][seed % 3] ?? 1;
    for (let step = 0; step < 1000; step += 1) {
      const choice = random(12 + cancels);
      if (choice < 10) {
        const when = random(50);
        sorted.push(when, step, push(queue, when, step));
      } else if (choice < 12) {
        const now = random(50);
        assertEquals(queue.takeExpired(now) === sorted.takeExpired(now), true, `seed ${seed}`);
      } else sorted.remove(random(sorted.size))?.cancel();
      assertEquals(
        [queue.size, queue.deadline],
        [sorted.size, sorted.deadline],
        `seed ${seed}, step ${step}`,
      );
    }
    for (let left = sorted.size; left >= 0; left -= 1) {
      assertEquals(queue.takeExpired(50) === sorted.takeExpired(50), true, `seed ${seed}`);
    }
  }
});

Deno.test("TimerQueue without timers has the deadline Infinity and gives nothing", () => {
  const queue = new TimerQueue();

  assertEquals([queue.size, queue.deadline, queue.takeExpired(1e9)], [0, Infinity, null]);
});

Deno.test("TimerQueue gives a timer at its deadline and not before", () => {
  const queue = new TimerQueue();
  const timer = push(queue, 1, 0);

  assertEquals(queue.takeExpired(1 - Number.EPSILON), null);
  assertEquals(queue.takeExpired(1) === timer, true);
});

Deno.test("TimerQueue takes deadlines of Infinity and -Infinity", () => {
  const queue = new TimerQueue();
  push(queue, Infinity, 0);
  const first = push(queue, -Infinity, 1);

  assertEquals(queue.takeExpired(0) === first, true);
  assertEquals([queue.takeExpired(Number.MAX_VALUE), queue.size], [null, 1]);
});

Deno.test("TimerQueue.clear() forgets all timers, and cancelling them later counts nothing", () => {
  const queue = new TimerQueue();
  const timers = [1, 2, 3].map((when) => push(queue, when, when));
  timers[0]?.cancel();

  queue.clear();
  timers[1]?.cancel();
  push(queue, 5, 5);

  assertEquals([queue.size, queue.deadline], [1, 5]);
});
