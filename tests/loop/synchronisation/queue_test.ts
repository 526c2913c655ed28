// The rows L07 and L08: Queue, PriorityQueue, LifoQueue and their shutdown.
import { assertEquals, assertThrows } from "@std/assert";
import {
  CancelledError,
  createTask,
  InvalidStateError,
  LifoQueue,
  PriorityQueue,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  sleep,
  type Task,
} from "../../../loop/mod.ts";
import { type Kind, KINDS, rejectionOf } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

function getTask<T>(kind: Kind, queue: Queue<T>): Task<T> {
  if (kind === "async function") return createTask(async () => await queue.get());
  return createTask(function* () {
    return yield* queue.get();
  });
}

function putTask<T>(kind: Kind, queue: Queue<T>, item: T): Task<void> {
  if (kind === "async function") return createTask(async () => await queue.put(item));
  return createTask(function* () {
    yield* queue.put(item);
  });
}

/** Takes all items of `queue`. */
function drain<T>(queue: Queue<T>): T[] {
  return Array.from({ length: queue.size }, () => queue.getNowait());
}

for (const kind of KINDS) {
  Deno.test(`L07 Queue gives an item to the next ${kind} when the getter it woke is cancelled`, async () => {
    await runVirtual(async () => {
      const queue = new Queue<string>();
      const [first, second] = [getTask(kind, queue), getTask(kind, queue)];
      await sleep(0);
      queue.putNowait("item");
      first.cancel();
      await rejectionOf(first);
      assertEquals(await second, "item");
    });
  });

  Deno.test(`L07 Queue gives room to the next ${kind} when the putter it woke is cancelled`, async () => {
    await runVirtual(async () => {
      const queue = new Queue<number>({ maxSize: 1 });
      queue.putNowait(1);
      const [first, second] = [putTask(kind, queue, 2), putTask(kind, queue, 3)];
      await sleep(0);
      assertEquals([queue.size, queue.full()], [1, true]);
      queue.getNowait();
      first.cancel();
      await rejectionOf(first);
      await second;
      assertEquals(queue.getNowait(), 3);
    });
  });

  Deno.test(`L08 Queue.shutdown() ends each ${kind} that waits to put or to get`, async () => {
    await runVirtual(async () => {
      const full = new Queue<number>({ maxSize: 2 });
      full.putNowait(1);
      full.putNowait(2);
      const putting = putTask(kind, full, 3);
      const empty = new Queue<number>();
      const getting = getTask(kind, empty);
      await sleep(0);
      full.shutdown();
      empty.shutdown();
      for (const task of [putting, getting]) {
        assertEquals(await rejectionOf(task) instanceof QueueShutDown, true);
      }
      assertEquals([await full.get(), await full.get()], [1, 2]);
      for (const operation of [full.get(), full.put(1), empty.get(), empty.put(1)]) {
        assertEquals(await rejectionOf(operation) instanceof QueueShutDown, true);
      }
    });
  });
}

Deno.test("L07 Queue.getNowait() and putNowait() throw when the queue is empty or full", () => {
  const queue = new Queue<number>({ maxSize: 1 });
  assertThrows(() => queue.getNowait(), QueueEmpty, "Cannot get from a queue: it is empty");
  queue.putNowait(1);
  assertThrows(() => queue.putNowait(2), QueueFull, "Cannot put into a queue: it is full");
});

Deno.test("L07 Queue.join() waits until each item is reported done, and not once more", async () => {
  await runVirtual(function* () {
    const queue = new Queue<string>();
    for (const item of "abc") queue.putNowait(item);
    const joining = createTask(() => queue.join());
    yield* sleep(0);
    for (const _ of "abc") {
      queue.getNowait();
      assertEquals(joining.done(), false);
      queue.taskDone();
      yield* sleep(0);
    }
    yield* sleep(0);
    assertEquals(joining.done(), true);
    assertThrows(() => queue.taskDone(), InvalidStateError, "all are done");
  });
});

Deno.test("L07 Queue.get() of an item, or put() with room, does not suspend", async () => {
  await runVirtual(function* (loop) {
    const queue = new Queue<number>({ maxSize: 1 });
    const before = loop.statistics().iterations;
    yield* queue.put(1);
    assertEquals(yield* queue.get(), 1);
    assertEquals(loop.statistics().iterations, before);
  });
});

Deno.test("L07 PriorityQueue gives the smallest first, LifoQueue the newest", () => {
  const priority = new PriorityQueue<[number, string]>();
  for (const item of [[3, "c"], [1, "a"], [2, "b"]] as [number, string][]) priority.putNowait(item);
  assertEquals(drain(priority), [[1, "a"], [2, "b"], [3, "c"]]);

  const longest = new PriorityQueue<string>({ compare: (a, b) => b.length - a.length });
  for (const item of ["a", "ccc", "bb"]) longest.putNowait(item);
  assertEquals(drain(longest), ["ccc", "bb", "a"]);

  const lifo = new LifoQueue<number>({ maxSize: 3 });
  for (const item of [1, 2, 3]) lifo.putNowait(item);
  assertEquals([lifo.full(), drain(lifo)], [true, [3, 2, 1]]);
});

Deno.test("PriorityQueue refuses a second item without an order, and keeps the first", () => {
  for (const wrong of [{ priority: 1 }, Object.create(null), () => 1]) {
    const queue = new PriorityQueue<unknown>();
    queue.putNowait({ priority: 2 });
    assertThrows(() => queue.putNowait(wrong), TypeError, "Cannot order the items of a queue");
    assertEquals([queue.size, queue.getNowait()], [1, { priority: 2 }]);
  }
});

