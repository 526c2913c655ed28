// The rows G01 to G04 of "gather / wait / shield".
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  EventLoop,
  type Future,
  gather,
  InvalidStateError,
  sleep,
} from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

/** Returns a coroutine that says its name. */
function* say(log: string[], name: string): Coroutine<string> {
  log.push(name);
  yield* sleep(0);
  return name;
}

/** Returns an async function that says its name. */
function sayAsync(log: string[], name: string): () => Promise<string> {
  return async () => {
    log.push(name);
    await sleep(0);
    return name;
  };
}

/** Waits ten seconds; when cancelled, cleans up for `seconds` and says so. */
function* cleanUp(log: unknown[], seconds: number): Coroutine<void> {
  try {
    yield* sleep(10);
  } finally {
    yield* sleep(seconds);
    log.push(seconds);
  }
}

/** As {@linkcode cleanUp}, as an async function. */
async function cleanUpAsync(log: unknown[], seconds: number): Promise<void> {
  try {
    await sleep(10);
  } finally {
    await sleep(seconds);
    log.push(seconds);
  }
}

/** What `future` holds now. */
function exceptionOf(future: Future<unknown>): string {
  try {
    return String(future.exception());
  } catch (error) {
    return `throws ${error}`;
  }
}

Deno.test("G01 gather() keeps the order, runs a shared task once, and is done at once for nothing", async () => {
  await runVirtual(function* () {
    const log: string[] = [];
    const shared = createTask(say(log, "x"));
    const results = yield* gather([say(log, "a"), shared, say(log, "b"), shared]);
    assertEquals(results, ["a", "x", "b", "x"]);
    assertEquals(log, ["x", "a", "b"]);

    const nothing = gather([]);
    assertEquals([nothing.done(), nothing.result()], [true, []]);
  });
});

Deno.test("gather() calls a function each time it is given", async () => {
  await runVirtual(function* () {
    let calls = 0;
    const call = () => ++calls;
    assertEquals(yield* gather([call, call, call]), [1, 2, 3]);
  });
});

Deno.test("G01 gather() of async functions, promises and values in functions keeps the order", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    const shared = createTask(sayAsync(log, "x"));
    const native = Promise.withResolvers<string>();
    loop.callLater(3, () => native.resolve("p"));
    const results = await gather([sayAsync(log, "a"), shared, native.promise, shared, () => "v"]);
    assertEquals(results, ["a", "x", "p", "x", "v"]);
    assertEquals(log, ["x", "a"]);
  });
});

Deno.test("G02 gather() throws the first error at once and lets the others go on", async () => {
  await runVirtual(function* (loop) {
    const planted = new Error("planted");
    const sibling = createTask(() => sleep(5, "s"));
    const error = yield* caughtBy(gather([
      () => {
        throw planted;
      },
      sibling,
    ]));
    assertStrictEquals(error, planted);
    assertEquals([sibling.done(), loop.time()], [false, 0]);
    assertEquals(yield* sibling, "s");
  });
});

Deno.test("G02 gather() has errors in the list with returnExceptions, a cancelled task's without message", async () => {
  await runVirtual(async (loop) => {
    const planted = new Error("planted");
    const cancelled = createTask(() => sleep(10));
    const future = loop.createFuture<void>();
    loop.callSoon(() => cancelled.cancel("lost"));
    loop.callSoon(() => future.cancel("kept"));
    const results = await gather([
      () => Promise.reject(planted),
      cancelled,
      future,
      sleep(1, "z"),
    ], { returnExceptions: true });
    assertEquals(results.map(String), [
      "Error: planted",
      "CancelledError",
      "CancelledError: kept",
      "z",
    ]);
  });
});

Deno.test("G02 gather() looks at the later errors too, so that none is reported", async () => {
  await runVirtual(async () => {
    const fail = (delay: number) => async () => {
      await sleep(delay);
      throw new Error(`after ${delay}`);
    };
    assertEquals(String(await rejectionOf(gather([fail(1), fail(2), fail(3)]))), "Error: after 1");
    await sleep(10);
    const results = await gather([fail(1), fail(9)], { returnExceptions: true });
    assertEquals(results.map(String), ["Error: after 1", "Error: after 9"]);
    await sleep(10);
  });
});

Deno.test("G03 gather() with a cancelled child throws CancelledError and is not cancelled itself", async () => {
  await runVirtual(function* (loop) {
    const child = createTask(() => sleep(10));
    const gathering = gather([child, sleep(1)]);
    loop.callSoon(() => child.cancel("mm"));

    assertEquals(String(yield* caughtBy(gathering)), "CancelledError: mm");

    assertEquals([gathering.done(), gathering.cancelled()], [true, false]);
    assertEquals(exceptionOf(gathering), "CancelledError: mm");
  });
});

for (const [kind, body] of [["coroutines", cleanUp], ["async functions", cleanUpAsync]] as const) {
  Deno.test(`G04 gather() of ${kind}, cancelled, ends once the first child has cleaned up`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const gathering = gather([() => body(log, 2), () => body(log, 1)]);
      await sleep(0);

      assertEquals([gathering.cancel("gm"), gathering.done()], [true, false]);
      assertEquals(String(await rejectionOf(gathering)), "CancelledError: gm");

      assertEquals([log, loop.time()], [[1], 1]);
      assertEquals([gathering.cancel(), gathering.cancelled()], [false, false]);
    });
  });

  Deno.test(`G04 gather() of ${kind}, awaited by a task that is cancelled, with returnExceptions ends once all have`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const bodies = [() => body(log, 2), () => body(log, 1)];
      const task = createTask(async () => await gather(bodies, { returnExceptions: true }));
      await sleep(1);
      task.cancel("tm");
      assertEquals(String(await rejectionOf(task)), "CancelledError: tm");
      assertEquals([log, loop.time(), task.cancelled()], [[1, 2], 3, true]);
    });
  });
}

Deno.test("G04 gather() with returnExceptions throws too once it was cancelled", async () => {
  await runVirtual(function* () {
    const log: unknown[] = [];
    const gathering = gather([cleanUp(log, 1)], { returnExceptions: true });
    yield* sleep(0);
    gathering.cancel();
    assertInstanceOf(yield* caughtBy(gathering), CancelledError);
    assertEquals(log, [1]);
  });
});

Deno.test("gather() of done futures does not suspend", async () => {
  await runVirtual((loop) => {
    const future = loop.createFuture<number>();
    future.setResult(1);
    assert(gather([future, future]).done());
  });
});

Deno.test("gather() refuses futures of different loops", async () => {
  const other = new EventLoop();
  await runVirtual((loop) => {
    const futures = [loop.createFuture<void>(), other.createFuture<void>()];
    assertThrows(() => gather(futures), InvalidStateError, "belongs to another loop");
  });
  other.close();
});
