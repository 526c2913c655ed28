// How the loop takes turns with the host, and how events of the host enter it.
import * as inside from "../../../loop/inside.ts";
import { setImmediate } from "node:timers";
import { assertEquals, assertRejects } from "@std/assert";
import {
  ContextVar,
  createTask,
  currentTask,
  EventLoop,
  getRunningLoop,
  InvalidStateError,
  sleep,
} from "../../../loop/mod.ts";
import { TestLoop } from "../_test_loop.ts";

/** Work that never leaves the loop without something to do. */
const BUSY: Record<string, (loop: EventLoop, isOver: () => boolean) => void> = {
  "a callSoon() that schedules itself"(loop, isOver) {
    const again = () => void (isOver() || loop.callSoon(again));
    again();
  },
  "a callLater(0) that schedules itself"(loop, isOver) {
    const again = () => void (isOver() || loop.callLater(0, again));
    again();
  },
  "a callLater() of a microsecond that schedules itself"(loop, isOver) {
    const again = () => void (isOver() || loop.callLater(1e-6, again));
    again();
  },
  "a coroutine that sleeps zero seconds for ever"(loop, isOver) {
    loop.createTask(function* () {
      while (!isOver()) yield* sleep(0);
    });
  },
  "an async function that sleeps zero seconds for ever"(loop, isOver) {
    loop.createTask(async () => {
      while (!isOver()) await sleep(0);
    });
  },
};

for (const [name, start] of Object.entries(BUSY)) {
  Deno.test(`the host gets its turn beside ${name}`, async () => {
    const loop = new EventLoop();
    const seen: string[] = [];
    const { port1, port2 } = new MessageChannel();
    const note = (event: string) => {
      seen.push(event);
      if (seen.length === 3) loop.stop();
    };
    start(loop, () => seen.length === 3);
    setTimeout(() => note("timer of the host"), 1);
    port1.onmessage = () => note("message");
    port2.postMessage("hello");
    loop.callLater(0.002, note, "timer of the loop");

    await loop.runForever();

    port1.close();
    port2.close();
    loop.close();
    assertEquals(seen.sort(), ["message", "timer of the host", "timer of the loop"]);
  });
}

Deno.test("native promises go on between two iterations", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callSoon(() => {
    log.push("first");
    Promise.resolve().then(() => log.push("promise"));
    loop.callSoon(() => {
      log.push("second");
      loop.stop();
    });
  });

  await loop.runForever();

  assertEquals(log, ["first", "promise", "second"]);
  loop.close();
});

Deno.test("stop() ends a run that waits, from inside or outside of the loop", async () => {
  const loop = new TestLoop();
  const run = loop.runForever();
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(loop.isRunning(), true);

  loop.stop();
  await run;

  assertEquals(loop.isRunning(), false);
  loop.close();
});

Deno.test("a loop can run again after it stopped, with what was left", async () => {
  const loop = new TestLoop();
  assertEquals(await loop.runUntilComplete(() => sleep(1, "first")), "first");
  const task = loop.createTask(() => sleep(5, "left"));

  assertEquals(await loop.runUntilComplete(() => sleep(1, "second")), "second");
  assertEquals(task.done(), false);

  assertEquals(await loop.runUntilComplete(task), "left");
  assertEquals(loop.time(), 6);
  loop.close();
});

Deno.test("a run that was stopped early leaves nothing behind that stops a later one", async () => {
  const loop = new TestLoop();
  const task = loop.createTask(() => sleep(5));
  loop.callLater(1, () => loop.stop());
  await assertRejects(() => loop.runUntilComplete(task), InvalidStateError);

  assertEquals(
    await loop.runUntilComplete(() => sleep(10, "not stopped at 5")),
    "not stopped at 5",
  );

  assertEquals(loop.time(), 11);
  loop.close();
});

Deno.test("EventLoop.statistics() counts iterations, callbacks and pending timers", async () => {
  const loop = new TestLoop();
  const timer = loop.callLater(10, () => {});
  loop.callSoon(() => {});
  loop.callSoon(() => {});
  assertEquals(loop.statistics(), { iterations: 0, callbacks: 0, timers: 1 });

  await loop.runOnce();
  await loop.runOnce();
  timer.cancel();

  assertEquals(loop.statistics(), { iterations: 2, callbacks: 2, timers: 0 });
  loop.close();
});

/** Starts `loop` and lets it come to where it waits. */
async function startIdle(loop: TestLoop): Promise<{ run: Promise<void> }> {
  const run = loop.runForever();
  await new Promise((resolve) => setImmediate(resolve));
  return { run };
}

