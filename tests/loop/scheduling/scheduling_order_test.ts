// The rows S01 to S15 of "Scheduling order". S13 (a fatal exception leaves run_forever) has no
// counterpart: JavaScript has no SystemExit, every error of a callback goes to the handler.
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  type Coroutine,
  createTask,
  Event,
  type Future,
  gather,
  getRunningLoop,
  InvalidStateError,
  Lock,
  Queue,
  shield,
  sleep,
  taskGroup,
  wait,
  waitFor,
} from "../../../loop/mod.ts";
import { countIterations, runVirtual, TestLoop } from "../_test_loop.ts";

/** Returns a log and the function that adds to it. */
function createLog(): { log: string[]; note: (entry: string) => () => void } {
  const log: string[] = [];
  return { log, note: (entry) => () => void log.push(entry) };
}

/** A coroutine that never waits. */
function* noop(): Coroutine<void> {}

Deno.test("S01 callbacks run in order, and those that they schedule wait for the next iteration", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  for (const name of ["a", "b", "c"]) {
    loop.callSoon(() => {
      log.push(name);
      if (name !== "c") loop.callSoon(note(`${name}2`));
    });
  }
  loop.callSoon(() => loop.stop());

  await loop.runForever();
  assertEquals(log, ["a", "b", "c"]);

  await loop.runOnce();
  assertEquals(log, ["a", "b", "c", "a2", "b2"]);
  loop.close();
});

Deno.test("S02 stop() lets the current batch finish and leaves what it added to the next run", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  loop.callSoon(() => {
    log.push("1");
    loop.stop();
    loop.callSoon(note("late"));
  });
  loop.callSoon(note("2"));

  await loop.runForever();
  assertEquals(log, ["1", "2"]);

  await loop.runOnce();
  assertEquals(log, ["1", "2", "late"]);
  loop.close();
});

Deno.test("S03 stop() before runForever() lets exactly one iteration run", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  loop.callSoon(() => {
    log.push("x");
    loop.callSoon(note("y"));
  });
  loop.stop();

  await loop.runForever();

  assertEquals(log, ["x"]);
  loop.close();
});

Deno.test("S04 a timer that is due runs behind the callbacks that are ready", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  loop.callLater(0, note("t0"));
  loop.callSoon(() => {
    log.push("s");
    loop.callSoon(note("n"));
  });

  await loop.runReady();

  assertEquals(log, ["s", "t0", "n"]);
  loop.close();
});

Deno.test("S05 a cancelled handle never runs, also when an earlier callback of its batch cancels it", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  loop.callSoon(note("before the batch")).cancel();
  loop.callSoon(() => within.cancel());
  const within = loop.callSoon(note("within the batch"));
  loop.callSoon(note("last"));

  await loop.runOnce();

  assertEquals(log, ["last"]);
  assertEquals(within.cancelled(), true);
  loop.close();
});

Deno.test("S05 Handle.cancelled() is false after the call and true after a late cancel", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  const handle = loop.callSoon(note("ran"));

  await loop.runOnce();

  assertEquals(handle.cancelled(), false);
  handle.cancel();
  assertEquals(handle.cancelled(), true);
  assertEquals(log, ["ran"]);
  loop.close();
});

Deno.test("S06 a task starts in the next iteration, a coroutine where it is awaited", async () => {
  const log: string[] = [];
  // deno-lint-ignore require-yield -- it never suspends.
  function* say(text: string): Coroutine<void> {
    log.push(text);
  }

  await runVirtual(function* () {
    const task = createTask(say("task"));
    log.push("after-create");
    yield* say("coro");
    log.push("after-await-coro");
    yield* task;
    log.push("end");
  });

  assertEquals(log, ["after-create", "coro", "after-await-coro", "task", "end"]);
});

Deno.test("S07 two tasks that sleep(0) take turns", async () => {
  const log: string[] = [];
  function* worker(name: string): Coroutine<void> {
    for (let turn = 0; turn < 3; turn += 1) {
      log.push(`${name}${turn}`);
      yield* sleep(0);
    }
  }

  await runVirtual(function* () {
    const first = createTask(worker("A"));
    const second = createTask(worker("B"));
    yield* first;
    yield* second;
  });

  assertEquals(log, ["A0", "B0", "A1", "B1", "A2", "B2"]);
});

