// What the inspector warns of, from snapshots of a loop in virtual time.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  allTasks,
  createTask,
  currentTask,
  Event,
  type Future,
  gather,
  getRunningLoop,
  Queue,
  sleep,
  wait,
} from "../../loop/mod.ts";
import { findCircles } from "../../inspector/_circles.ts";
import { type Warning, Watch } from "../../inspector/_warnings.ts";
import { runVirtual, type TestLoop } from "../loop/_test_loop.ts";
import { simulate } from "../../simulation/mod.ts";
import {
  plantDeadConsumer,
  plantDeadlock,
  plantGrowingQueue,
  plantPausedConnection,
} from "./_programs.ts";

/** Seconds from look to look, and in which each mistake has to be told. */
const [INTERVAL, BOUND] = [0.25, 2];

/** Looks at `loop` a few times a second for `seconds`. Gives the warnings of the last look. */
function* watch(loop: TestLoop, seconds: number): Generator<unknown, string[], unknown> {
  const watching = new Watch();
  loop.setMeasuring(true);
  let texts: string[] = [];
  for (let look = 0; look * INTERVAL <= seconds; look += 1) {
    const warnings = watching.look(loop.snapshot());
    texts = warnings.map(({ kind, text }) => `${kind}: ${text}`);
    yield* sleep(INTERVAL);
  }
  return texts;
}

Deno.test("findCircles() finds each circle once, in a graph of any size", () => {
  const edges: Record<number, number[]> = {
    1: [2],
    2: [3],
    3: [1],
    4: [4],
    5: [1, 6],
    6: [],
    7: [8],
    8: [7],
  };
  const nodes = Object.entries(edges).map(([id, awaits]) => ({ id: Number(id), awaits }));
  const sorted = findCircles(nodes).map((circle) => circle.sort((a, b) => a - b));
  assertEquals(sorted.sort(), [[1, 2, 3], [4], [7, 8]]);
  const chain = Array.from({ length: 100_000 }, (_, id) => ({ id, awaits: [(id + 1) % 100_000] }));
  assertEquals(findCircles(chain)[0]?.length, 100_000);
});

/** Looks at the running loop until there is a warning of `kind`; gives the seconds since the plant. */
async function secondsUntil(kind: Warning["kind"], offset: number): Promise<number> {
  const loop = getRunningLoop();
  const watching = new Watch();
  const start = loop.time();
  watching.look(loop.snapshot());
  await sleep(offset);
  while (!watching.look(loop.snapshot()).some((warning) => warning.kind === kind)) {
    if (loop.time() - start > 5 * BOUND) return Infinity;
    await sleep(INTERVAL);
  }
  return loop.time() - start;
}

for (
  const [kind, plant] of [
    ["circle", plantDeadlock],
    ["queue", plantGrowingQueue],
    ["queue", plantDeadConsumer],
    ["paused", plantPausedConnection],
  ] as const
) {
  Deno.test(`${plant.name}() gives a warning of kind ${kind} within two seconds, whenever the looks are`, async () => {
    for (const offset of [0.001, 0.1, INTERVAL]) {
      let seconds = Infinity;
      await simulate(async (sim) => {
        sim.loop.setMeasuring(true);
        await plant();
        seconds = await secondsUntil(kind, offset);
      });
      // A look may be late, by what the loop is busy with.
      assert(seconds <= BOUND - INTERVAL, `It took ${seconds} s`);
    }
  });
}

Deno.test("tasks that wait for each other at locks are a circle", () =>
  runVirtual(function* (loop) {
    loop.setMeasuring(true);
    plantDeadlock();
    const texts = yield* watch(loop, 1);
    assertEquals(texts, [`circle: Tasks "ann" and "bob" wait for each other in a circle`]);
    yield* endAll(loop);
  }));

Deno.test("a step that takes long, and a task that hardly ever waits, are told", () =>
  runVirtual(function* (loop) {
    const busy = createTask(async () => {
      for (;;) {
        loop.clock.advance(0.09);
        await sleep(0.01);
      }
    }, { name: "busy" });
    createTask(async () => {
      await sleep(1);
      loop.clock.advance(0.5);
    }, { name: "slow" });
    const texts = yield* watch(loop, 3);
    assertEquals(texts.length, 2);
    assertEquals(texts[0], `slow: Task "slow" held up everybody else for 500 ms`);
    assertMatch(
      texts[1] ?? "",
      /^busy: Task "busy" hardly ever waits: it runs \d\d % of the time$/,
    );
    busy.cancel();
    yield* wait([busy]);
  }));

