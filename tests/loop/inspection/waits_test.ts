// What a snapshot says that a task waits for: each kind of wait, in both kinds of bodies.
import { assert, assertEquals } from "@std/assert";
import {
  asCompleted,
  Barrier,
  BoundedSemaphore,
  Condition,
  type Coroutine,
  createTask,
  Event,
  type Future,
  gather,
  LifoQueue,
  Lock,
  type LoopSnapshot,
  PriorityQueue,
  Queue,
  Semaphore,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  timeoutAt,
  wait,
  waitFor,
} from "../../../loop/mod.ts";
import { KINDS } from "../_outcome.ts";
import { runVirtual, type TestLoop } from "../_test_loop.ts";

/** A kind of wait: begins it, and gives what is awaited. */
interface Wait {
  readonly name: string;
  readonly begin: (loop: TestLoop) => Future<unknown>;
  readonly words: string;
  /** The names of the tasks that are awaited, through whatever stands between. */
  readonly tasks?: readonly string[];
}

const child = (name: string): Task<unknown> => createTask(() => sleep(5), { name });

/** Fills `queue`, and gives it. */
function filled<Q extends Queue<number>>(queue: Q): Q {
  while (!queue.full()) queue.putNowait(1);
  return queue;
}

/** Takes `lock` for good, and gives it. */
function taken<L extends Lock | Semaphore>(lock: L): L {
  lock.acquire();
  return lock;
}

const WAITS: readonly Wait[] = [
  { name: "sleep", begin: () => sleep(2.4), words: "sleep 2.4 s left" },
  {
    name: "lock",
    begin: () => taken(new Lock()).acquire(),
    words: "lock.acquire of Lock (locked, 1 waiting)",
  },
  {
    name: "event",
    begin: () => new Event().wait(),
    words: "event.wait of Event (unset, 1 waiting)",
  },
  {
    name: "condition",
    begin: () => {
      const condition = new Condition();
      condition.acquire();
      return condition.wait();
    },
    words: "condition.wait of Condition (1 waiting)",
  },
  {
    name: "condition with a predicate",
    begin: () => {
      const condition = new Condition();
      condition.acquire();
      return condition.waitFor(() => false);
    },
    words: "condition.waitFor of Condition (1 waiting)",
  },
  {
    name: "semaphore",
    begin: () => taken(new Semaphore(1)).acquire(),
    words: "semaphore.acquire of Semaphore (0 free, 1 waiting)",
  },
  {
    name: "bounded semaphore",
    begin: () => taken(new BoundedSemaphore(1)).acquire(),
    words: "semaphore.acquire of BoundedSemaphore (0 free, 1 waiting)",
  },
  {
    name: "barrier",
    begin: () => new Barrier(3).wait(),
    words: "barrier.wait of Barrier (1 of 3)",
  },
  {
    name: "queue get",
    begin: () => new Queue({ maxSize: 5 }).get(),
    words: "queue.get of Queue (0 of 5)",
  },
  {
    name: "queue get, without a limit",
    begin: () => new PriorityQueue<number>().get(),
    words: "queue.get of PriorityQueue (0)",
  },
  {
    name: "queue put",
    begin: () => filled(new LifoQueue<number>({ maxSize: 2 })).put(1),
    words: "queue.put of LifoQueue (2 of 2)",
  },
  {
    name: "queue join",
    begin: () => filled(new Queue<number>({ maxSize: 2 })).join(),
    words: "queue.join of Queue (2 unfinished)",
  },
  { name: "future", begin: (loop) => loop.createFuture(), words: "future" },
  { name: "task", begin: () => child("db"), words: `task "db"`, tasks: ["db"] },
  {
    name: "gather",
    begin: () => gather([child("a"), child("b"), 3 as never].slice(0, 2)),
    words: "gather of 2 (2 left)",
    tasks: ["a", "b"],
  },
  {
    name: "wait",
    begin: () => wait([child("a"), child("b")], { timeout: 9 }),
    words: "wait for 2 (2 left, 9 s left)",
    tasks: ["a", "b"],
  },
  {
    name: "asCompleted",
    begin: () => asCompleted([child("a"), child("b")]).next().value as Future<unknown>,
    words: "asCompleted (2 left)",
    tasks: ["a", "b"],
  },
  { name: "shield", begin: () => shield(child("a")), words: `shield of task "a"`, tasks: ["a"] },
  {
    name: "timeout",
    begin: () => timeout(9, () => sleep(5)),
    words: "timeout 9 s left: sleep 5 s left",
  },
  {
    name: "timeoutAt",
    begin: (loop) => timeoutAt(loop.time() + 9, () => child("a")),
    words: `timeout 9 s left: task "a"`,
    tasks: ["a"],
  },
  {
    name: "timeouts in each other",
    begin: () => timeout(9, () => timeout(8, () => sleep(5))),
    words: "timeout 9 s left: timeout 8 s left: sleep 5 s left",
  },
  {
    name: "timeout of an async function",
    begin: () => timeout(9, async () => void await child("a")),
    words: `timeout 9 s left: task "a"`,
    tasks: ["a"],
  },
  {
    name: "waitFor",
    begin: () => waitFor(child("a"), 9),
    words: `timeout 9 s left: task "a"`,
    tasks: ["a"],
  },
];