/** Whether a callback that is ready already runs while what `start` returns does. */
function* letsOthersRun(start: () => Future<unknown> | Coroutine<unknown>): Coroutine<boolean> {
  let ran = false;
  getRunningLoop().callSoon(() => ran = true);
  yield* start();
  const result = ran;
  yield* sleep(0);
  return result;
}

Deno.test("S08 yield* of a done future, a done task or a coroutine that never waits lets nobody run", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<number>();
    future.setResult(1);
    const task = createTask(noop());
    yield* task;

    assertEquals(yield* letsOthersRun(() => future), false);
    assertEquals(yield* letsOthersRun(() => task), false);
    assertEquals(yield* letsOthersRun(noop), false);
  });
});

Deno.test("S08 a set Event, a free Lock and a Queue with room or an item let nobody run", async () => {
  await runVirtual(function* () {
    const event = new Event();
    event.set();
    const lock = new Lock();
    const queue = new Queue<number>({ maxSize: 1 });

    assertEquals(yield* letsOthersRun(() => event.wait()), false);
    assertEquals(yield* letsOthersRun(() => lock.acquire()), false);
    assertEquals(yield* letsOthersRun(() => queue.put(1)), false);
    assertEquals(yield* letsOthersRun(() => queue.get()), false);
  });
});

Deno.test("S08 sleep(0) lets others run", async () => {
  await runVirtual(function* () {
    assertEquals(yield* letsOthersRun(() => sleep(0)), true);
  });
});

Deno.test("S09 sleep(0) takes one iteration, a coroutine none, a task two", async () => {
  await runVirtual(function* (loop) {
    function* sleeping(): Coroutine<void> {
      yield* sleep(0);
    }
    function* tasking(): Coroutine<void> {
      yield* createTask(noop());
    }
    function* taskOfTask(): Coroutine<void> {
      yield* createTask(tasking());
    }

    assertEquals(yield* countIterations(loop, sleeping()), 1);
    assertEquals(yield* countIterations(loop, noop()), 0);
    assertEquals(yield* countIterations(loop, tasking()), 2);
    assertEquals(yield* countIterations(loop, taskOfTask()), 4);
  });
});

Deno.test("S09 a future resolved by callSoon() takes two iterations", async () => {
  await runVirtual(function* (loop) {
    function* waiting(): Coroutine<void> {
      const future = loop.createFuture<number>();
      loop.callSoon(() => future.setResult(1));
      yield* future;
    }

    assertEquals(yield* countIterations(loop, waiting()), 2);
  });
});

Deno.test("S09 gather(), wait(), shield() and taskGroup() take three iterations, waitFor() none", async () => {
  await runVirtual(function* (loop) {
    function* gathering(count: number): Coroutine<void> {
      yield* gather(Array.from({ length: count }, () => noop()));
    }
    function* waiting(): Coroutine<void> {
      yield* wait([createTask(noop())]);
    }
    function* shielding(): Coroutine<void> {
      yield* shield(noop());
    }
    function* grouping(): Coroutine<void> {
      yield* taskGroup(function* (group) {
        group.createTask(noop());
      });
    }
    function* limiting(): Coroutine<void> {
      yield* waitFor(noop(), 1);
    }

    assertEquals(yield* countIterations(loop, gathering(1)), 3);
    assertEquals(yield* countIterations(loop, gathering(3)), 3);
    assertEquals(yield* countIterations(loop, waiting()), 3);
    assertEquals(yield* countIterations(loop, shielding()), 3);
    assertEquals(yield* countIterations(loop, grouping()), 3);
    assertEquals(yield* countIterations(loop, limiting()), 0);
  });
});