Deno.test("a queue that only grows is told, and one that is emptied is not", () =>
  runVirtual(function* (loop) {
    loop.setMeasuring(true);
    const [grows, lives] = [new Queue<number>(), new Queue<number>()];
    const producer = createTask(async () => {
      for (;;) {
        grows.putNowait(1);
        lives.putNowait(1);
        if (lives.size > 5) { while (!lives.empty()) lives.getNowait(); }
        await sleep(0.05);
      }
    });
    const texts = yield* watch(loop, 3);
    assertEquals(texts.length, 1);
    assertMatch(texts[0] ?? "", /^queue: Queue \(\d+\) only grows, by 20 items a second$/);
    producer.cancel();
    yield* wait([producer]);
  }));

Deno.test("a queue that is full is told with who waits, and not where something is taken from it", () =>
  runVirtual(function* (loop) {
    loop.setMeasuring(true);
    plantDeadConsumer();
    const slow = new Queue<number>({ maxSize: 2 });
    createTask(async () => {
      for (;;) await slow.put(1);
    }, { name: "feeder" });
    createTask(async () => {
      for await (const _ of slow) await sleep(0.9);
    }, { name: "eater" });
    const watching = new Watch();
    let told: Warning[] = [];
    for (let look = 0; look < 12; look += 1) {
      told = watching.look(loop.snapshot());
      assert(told.every(({ text }) => !text.includes("of 2")), JSON.stringify(told));
      yield* sleep(INTERVAL);
    }
    const { tasks } = loop.snapshot();
    const producer = tasks.find(({ name }) => name === "producer");
    assertEquals(told, [{
      kind: "queue",
      text: "Queue (10 of 10) is full, and nothing was taken from it for 2 s",
      tasks: [producer?.id ?? 0],
    }]);
    yield* endAll(loop);
  }));

Deno.test("a future that nobody sets, and an error that nobody looks at, are told", () =>
  runVirtual(function* (loop: TestLoop) {
    loop.unretrievedErrorDelay = 60;
    const waiter = createTask(() => loop.createFuture(), { name: "waiter" });
    const failed = createTask(() => {
      throw new RangeError("secret");
    }, { name: "failed" });
    assertEquals((yield* watch(loop, 5)).length, 1);
    const texts = yield* watch(loop, 12);
    assertEquals(texts, [
      `unset: Task "waiter" has waited for 12 s for a future that nobody has set`,
      `unretrieved: Task "failed" has failed with RangeError, and nobody has looked at it`,
    ]);
    failed.exception();
    waiter.cancel();
    yield* wait([waiter]);
  }));

Deno.test("tasks of a loop that nothing can wake are stuck", async () => {
  // Looked at from outside of the loop, as the inspector does.
  const snapshots = await runVirtual(async (loop) => {
    const event = new Event();
    createTask(() => event.wait(), { name: "waiter" });
    const other: Future<unknown> = createTask(() => gather([event.wait()]), { name: "other" });
    await sleep(1);
    const snapshot = loop.snapshot();
    event.set();
    await other;
    return snapshot;
  });
  const still = {
    ...snapshots,
    timerCount: 0,
    timers: [],
    tasks: snapshots.tasks.filter((task) => task.name !== "Task-1"),
  };
  const watching = new Watch();
  assertEquals(watching.look(still), []);
  const warnings = watching.look({ ...still, time: still.time + 1 });
  assertEquals(warnings.map(({ text }) => text), [
    `Nothing on the loop can go on: "waiter" and "other" wait for each other, or for what nobody will do`,
  ]);
  assertEquals(watching.look({ ...still, time: still.time + 2, timerCount: 1 }), []);
});

/** Ends what a test has planted. */
function* endAll(loop: TestLoop): Generator<unknown, void, unknown> {
  const tasks = [...allTasks(loop)].filter((task) => task !== currentTask());
  for (const task of tasks) task.cancel();
  yield* wait(tasks);
}