/** The snapshot of a second later in which the task "waiter" awaits `wait`. */
async function snapshotOf(kind: string, wait: Wait): Promise<LoopSnapshot> {
  return await runVirtual(function* (loop) {
    const body = kind === "coroutine"
      ? function* (): Coroutine<void> {
        yield* wait.begin(loop);
      }
      : async () => void await wait.begin(loop);
    const waiter = createTask(body, { name: "waiter" });
    yield* sleep(0);
    yield* sleep(0);
    const snapshot = loop.snapshot();
    assertEquals(JSON.parse(JSON.stringify(snapshot)), snapshot);
    waiter.cancel();
    for (const task of [...loop.snapshot().tasks].slice(1)) assert(task.name !== "");
    yield* wait_(waiter);
    return snapshot;
  });
}

/** Waits until `task` has ended, and those that it has left. */
function* wait_(task: Task<unknown>): Coroutine<void> {
  yield* wait([task]);
  yield* sleep(10);
}

/** The names of the tasks that `task` awaits, through futures. */
function awaitedTasks({ tasks, futures }: LoopSnapshot, name: string): string[] {
  const nodes = new Map([...tasks, ...futures].map((node) => [node.id, node]));
  const open = tasks.filter((task) => task.name === name).flatMap((task) => task.awaits);
  const found: string[] = [];
  for (const id of open) {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`There is no ${id}`);
    if ("name" in node) found.push(node.name);
    else open.push(...node.awaits);
  }
  return found.sort();
}

