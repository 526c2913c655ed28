import { assertEquals, assertThrows } from "@std/assert";
import {
  ContextVar,
  createTask,
  currentTask,
  EventLoop,
  getRunningLoop,
  InvalidStateError,
  sleep,
} from "../../loop/mod.ts";
import { TestLoop } from "./_test_loop.ts";
import { VirtualClock } from "./_virtual_clock.ts";

Deno.test("several loops run at once, each with its own callbacks, timers and tasks", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  async function run(name: string, delay: number): Promise<void> {
    const loop = new TestLoop({ clock });
    await loop.runUntilComplete(async () => {
      for (let turn = 0; turn < 2; turn += 1) {
        await sleep(delay);
        assertEquals(loop === (getRunningLoop() as EventLoop), true);
        assertEquals((currentTask()?.getLoop() as EventLoop) === loop, true);
        log.push(`${name} at ${loop.time()}`);
      }
    });
    loop.close();
  }

  await Promise.all([run("A", 2), run("B", 3)]);

  assertEquals(log, ["A at 2", "B at 3", "A at 4", "B at 6"]);
});

Deno.test("getRunningLoop() throws where no loop runs, also while one waits", async () => {
  const loop = new TestLoop();
  assertThrows(() => getRunningLoop(), InvalidStateError, "no event loop is running here");

  const future = loop.createFuture<void>();
  const run = loop.runUntilComplete(future);
  await Promise.resolve();
  assertEquals(loop.isRunning(), true);
  assertThrows(() => getRunningLoop(), InvalidStateError);
  assertEquals(currentTask(), null);

  future.setResult();
  await run;
  loop.close();
});

Deno.test("a loop that a callback of another one starts leaves that callback undisturbed", async () => {
  const variable = new ContextVar("variable", { default: "default" });
  const outer = new TestLoop();
  const inner = new TestLoop();
  inner.callSoon(() => variable.set("inner"));
  const log: unknown[] = [];
  let run: Promise<void> = Promise.resolve();
  outer.callSoon(() => {
    variable.set("outer");
    inner.stop();
    run = inner.runForever();
    log.push(variable.get(), outer === (getRunningLoop() as EventLoop));
    outer.callSoon(() => log.push(variable.get()));
  });
  outer.callSoon(() => log.push(variable.get()));

  await outer.runReady();
  await run;

  assertEquals(log, ["outer", true, "default", "outer"]);
  outer.close();
  inner.close();
});

Deno.test("a task can run another loop and wait for its result", async () => {
  const clock = new VirtualClock();
  const outer = new TestLoop({ clock });
  const result = await outer.runUntilComplete(async () => {
    const main = currentTask();
    const inner = new TestLoop({ clock });
    const value = await inner.runUntilComplete(async () => {
      assertEquals(inner === (getRunningLoop() as EventLoop), true);
      return await sleep(5, "inner");
    });
    inner.close();
    assertEquals(currentTask() === main, true);
    assertEquals(outer === (getRunningLoop() as EventLoop), true);
    return `${value} at ${await sleep(1, outer.time())}`;
  });

  assertEquals(result, "inner at 5");
  outer.close();
});

Deno.test("a loop that a task runs is not part of that task", async () => {
  const clock = new VirtualClock();
  const outer = new TestLoop({ clock });
  const seen: unknown[] = [];
  await outer.runUntilComplete(async () => {
    const inner = new TestLoop({ clock });
    inner.callSoon(async () => {
      await Promise.resolve();
      seen.push(currentTask());
    });
    inner.callLater(1, () => inner.stop());
    await inner.runForever();
    inner.close();
  });

  assertEquals(seen, [null]);
  outer.close();
});

Deno.test("callSoonThreadsafe() wakes a loop that waits", async () => {
  const loop = new EventLoop();
  const run = loop.runForever();
  await new Promise((resolve) => setTimeout(resolve, 1));

  loop.callSoonThreadsafe(() => loop.stop());

  await run;
  loop.close();
});

Deno.test("a task of another loop can be created and cancelled from anywhere", async () => {
  const loop = new TestLoop();
  const run = loop.runForever();
  const task = createTask(() => sleep(3600), { loop });
  await Promise.resolve();

  task.cancel("from outside");
  const error = await task.catch((reason) => reason as Error);
  loop.stop();
  await run;

  assertEquals((error as Error).message, "from outside");
  loop.close();
});