Deno.test("PriorityQueue orders dates, and objects with a text or a number, as < does", () => {
  const dates = new PriorityQueue<Date>();
  for (const time of [3, 1, 2]) dates.putNowait(new Date(time));
  assertEquals(drain(dates).map(Number), [1, 2, 3]);

  const objects = new PriorityQueue<object>();
  const create = (level: number) => ({ level, valueOf: () => level });
  for (const level of [3, 1, 2]) objects.putNowait(create(level));
  assertEquals(drain(objects).map((object) => (object as { level: number }).level), [1, 2, 3]);
});

Deno.test("PriorityQueue is as before when compare throws as something is put", () => {
  const queue = new PriorityQueue<number>({
    compare: (a, b) => {
      if (a === 0 && b === 2) throw new Error("planted");
      return a - b;
    },
  });
  for (const item of [2, 3, 4, 5]) queue.putNowait(item);
  assertThrows(() => queue.putNowait(0), Error, "planted");
  assertEquals([queue.size, drain(queue)], [4, [2, 3, 4, 5]]);
});

Deno.test("L08 Queue.shutdown() makes getNowait() and putNowait() throw, and may be called twice", () => {
  const queue = new Queue<number>();
  queue.putNowait(1);
  queue.shutdown();
  assertThrows(() => queue.putNowait(2), QueueShutDown, "Cannot put into a queue: it is shut down");
  assertEquals(queue.getNowait(), 1);
  assertThrows(() => queue.getNowait(), QueueShutDown, "Cannot get from a queue: it is shut down");
  queue.shutdown();
  queue.shutdown({ immediate: true });
});

Deno.test("L08 Queue.shutdown() at once drops the items, and join() waits only for those taken", async () => {
  await runVirtual(async () => {
    const dropped = new Queue<number>();
    dropped.putNowait(1);
    dropped.putNowait(2);
    const joining = createTask(() => dropped.join());
    await sleep(0);
    dropped.shutdown({ immediate: true });
    await joining;
    assertEquals(dropped.size, 0);

    const taken = new Queue<number>();
    taken.putNowait(1);
    taken.putNowait(2);
    taken.getNowait();
    taken.shutdown({ immediate: true });
    const waiting = createTask(() => taken.join());
    await sleep(1);
    assertEquals(waiting.done(), false);
    taken.taskDone();
    await waiting;
  });
});

Deno.test("L07 Queue refuses a size that is no number, and takes any below one as no limit", () => {
  for (const maxSize of [NaN, 1.5]) {
    assertThrows(
      () => new Queue({ maxSize: maxSize as number }),
      RangeError,
      'Cannot create a queue: option "maxSize" must be a whole number',
    );
  }
  const endless = new Queue<number>({ maxSize: -1 });
  for (let item = 0; item < 100; item += 1) endless.putNowait(item);
  assertEquals([endless.full(), endless.maxSize], [false, -1]);
});

Deno.test("Queue is iterated until it is shut down and empty, in order, waiting for items", async () => {
  for (const immediate of [false, true]) {
    const got = await runVirtual(async () => {
      const queue = new Queue<number>();
      const got: unknown[] = [];
      const consumer = createTask(async () => {
        for await (const item of queue) got.push(item);
        got.push("end");
      });
      await sleep(1);
      queue.putNowait(1);
      await sleep(1);
      queue.putNowait(2);
      queue.putNowait(3);
      queue.shutdown({ immediate });
      await consumer;
      return got;
    });
    assertEquals(got, immediate ? [1, "end"] : [1, 2, 3, "end"]);
  }
});

Deno.test("Queue iterated by several tasks gives each item to one, and ends them all", async () => {
  await runVirtual(async () => {
    const queue = new PriorityQueue<number>();
    const got: number[] = [];
    const consumers = [1, 2, 3].map(() =>
      createTask(async () => {
        for await (const item of queue) {
          got.push(item);
          await sleep(1);
        }
      })
    );
    await sleep(0);
    for (const item of [5, 1, 4, 2, 3]) queue.putNowait(item);
    queue.shutdown();
    for (const consumer of consumers) await consumer;
    assertEquals(got.toSorted(), [1, 2, 3, 4, 5]);
  });
});

Deno.test("Queue keeps its items when a task that iterates it is cancelled or breaks off", async () => {
  await runVirtual(async () => {
    const queue = new Queue<number>();
    const consumer = createTask(async () => {
      for await (const _ of queue);
    });
    await sleep(0);
    consumer.cancel();
    queue.putNowait(1);
    queue.putNowait(2);
    const error = await consumer.catch((error) => error);
    assertEquals([error instanceof CancelledError, consumer.cancelled()], [true, true]);
    for await (const item of queue) {
      assertEquals(item, 1);
      break;
    }
    assertEquals(queue.getNowait(), 2);
  });
});

Deno.test("Queue iterated gives items that are promises or futures as they are", async () => {
  await runVirtual(async () => {
    const queue = new Queue<Promise<number>>();
    const items = [Promise.resolve(1), sleep(3600, 2)];
    for (const item of items) queue.putNowait(item);
    queue.shutdown();
    const iterator = queue[Symbol.asyncIterator]();
    for (const item of items) {
      const { value } = await iterator.next();
      assertEquals(value === item, true);
    }
    (items[1] as ReturnType<typeof sleep>).cancel();
    assertEquals(await iterator.next(), { done: true, value: undefined });
  });
});
