// What a snapshot tells besides the words of waits: the graph, timers, and what is measured.
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  createTask,
  Event,
  type Future,
  gather,
  getRunningLoop,
  sleep,
  type SlowStep,
  taskGroup,
  type TaskSnapshot,
} from "../../../loop/mod.ts";
import { runVirtual, TestLoop } from "../_test_loop.ts";

/** The task of that name. */
function find(tasks: readonly TaskSnapshot[], name: string): TaskSnapshot {
  const found = tasks.find((task) => task.name === name);
  if (found === undefined) throw new Error(`There is no task ${name}`);
  return found;
}

Deno.test("snapshot() has a future once, however many await it, and layers of them take no time", async () => {
  await runVirtual(function* (loop) {
    const source = loop.createFuture<void>();
    let layer: Future<unknown>[] = [source];
    // Paths from the top to the source: 3 to the power of 40.
    for (let depth = 0; depth < 40; depth += 1) {
      const below = layer;
      layer = [1, 2, 3].map((index) =>
        createTask(() => gather(below), { name: `${depth}.${index}` })
      );
    }
    yield* sleep(0);
    yield* sleep(0);
    const { tasks, futures } = loop.snapshot();
    assertEquals(tasks.length, 121);
    const shared = futures.find((future) => future.what === "future");
    assertEquals(shared?.awaitedBy.length, 3);
    // Each future of a gathering stands for one task.
    assertEquals(futures.length, 121);
    source.setResult();
    yield* gather(layer);
  });
});

Deno.test("snapshot() has tasks that wait for each other in a circle, and a chain of 20,000", async () => {
  await runVirtual(function* (loop) {
    const circle: Future<unknown>[] = [];
    for (let index = 0; index < 3; index += 1) {
      circle.push(
        createTask(() => circle[(index + 1) % 3] as Future<unknown>, { name: `${index}` }),
      );
    }
    let last: Future<unknown> = loop.createFuture();
    for (let index = 0; index < 20_000; index += 1) {
      const inner = last;
      last = createTask(() => inner);
    }
    yield* sleep(0);
    yield* sleep(0);
    const { tasks } = loop.snapshot();
    assertEquals(tasks.length, 20_004);
    const [a, b, c] = ["0", "1", "2"].map((name) => find(tasks, name));
    assertEquals([a?.awaits, b?.awaits, c?.awaits], [[b?.id], [c?.id], [a?.id]]);
    assertEquals(a?.waitsFor, [`task "1"`]);
    circle[0]?.cancel();
    last.cancel();
    yield* gather([...circle, last], { returnExceptions: true });
  });
});

Deno.test("snapshot() says what is new, ready, running and cancelling, with numbers that stay", async () => {
  await runVirtual(function* (loop) {
    const event = new Event();
    createTask(() => event.wait(), { name: "woken" });
    const asked = createTask(async () => {
      try {
        await sleep(9);
      } finally {
        await sleep(1);
      }
    }, { name: "asked" });
    yield* sleep(0);
    const before = loop.snapshot();
    event.set();
    asked.cancel();
    createTask(() => {}, { name: "fresh" });
    const { tasks } = loop.snapshot();
    assertEquals(
      tasks.map(({ name, state, cancelling }) => [name, state, cancelling]),
      [
        ["Task-1", "running", 0],
        ["woken", "ready", 0],
        ["asked", "ready", 1],
        ["fresh", "new", 0],
      ],
    );
    assertEquals(tasks.slice(0, 3).map((task) => task.id), before.tasks.map((task) => task.id));
    yield* gather([asked], { returnExceptions: true });
  });
});

Deno.test("snapshot() lists the timers that fire first, and what they call", async () => {
  await runVirtual(function* (loop) {
    const timers = [];
    for (let index = 0; index < 1500; index += 1) {
      timers.push(loop.callLater(2000 - index, function tick() {}));
    }
    timers[1499]?.cancel();
    createTask(() => sleep(1), { name: "sleeper" });
    yield* sleep(0);
    const snapshot = loop.snapshot();
    assertEquals([snapshot.timerCount, snapshot.timers.length], [1500, 1000]);
    assertEquals(snapshot.timers.slice(0, 3).map((timer) => [timer.left, timer.callback]), [
      [1, "sleep 1 s left"],
      [502, "tick()"],
      [503, "tick()"],
    ]);
    assertEquals(snapshot.timers.at(-1)?.left, 1500);
    for (const timer of timers) timer.cancel();
    yield* sleep(2);
  });
});

Deno.test("snapshot() lists errors that nobody has looked at, and does not look at them", async () => {
  await runVirtual(function* (loop: TestLoop) {
    createTask(() => {
      throw new TypeError("secret");
    }, { name: "failed" });
    yield* sleep(0);
    yield* sleep(0);
    const { unretrieved } = loop.snapshot();
    assertEquals(unretrieved, [{ what: `task "failed"`, error: "TypeError" }]);
    yield* sleep(2);
    assertEquals(loop.takeMessages(), ["Task exception was never retrieved"]);
  });
});

Deno.test("snapshot() without measuring has no ages, no times and nothing that has ended", async () => {
  await runVirtual(function* (loop) {
    yield* createTask(() => sleep(1));
    const snapshot = loop.snapshot();
    assertEquals(loop.getMeasuring(), false);
    assertEquals([snapshot.measuredSince, snapshot.lag, snapshot.ended], [null, null, []]);
    assertEquals(snapshot.tasks.map(({ age, steps, busy }) => [age, steps, busy]), [[null, 0, 0]]);
  });
});