for (const kind of KINDS) {
  for (const wait of WAITS) {
    Deno.test(`snapshot() says that ${kind} waits for ${wait.name}, and who is awaited`, async () => {
      const snapshot = await snapshotOf(kind, wait);
      const waiter = snapshot.tasks.find((task) => task.name === "waiter");
      assertEquals(waiter?.waitsFor, [wait.words]);
      assertEquals([waiter?.state, waiter?.body], ["waiting", kind]);
      assertEquals(awaitedTasks(snapshot, "waiter"), [...wait.tasks ?? []]);
      for (const node of [...snapshot.tasks, ...snapshot.futures]) {
        for (const id of node.awaits) {
          const other = [...snapshot.tasks, ...snapshot.futures].find((each) => each.id === id);
          assert(other?.awaitedBy.includes(node.id));
        }
      }
    });
  }

  Deno.test(`snapshot() says that ${kind} is in a task group and waits for its end`, async () => {
    await runVirtual(function* (loop) {
      const body = kind === "coroutine"
        ? function* (): Coroutine<void> {
          yield* taskGroup(function* (group): Coroutine<void> {
            group.createTask(() => sleep(5), { name: "child" });
            yield* sleep(1);
          });
        }
        : async () => {
          await taskGroup(async (group) => {
            group.createTask(() => sleep(5), { name: "child" });
            await sleep(1);
          });
        };
      const parent = createTask(body, { name: "parent" });
      yield* sleep(0.5);
      const inBody = loop.snapshot();
      yield* sleep(1);
      const atEnd = loop.snapshot();
      yield* parent;

      const find = (snapshot: LoopSnapshot, name: string) =>
        snapshot.tasks.find((task) => task.name === name);
      const prefix = kind === "coroutine" ? "" : "task group: ";
      assertEquals(find(inBody, "parent")?.waitsFor, [`${prefix}sleep 0.5 s left`]);
      assertEquals(find(atEnd, "parent")?.waitsFor, [`${prefix}task group (1 left)`]);
      for (const snapshot of [inBody, atEnd]) {
        assertEquals(find(snapshot, "child")?.group, find(snapshot, "parent")?.id);
      }
      assertEquals(awaitedTasks(atEnd, "parent"), ["child"]);
    });
  });
}

Deno.test("snapshot() says that an async function waits for a foreign promise, or for several futures", async () => {
  await runVirtual(function* (loop) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const foreign = createTask(() => promise, { name: "foreign" });
    const limited = createTask(() => timeout(9, () => promise), { name: "limited" });
    const several = createTask(
      async () => void await Promise.all([sleep(1), child("a")]),
      { name: "several" },
    );
    yield* sleep(0.5);
    const words = Object.fromEntries(
      loop.snapshot().tasks.map((task) => [task.name, task.waitsFor]),
    );
    assertEquals(words.foreign, ["a foreign promise"]);
    assertEquals(words.limited, ["timeout 8.5 s left: a foreign promise"]);
    assertEquals(words.several, ["sleep 0.5 s left", `task "a"`]);
    resolve();
    yield* gather([foreign, limited, several]);
  });
});

Deno.test("snapshot() says that consumers of asCompleted() in a for await loop wait for its futures", async () => {
  await runVirtual(function* (loop) {
    const consumer = createTask(async () => {
      for await (const done of asCompleted([child("a"), child("b")])) done.result();
    }, { name: "consumer" });
    yield* sleep(1);
    const snapshot = loop.snapshot();
    assertEquals(awaitedTasks(snapshot, "consumer"), ["a", "b"]);
    const found = snapshot.tasks.find((task) => task.name === "consumer");
    assertEquals(found?.waitsFor, ["asCompleted (2 left)"]);
    yield* consumer;
  });
});

Deno.test("snapshot() names who holds a lock where that is measured, and awaits its end", async () => {
  await runVirtual(function* (loop) {
    loop.setMeasuring(true);
    const [a, b] = [new Lock(), new Lock()];
    const take = (first: Lock, second: Lock, name: string) =>
      createTask(async () => {
        using _first = await first.acquire();
        await sleep(1);
        using _second = await second.acquire();
      }, { name });
    const tasks = [take(a, b, "ann"), take(b, a, "bob")];
    yield* sleep(2);
    const snapshot = loop.snapshot();
    const [ann, bob] = ["ann", "bob"].map((name) =>
      snapshot.tasks.find((task) => task.name === name)
    );
    assertEquals(ann?.waitsFor, [`lock.acquire of Lock (locked by task "bob", 1 waiting)`]);
    assertEquals(bob?.waitsFor, [`lock.acquire of Lock (locked by task "ann", 1 waiting)`]);
    assertEquals(awaitedTasks(snapshot, "ann")[0], "bob");
    tasks[0]?.cancel();
    yield* wait(tasks);
  });
});
