// The row G09 of "gather / wait / shield": asCompleted().
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { asCompleted, createTask, sleep, TimeoutError } from "../../../loop/mod.ts";
import { brief, rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

Deno.test("G09 asCompleted() gives waits for the results in the order in which they come", async () => {
  await runVirtual(function* (loop) {
    const log: unknown[] = [];
    for (const next of asCompleted([sleep(3, "c"), sleep(1, "a"), sleep(2, "b")])) {
      log.push(yield* next, loop.time());
    }
    assertEquals(log, ["a", 1, "b", 2, "c", 3]);
  });
});

Deno.test("G09 asCompleted() in an async function gives the same", async () => {
  await runVirtual(async () => {
    const log: unknown[] = [];
    const bodies = [3, 1, 2].map((delay) => async () => await sleep(delay, delay));
    for (const next of asCompleted(bodies)) log.push(await next);
    assertEquals(log, [1, 2, 3]);
  });
});

Deno.test("G09 asCompleted() throws TimeoutError for each wait that is left at the limit", async () => {
  await runVirtual(function* (loop) {
    const log: unknown[] = [];
    const tasks = [1, 10, 10].map((delay) => createTask(() => sleep(delay, "value")));
    for (const next of asCompleted(tasks, { timeout: 2 })) {
      try {
        log.push(yield* next);
      } catch (error) {
        log.push(brief(error));
      }
    }
    assertEquals([log, loop.time()], [["value", "timeout", "timeout"], 2]);
    assertEquals(tasks.map((task) => task.done()), [true, false, false]);
  });
});

Deno.test("G09 asCompleted() with for await gives the futures themselves, done", async () => {
  await runVirtual(async () => {
    const tasks = [createTask(() => sleep(2, "x")), createTask(() => sleep(1, "y"))];
    const log: unknown[] = [];
    for await (const done of asCompleted(tasks)) {
      log.push(tasks.findIndex((task) => task === done), done.done(), await done);
    }
    assertEquals(log, [1, true, "y", 0, true, "x"]);
  });
});

Deno.test("asCompleted() has one type in every loop over it, whatever loops came before", async () => {
  await runVirtual(async () => {
    const lengths: number[] = [];
    const start = () => asCompleted([sleep(1, "a"), sleep(2, "bc")]);
    for await (const done of start()) lengths.push(done.result().length);
    for (const next of start()) lengths.push((await next).length);
    for await (const done of start()) lengths.push(done.result().length);
    for (const next of start()) lengths.push((await next).length);
    assertEquals(lengths, [1, 2, 1, 2, 1, 2, 1, 2]);
  });
});

Deno.test("G09 asCompleted() with for await throws TimeoutError at the limit", async () => {
  await runVirtual(async () => {
    await assertRejects(async () => {
      for await (const _ of asCompleted([sleep(10)], { timeout: 1 })) throw new Error("early");
    }, TimeoutError);
  });
});

Deno.test("G09 asCompleted() of nothing is over at once, and counts the same awaitable once", async () => {
  await runVirtual(async () => {
    assertEquals([...asCompleted([])], []);
    const task = createTask(() => sleep(1));
    const waits = [...asCompleted([task, task])];
    assertEquals(waits.length, 1);
    await waits[0];
  });
});

Deno.test("G09 asCompleted() throws the errors of its awaitables where they are awaited", async () => {
  await runVirtual(function* () {
    const fail = () => Promise.reject(new Error("planted"));
    for (const next of asCompleted([fail])) {
      assertEquals(brief(yield* caughtBy(next)), "planted");
    }
  });
});

Deno.test("asCompleted() reports no error before it was handed out", async () => {
  await runVirtual(async () => {
    const fail = async (delay: number) => {
      await sleep(delay);
      throw new Error(`after ${delay}`);
    };
    const log: string[] = [];
    for await (const done of asCompleted([() => fail(1), () => fail(1), () => fail(1)])) {
      await sleep(0.9);
      log.push(brief(await rejectionOf(done)));
    }
    assertEquals(log, ["after 1", "after 1", "after 1"]);
  });
});

Deno.test("asCompleted() whose wait is cancelled leaves the awaitables alone", async () => {
  await runVirtual(async () => {
    const inner = createTask(() => sleep(2, "value"));
    const task = createTask(async () => {
      for (const next of asCompleted([inner])) await next;
    });
    await sleep(1);
    task.cancel();
    assertInstanceOf(await rejectionOf(task), Error);
    assertEquals(await inner, "value");
  });
});

Deno.test("asCompleted() calls a function each time it is given", async () => {
  await runVirtual(async () => {
    let calls = 0;
    const call = () => ++calls;
    const results = [];
    for await (const done of asCompleted([call, call])) results.push(done.result());
    assertEquals(results, [1, 2]);
  });
});
