// The row G10 of "gather / wait / shield": waitFor().
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  ensureFuture,
  gather,
  Queue,
  sleep,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { brief, KINDS, rejectionOf } from "../_outcome.ts";
import { bodyOf } from "../_endings.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

function* cleanUp(log: unknown[]): Coroutine<void> {
  try {
    yield* sleep(10);
  } finally {
    yield* sleep(1);
    log.push("clean");
  }
}

async function cleanUpAsync(log: unknown[]): Promise<void> {
  try {
    await sleep(10);
  } finally {
    await sleep(1);
    log.push("clean");
  }
}

for (const body of [cleanUp, cleanUpAsync]) {
  Deno.test(`G10 waitFor() of ${body.name}() throws TimeoutError once the body has cleaned up`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const error = await rejectionOf(waitFor(() => body(log), 1));
      assertInstanceOf(error, TimeoutError);
      assertInstanceOf(error.cause, CancelledError);
      assertEquals([log, loop.time()], [["clean"], 2]);
    });
  });

  Deno.test(`G10 waitFor() of ${body.name}(), cancelled from outside, throws that once it has cleaned up`, async () => {
    await runVirtual(function* (loop) {
      const log: unknown[] = [];
      const task = createTask(function* () {
        yield* waitFor(() => body(log), 10);
      });
      yield* sleep(1);
      task.cancel("ext");
      assertEquals(String(yield* caughtBy(task)), "CancelledError: ext");
      assertEquals([log, loop.time()], [["clean"], 2]);
    });
  });
}

for (const kind of KINDS) {
  Deno.test(`G10 waitFor() of ${kind}s gives the value of a body that refuses to be cancelled`, async () => {
    const part = { at: 10, does: "returns", whenCancelled: "swallows" } as const;
    const end = await runVirtual(() => waitFor(bodyOf(kind, "value", part), 1));
    assertEquals(end, "value");
  });

  Deno.test(`G10 waitFor() of ${kind}s throws the error of a body that fails when cancelled`, async () => {
    const part = { at: 10, does: "returns", whenCancelled: "throws" } as const;
    const end = await runVirtual(() => rejectionOf(waitFor(bodyOf(kind, "error", part), 1)));
    assertEquals(brief(end), "error");
  });
}

Deno.test("G10 waitFor() with no time never starts the body", async () => {
  await runVirtual(function* () {
    const log: string[] = [];
    for (const limit of [0, -1]) {
      const bodies = [
        function* () {
          yield log.push("coroutine");
        },
        () => log.push("function"),
        (function* () {
          yield log.push("coroutine object");
        })(),
      ];
      for (const body of bodies) {
        const error = yield* caughtBy(waitFor<unknown>(body, limit));
        assertInstanceOf(error, TimeoutError);
        assertInstanceOf(error.cause, CancelledError);
      }
    }
    assertEquals(log, []);
  });
});

Deno.test("G10 waitFor() with no time in an async function never starts the body", async () => {
  await runVirtual(async () => {
    let started = false;
    const error = await rejectionOf(waitFor(async () => {
      started = true;
      await sleep(0);
    }, 0));
    assertInstanceOf(error, TimeoutError);
    assertEquals(started, false);
  });
});

Deno.test("G10 waitFor() gives the result of a done future, whatever the limit", async () => {
  await runVirtual(async (loop) => {
    const future = loop.createFuture<string>();
    future.setResult("done");
    for (const limit of [0, -1, 1, null]) assertEquals(await waitFor(future, limit), "done");
    assertEquals(loop.time(), 0);
  });
});

Deno.test("G10 waitFor() runs a coroutine in the calling task", async () => {
  await runVirtual(function* () {
    const task = currentTask();
    const inner = yield* waitFor(function* () {
      return [currentTask()];
    }, 1);
    assertStrictEquals(inner[0], task);
  });
});

Deno.test("G10 waitFor() with no time waits for a cancelled task to clean up", async () => {
  await runVirtual(function* (loop) {
    const log: unknown[] = [];
    const task = createTask(cleanUp(log));
    yield* sleep(1);
    const error = yield* caughtBy(waitFor(task, 0));
    assertInstanceOf(error, TimeoutError);
    assertEquals([log, loop.time()], [["clean"], 2]);
  });
});

Deno.test("waitFor() in gather() and Promise.all() cuts its own wait only", async () => {
  await runVirtual(async () => {
    const waits = () => [waitFor(sleep(3, "a"), 1), waitFor(sleep(3, "b"), 5)] as const;
    const gathered = await gather(waits(), { returnExceptions: true });
    assertEquals([brief(gathered[0]), gathered[1]], ["timeout", "b"]);
    const [first, second] = waits();
    const settled = await Promise.all([rejectionOf(first), second]);
    assertEquals([brief(settled[0]), settled[1]], ["timeout", "b"]);
  });
});

Deno.test("waitFor() of a queue loses no item at the limit", async () => {
  await runVirtual(async (loop) => {
    const queue = new Queue<string>();
    loop.callAt(1, () => queue.putNowait("item"));
    const first = await waitFor(queue.get(), 1).catch(brief);
    if (first === "timeout") assertEquals(queue.getNowait(), "item");
    else assertEquals(first, "item");

    loop.callAt(3, () => queue.putNowait("item"));
    assertEquals(brief(await rejectionOf(waitFor(queue.get(), 1))), "timeout");
    await sleep(5);
    assertEquals(queue.getNowait(), "item");
  });
});

Deno.test("waitFor() of a foreign promise ends at the limit, whatever the promise does", async () => {
  await runVirtual(async (loop) => {
    const never = new Promise<void>(() => {});
    assertInstanceOf(await rejectionOf(waitFor(never, 1)), TimeoutError);
    assertInstanceOf(await rejectionOf(waitFor(ensureFuture(never), 1)), TimeoutError);
    assertEquals(loop.time(), 2);
  });
});