Deno.test("S10 callbacks and waiting tasks of a future go on in one order, in the next iteration", async () => {
  const log: string[] = [];
  await runVirtual(function* (loop) {
    const future = loop.createFuture<void>();
    function* waiter(name: string): Coroutine<void> {
      yield* future;
      log.push(name);
    }
    future.addDoneCallback(() => log.push("cb1"));
    createTask(waiter("w1"));
    createTask(waiter("w2"));
    yield* sleep(0);
    future.addDoneCallback(() => log.push("cb2"));

    loop.callSoon(() => log.push("before"));
    future.setResult();
    loop.callSoon(() => log.push("after"));
    log.push("sync-after-set");
    yield* sleep(0);
  });

  assertEquals(log, ["sync-after-set", "before", "cb1", "w1", "w2", "cb2", "after"]);
});

Deno.test("S12 an error in a callback goes to the handler and the next callback still runs", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  const error = new Error("planted");
  const handle = loop.callSoon(function failing() {
    throw error;
  });
  loop.callSoon(note("next"));

  await loop.runOnce();

  assertEquals(log, ["next"]);
  const [report] = loop.takeReports();
  assertEquals(Object.keys(report ?? {}).sort(), ["exception", "handle", "message"]);
  assertEquals(report?.message, "Exception in callback failing()");
  assertEquals(report?.exception, error);
  assertEquals(report?.handle, handle);
  loop.close();
});

Deno.test("S12 an error in a timer goes to the handler and the next timer still runs", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  const timer = loop.callLater(0.01, () => {
    throw new Error("planted");
  });
  loop.callLater(0.01, note("next"));
  loop.callLater(0.02, () => loop.stop());

  await loop.runForever();

  assertEquals(log, ["next"]);
  const [report] = loop.takeReports();
  assertEquals(report?.message, "Exception in callback (anonymous)");
  assertEquals(report?.handle, timer);
  loop.close();
});

Deno.test("S14 runUntilComplete() rejects if the loop stops before the future is done", async () => {
  const loop = new TestLoop();
  loop.callSoon(() => loop.stop());

  await assertRejects(
    () => loop.runUntilComplete(loop.createFuture()),
    InvalidStateError,
    "the loop stopped before",
  );

  loop.close();
});

Deno.test("S14 a running loop cannot be run again or closed, and goes on", async () => {
  const loop = new TestLoop();

  const result = await loop.runUntilComplete(async () => {
    await assertRejects(() => loop.runForever(), InvalidStateError, "it is running already");
    await assertRejects(
      () => loop.runUntilComplete(loop.createFuture()),
      InvalidStateError,
      "it is running already",
    );
    assertThrows(
      () => loop.close(),
      InvalidStateError,
      "Cannot close the event loop: it is running",
    );
    return "unharmed";
  });

  assertEquals(result, "unharmed");
  assertEquals(loop.isRunning(), false);
  loop.close();
});

// asyncio refuses "Cannot run the event loop while another loop is running"; here several loops
// run at once (several_loops_test.ts).

Deno.test("S15 a closed loop refuses callbacks, timers, tasks and runs", async () => {
  const loop = new TestLoop();
  loop.close();

  const refused: (() => unknown)[] = [
    () => loop.callSoon(() => {}),
    () => loop.callSoonThreadsafe(() => {}),
    () => loop.callLater(1, () => {}),
    () => loop.callAt(1, () => {}),
    () => loop.createTask(noop()),
    () => loop.createTask(() => {}),
  ];
  for (const refuse of refused) {
    assertThrows(refuse, InvalidStateError, "the event loop is closed");
  }
  await assertRejects(() => loop.runForever(), InvalidStateError, "it is closed");
  await assertRejects(() => loop.runUntilComplete(noop()), InvalidStateError, "closed");
});

Deno.test("S15 EventLoop.close() drops pending callbacks and can be called twice", async () => {
  const { log, note } = createLog();
  const loop = new TestLoop();
  loop.callSoon(note("callback"));
  loop.callLater(0, note("timer"));

  loop.close();
  loop.close();
  await Promise.resolve();

  assertEquals(loop.isClosed(), true);
  assertEquals(log, []);
  const error = await loop.runForever().catch((reason) => reason);
  assertInstanceOf(error, InvalidStateError);
});