Deno.test("snapshot() with measuring has ages, steps, parents, and how tasks ended", async () => {
  await runVirtual(function* (loop: TestLoop) {
    loop.setMeasuring(true);
    const worker = createTask(async () => {
      await taskGroup(async (group) => {
        group.createTask(() => sleep(9), { name: "child" });
        await sleep(1);
        loop.clock.advance(0.25);
        await sleep(1);
      });
    }, { name: "worker" });
    createTask(() => {
      throw new RangeError("secret");
    }, { name: "failed" }).catch(() => {});
    const cancelled = createTask(() => sleep(9), { name: "cancelled" });
    yield* sleep(1.5);
    cancelled.cancel();
    yield* sleep(0.5);
    const snapshot = loop.snapshot();
    const [main, working, child] = ["Task-1", "worker", "child"].map((name) =>
      find(snapshot.tasks, name)
    );
    assertEquals([main?.age, working?.age, child?.age], [null, 2, 2]);
    assertEquals([child?.parent, child?.group], [working?.id, working?.id]);
    assertEquals([working?.steps, working?.busy, working?.longest], [2, 0.25, 0.25]);
    assertEquals(
      snapshot.ended.map(({ name, state, error, age }) => [name, state, error, age]),
      [["failed", "failed", "RangeError", 0], ["cancelled", "cancelled", null, 1.5]],
    );
    assertEquals([snapshot.endedCount, snapshot.busy], [2, 0.25]);
    assert(!JSON.stringify(snapshot).includes("secret"));
    loop.setMeasuring(false);
    assertEquals(loop.snapshot().measuredSince, null);
    yield* worker;
  });
});

Deno.test("snapshot() keeps the last hundred tasks that have ended, and says how late timers fire", async () => {
  await runVirtual(function* (loop: TestLoop) {
    loop.setMeasuring(true);
    for (let index = 0; index < 150; index += 1) {
      yield* createTask(() => {}, { name: `${index}` });
    }
    loop.callLater(1, () => loop.clock.advance(0.025));
    loop.callLater(1.01, () => {});
    yield* sleep(2);
    const { ended, endedCount, lag } = loop.snapshot();
    assertEquals([ended.length, endedCount], [100, 150]);
    assertEquals([ended[0]?.name, ended.at(-1)?.name], ["50", "149"]);
    const late = lag?.counts.slice(1) ?? [];
    assertEquals(late.reduce((sum, count) => sum + count, 0), 1);
    assertEquals(lag?.bounds[1 + late.indexOf(1)], 0.02);
    assert(Math.abs((lag?.longest ?? 0) - 0.015) < 1e-9);
  });
});

Deno.test("snapshot() in debug mode says where tasks were created, and where they wait", async () => {
  const loop = new TestLoop({ debug: true });
  await loop.runUntilComplete(function* () {
    function* inner(): Generator<unknown, void, unknown> {
      yield* sleep(1); // here
    }
    const coroutine = createTask(function* waits() {
      yield* inner();
    }, { name: "coroutine" });
    const helper = async () => await sleep(1);
    const asynchronous = createTask(async () => void await helper(), { name: "async" });
    yield* sleep(0);
    yield* sleep(0);
    const { tasks } = loop.snapshot();
    const line = (name: string) => find(tasks, name);
    assertMatch(line("coroutine").where ?? "", /^inner \(file:.*snapshot_test\.ts:\d+:\d+\)$/);
    assertMatch(line("async").where ?? "", /^helper \(file:.*snapshot_test\.ts:\d+:\d+\)$/);
    assertMatch(line("async").created ?? "", /snapshot_test\.ts:\d+:\d+/);
    yield* gather([coroutine, asynchronous]);
  });
  loop.close();
});

Deno.test("onSlowCallback() is told of each slow step and its task, until it is ended", async () => {
  await runVirtual(function* (loop: TestLoop) {
    const steps: SlowStep[] = [];
    const end = loop.onSlowCallback((step) => void steps.push(step));
    loop.callSoon(function tick() {
      loop.clock.advance(0.5);
    });
    yield* createTask(async () => {
      loop.clock.advance(0.125);
      await sleep(1);
      loop.clock.advance(0.25);
      await taskGroup(async (group) => {
        await group.createTask(() => sleep(1), { name: "quick" });
      });
      loop.clock.advance(0.75);
    }, { name: "worker" });
    end();
    assertEquals(loop.getMeasuring(), false);
    loop.callSoon(() => loop.clock.advance(1));
    yield* sleep(2);
    assertEquals(steps.map(({ what, task, seconds }) => [what, task, seconds]), [
      ["callback tick()", null, 0.5],
      [`task "worker"`, "worker", 0.125],
      [`task "worker"`, "worker", 0.25],
      [`task "worker"`, "worker", 0.75],
    ]);
    assertThrows(() => loop.onSlowCallback(5 as never), TypeError, "Cannot watch slow callbacks");
  });
});

Deno.test("onSlowCallback() reports a handler that throws, and goes on", async () => {
  await runVirtual(function* (loop: TestLoop) {
    const seen: string[] = [];
    loop.onSlowCallback(() => {
      throw new Error("bad handler");
    });
    loop.onSlowCallback((step) => void seen.push(step.what));
    loop.callSoon(function tick() {
      loop.clock.advance(1);
    });
    yield* sleep(0);
    yield* sleep(0);
    assertEquals(seen, ["callback tick()"]);
    assertEquals(loop.takeMessages(), ["Exception in a handler of slow callbacks"]);
    assertEquals(getRunningLoop().getMeasuring(), true);
  });
});