Deno.test("EventLoop.enter() runs an entry at once while the loop waits", async () => {
  const loop = new TestLoop();
  const { run } = await startIdle(loop);
  const log: unknown[] = [];
  const before = loop.statistics().iterations;

  loop[inside.enter]({
    [inside.run]: () => log.push(loop === (getRunningLoop() as EventLoop), currentTask()),
  });

  assertEquals(log, [true, null]);
  assertEquals(loop.statistics().iterations, before + 1);
  loop.stop();
  await run;
  loop.close();
});

Deno.test("EventLoop.enter() takes its turn behind what is ready while the loop is busy", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callSoon(() => {
    loop.callSoon(() => log.push("callback"));
    loop[inside.enter]({ [inside.run]: () => log.push("event") });
    log.push("entered");
  });

  await loop.runReady();

  assertEquals(log, ["entered", "callback", "event"]);
  loop.close();
});

Deno.test("EventLoop.enter() inside of an entry does not nest", async () => {
  const loop = new TestLoop();
  const { run } = await startIdle(loop);
  const log: string[] = [];

  loop[inside.enter]({
    [inside.run]: () => {
      loop[inside.enter]({ [inside.run]: () => log.push("second") });
      log.push("first");
    },
  });
  await new Promise((resolve) => setImmediate(resolve));

  assertEquals(log, ["first", "second"]);
  loop.stop();
  await run;
  loop.close();
});

Deno.test("EventLoop.enter() wakes the loop for what its entry schedules", async () => {
  const loop = new TestLoop();
  const { run } = await startIdle(loop);
  const log: string[] = [];

  loop[inside.enter]({
    [inside.run]: () => {
      loop.callSoon(() => log.push("callback"));
      loop.callLater(5, () => {
        log.push(`timer at ${loop.time()}`);
        loop.stop();
      });
    },
  });
  await run;

  assertEquals(log, ["callback", "timer at 5"]);
  loop.close();
});

Deno.test("EventLoop.enter() from an async function of a task is part of no task", async () => {
  const loop = new TestLoop();
  const variable = new ContextVar("variable", { default: "default" });
  const seen: unknown[] = [];
  await loop.runUntilComplete(async () => {
    variable.set("of the task");
    await new Promise((resolve) => setImmediate(resolve));
    loop[inside.enter]({ [inside.run]: () => seen.push(currentTask(), variable.get()) });
    await sleep(1);
  });

  assertEquals(seen, [null, "default"]);
  loop.close();
});

Deno.test("EventLoop.enter() and enqueue() of a closed loop do nothing", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.close();

  loop[inside.enter]({ [inside.run]: () => log.push("entered") });
  loop[inside.enqueue]({ [inside.run]: () => log.push("enqueued") });
  await Promise.resolve();

  assertEquals(log, []);
});

Deno.test("an entry that breaks the rule and throws ends the run, and leaves no loop running", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop[inside.enqueue]({
    [inside.run]() {
      throw new Error("our own bug");
    },
  });
  loop.callSoon(() => log.push("next"));

  await assertRejects(() => loop.runForever(), Error, "our own bug");

  assertEquals(loop.isRunning(), false);
  await assertRejects(
    // deno-lint-ignore require-await -- an async function turns the throw into a rejection.
    async () => getRunningLoop(),
    InvalidStateError,
  );
  await loop.runOnce();
  assertEquals(log, ["next"]);
  loop.close();
});

Deno.test("a timer added by a callback of the host shortens the wait", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callLater(100, () => loop.stop());
  const { run } = await startIdleWithTimer(loop);
  await run;
  assertEquals(log, ["short at 1", "long"]);
  loop.close();

  function startIdleWithTimer(of: TestLoop): { run: Promise<void> } {
    const running = of.runForever().then(() => void log.push("long"));
    of.callLater(1, () => log.push(`short at ${of.time()}`));
    return { run: running };
  }
});

Deno.test("a rejection that a cancelled task left floating is not unhandled while a loop runs", async () => {
  const loop = new EventLoop();
  await loop.runUntilComplete(async () => {
    const task = createTask(async () => {
      void (async () => {
        await sleep(3600);
      })();
      await sleep(3600);
    });
    await sleep(0);
    task.cancel();
    await task.catch(() => {});
    // The host looks for unhandled rejections after its microtasks.
    await new Promise((resolve) => setImmediate(resolve));
  });
  loop.close();
});
