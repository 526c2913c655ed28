// The rows F01 to F07 of "Futures", and what a future is as a promise. F05, errors that nobody
// looked at, is in unretrieved_errors_test.ts.
import { setImmediate } from "node:timers";
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  ensureFuture,
  EventLoop,
  Future,
  InvalidStateError,
  isFuture,
  sleep,
} from "../../../loop/mod.ts";
import { caughtBy, runVirtual, TestLoop } from "../_test_loop.ts";

Deno.test("F01 Future.result() and exception() throw while it is pending", () => {
  const future = new TestLoop().createFuture();

  assertEquals(future.done(), false);
  assertThrows(() => future.result(), InvalidStateError, "it is pending");
  assertThrows(() => future.exception(), InvalidStateError, "it is pending");
});

Deno.test("F01 a done future takes no second result, error or cancel", () => {
  const loop = new TestLoop();
  const error = new Error("planted");
  const finish: ((future: Future<number>) => void)[] = [
    (future) => future.setResult(1),
    (future) => future.setException(error),
    (future) => future.cancel(),
  ];
  for (const first of finish) {
    const future = loop.createFuture<number>();
    first(future);

    assertEquals(future.done(), true);
    assertThrows(() => future.setResult(2), InvalidStateError, "Cannot set the result");
    assertThrows(() => future.setException(error), InvalidStateError, "Cannot set the exception");
    assertEquals(future.cancel(), false);
  }
});

Deno.test("F01 Future.result() gives the result and exception() gives the error", () => {
  const loop = new TestLoop();
  const finished = loop.createFuture<number>();
  finished.setResult(1);
  const failed = loop.createFuture<number>();
  const error = new Error("planted");
  failed.setException(error);

  assertEquals(finished.result(), 1);
  assertEquals(finished.exception(), null);
  assertEquals(failed.exception(), error);
  assertEquals(assertThrows(() => failed.result()), error);
  assertEquals([finished.cancelled(), failed.cancelled()], [false, false]);
});

Deno.test("F01 a cancelled future throws CancelledError with the message, as often as asked", () => {
  const future = new TestLoop().createFuture();

  assertEquals(future.cancel("why"), true);
  assertEquals(future.cancel("again"), false);

  assertEquals(future.cancelled(), true);
  for (const read of [() => future.result(), () => future.exception(), () => future.result()]) {
    assertEquals(assertThrows(read, CancelledError).message, "why");
  }
});

Deno.test("F02 done callbacks run through the loop, also those added to a done future", async () => {
  const loop = new TestLoop();
  const log: unknown[] = [];
  const future = loop.createFuture<string>();
  future.addDoneCallback((done) => log.push(done.result()));

  future.setResult("result");
  assertEquals(log, []);
  await loop.runOnce();
  assertEquals(log, ["result"]);

  future.addDoneCallback((done) => log.push(done === future));
  assertEquals(log, ["result"]);
  await loop.runOnce();
  assertEquals(log, ["result", true]);
  loop.close();
});

Deno.test("F02 Future.removeDoneCallback() removes every addition and counts them", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  const doubled = () => log.push("doubled");
  const future = loop.createFuture<void>();
  future.addDoneCallback(doubled);
  future.addDoneCallback(() => log.push("kept"));
  future.addDoneCallback(doubled);

  assertEquals(future.removeDoneCallback(doubled), 2);
  assertEquals(future.removeDoneCallback(doubled), 0);
  assertEquals(future.removeDoneCallback(() => {}), 0);

  future.setResult();
  await loop.runOnce();
  assertEquals(log, ["kept"]);
  loop.close();
});

Deno.test("F02 Future.removeDoneCallback() removes the only callback", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  const only = () => log.push("only");
  const future = loop.createFuture<void>();
  future.addDoneCallback(only);

  assertEquals(future.removeDoneCallback(only), 1);

  future.setResult();
  await loop.runOnce();
  assertEquals(log, []);
  loop.close();
});

Deno.test("F02 Future.addDoneCallback() refuses what is not a function", () => {
  const future = new TestLoop().createFuture();

  assertThrows(
    () => future.addDoneCallback(1 as unknown as () => void),
    TypeError,
    "Cannot add a callback: expected a function",
  );
});

Deno.test("F03 an error in a done callback is reported and the others run", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  const future = loop.createFuture<void>();
  future.addDoneCallback(function failing() {
    throw new Error("planted");
  });
  future.addDoneCallback(() => log.push("other"));

  future.setResult();
  await loop.runOnce();

  assertEquals(log, ["other"]);
  const [report] = loop.takeReports();
  assertEquals(Object.keys(report ?? {}).sort(), ["exception", "handle", "message"]);
  assertEquals(report?.message, "Exception in callback failing()");
  loop.close();
});

Deno.test("F06 a coroutine cannot wait for a future of another loop, or for its own task", async () => {
  const other = new TestLoop();
  await runVirtual(function* () {
    const foreign = createTask(function* () {
      yield* other.createFuture();
    });
    const selfish = createTask(function* (): Coroutine<void> {
      yield* currentTask() as Iterable<unknown>;
    });

    for (const [task, text] of [[foreign, "another loop"], [selfish, "itself"]] as const) {
      const error = yield* caughtBy(task);
      assertInstanceOf(error, InvalidStateError);
      assertEquals(error.message.includes(text), true, error.message);
    }
  });
  other.close();
});

Deno.test("F06 a coroutine can catch the refusal and go on", async () => {
  const other = new TestLoop();
  const result = await runVirtual(function* () {
    const error = yield* caughtBy(other.createFuture());
    assertInstanceOf(error, InvalidStateError);
    yield* sleep(1);
    return "went on";
  });

  assertEquals(result, "went on");
  other.close();
});

Deno.test("F06 runUntilComplete() and ensureFuture() refuse a future of another loop", async () => {
  const loop = new TestLoop();
  const other = new TestLoop();
  const foreign = other.createFuture<void>();

  await assertRejects(() => loop.runUntilComplete(foreign), InvalidStateError, "another loop");
  assertThrows(() => ensureFuture(foreign, { loop }), InvalidStateError, "another loop");

  assertEquals(ensureFuture(foreign, { loop: other }), foreign);
  loop.close();
  other.close();
});

Deno.test("F07 one future gives its value to every task that waits, and once more when asked again", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<string>();
    const values: string[] = [];
    const tasks = [1, 2, 3].map(() =>
      createTask(function* () {
        values.push(yield* future);
      })
    );
    yield* sleep(0);

    future.setResult("v");
    for (const task of tasks) yield* task;
    values.push(yield* future, yield* future);

    assertEquals(values, ["v", "v", "v", "v", "v"]);
  });
});

Deno.test("Future is a promise: then(), catch() and finally() give native promises", async () => {
  await runVirtual(async (loop) => {
    const finished = loop.createFuture<number>();
    finished.setResult(20);
    const failed = loop.createFuture<number>();
    failed.setException(new Error("planted"));

    const doubled: Promise<number> = finished.then((value) => value * 2);
    assertInstanceOf(doubled, Promise);
    assertEquals(await doubled, 40);
    assertEquals(await finished.finally(() => {}), 20);
    assertEquals(await failed.catch((error) => (error as Error).message), "planted");
    assertEquals(await failed.then(null, () => "caught"), "caught");
    assertEquals(await Promise.all([finished, 1, doubled]), [20, 1, 40]);
    assertEquals(Object.prototype.toString.call(finished), "[object Future]");
  });
});

Deno.test("Future works with Promise.all, race, allSettled, any and resolve", async () => {
  await runVirtual(async (loop) => {
    const slow = sleep(2, "slow");
    const fast = sleep(1, "fast");

    assertEquals(await Promise.race([slow, fast]), "fast");
    assertEquals(await Promise.any([slow, fast]), "fast");
    assertEquals(await Promise.all([slow, fast]), ["slow", "fast"]);
    assertEquals(await Promise.resolve(slow), "slow");
    const settled = await Promise.allSettled([slow, cancelledFuture(loop)]);
    assertEquals(settled.map((each) => each.status), ["fulfilled", "rejected"]);
  });
});

/** Returns a cancelled future. */
function cancelledFuture(loop: EventLoop): Future<void> {
  const future = loop.createFuture<void>();
  future.cancel();
  return future;
}

Deno.test("Future of a stopped loop can be awaited once it is done", async () => {
  const loop = new EventLoop();
  const future = loop.createFuture<number>();
  future.setResult(7);
  loop.close();

  assertEquals(await future, 7);
});

Deno.test("Future that fails without anyone waiting rejects nothing in the host", async () => {
  const loop = new TestLoop();
  loop.createFuture().setException(new Error("planted"));
  loop.createFuture().cancel();

  // An unhandled rejection would fail this test at the next macrotask.
  await new Promise((resolve) => setImmediate(resolve));

  loop.close();
  assertEquals(loop.takeMessages(), ["Future exception was never retrieved"]);
});

Deno.test("Future() without a loop is refused outside of a running loop", () => {
  assertThrows(() => new Future(), InvalidStateError, "Cannot create a future");
});

Deno.test("Future() takes the running loop, which getLoop() gives", async () => {
  await runVirtual(function* (loop) {
    const future = new Future<void>();

    assertEquals((future.getLoop() as EventLoop) === loop, true);
    loop.callLater(1, () => future.setResult());
    yield* future;
  });
});

Deno.test("isFuture() tells futures and tasks from promises", async () => {
  await runVirtual(function* (loop) {
    const task = createTask(() => 1);
    yield* task;

    assertEquals([loop.createFuture(), task].map(isFuture), [true, true]);
    assertEquals([Promise.resolve(), { then() {} }, null, 1].map(isFuture), [
      false,
      false,
      false,
      false,
    ]);
  });
});

Deno.test("ensureFuture() returns futures as they are and hosts the rest", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture();

    assertEquals(ensureFuture(future), future);
    assertEquals(
      yield* ensureFuture(function* () {
        return yield* sleep(1, "coroutine function");
      }),
      "coroutine function",
    );
    assertEquals(yield* ensureFuture(sleep(1, "operation")), "operation");
    assertEquals(yield* ensureFuture(Promise.resolve("promise")), "promise");
    assertEquals(yield* ensureFuture(async () => await sleep(1, "async")), "async");
    assertEquals(yield* ensureFuture(thenable("thenable")), "thenable");
    assertThrows(() => ensureFuture(1 as unknown as Promise<void>), TypeError, "Cannot wait for 1");
  });
});

/** Returns an object with a `then` that gives `value`. */
function thenable(value: string): PromiseLike<string> {
  return { then: (onFulfilled: (value: string) => void) => onFulfilled(value) } as PromiseLike<
    string
  >;
}

/** Returns an object whose `then` throws. */
function brokenThenable(): PromiseLike<string> {
  return {
    then() {
      throw new Error("broken then");
    },
  };
}

Deno.test("ensureFuture() of an object whose then() throws gives a failed future", async () => {
  await runVirtual(function* () {
    const error = yield* caughtBy(ensureFuture(brokenThenable()));

    assertEquals((error as Error).message, "broken then");
  });
});

Deno.test("ensureFuture() of a promise can be cancelled, whatever the promise does later", async () => {
  await runVirtual(async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const future = ensureFuture(promise);

    future.cancel("not waiting any more");
    await assertRejects(() => Promise.resolve(future), CancelledError, "not waiting any more");

    reject(new Error("too late for anybody"));
    await sleep(1);
  });
});

for (
  const [where, reach] of Object.entries({
    "in a first step": () => {},
    "after an await": () => sleep(0),
    "after an await of a promise": () => Promise.resolve(),
  })
) {
  Deno.test(`Future.then() gives a promise for the functions of a native promise, ${where}`, async () => {
    await runVirtual(async (loop) => {
      await createTask(async () => {
        if (reach() !== undefined) await reach();
        const failing = () => {
          throw new Error("planted");
        };
        for (const body of [() => sleep(1, "value"), failing]) {
          const { promise, resolve, reject } = Promise.withResolvers<string>();
          const given = createTask(body).then(resolve, reject);
          assertInstanceOf(given, Promise);
          const log: unknown[] = [];
          const chained = given.then((value) => log.push("then", value))
            .catch(() => log.push("catch")).finally(() => void log.push("finally"));
          log.push("before");
          await chained;
          assertEquals(log, ["before", "then", undefined, "finally"]);
          assertEquals(await promise.catch(String), body === failing ? "Error: planted" : "value");
          assertEquals(await given, undefined);
          assertEquals(await Promise.all([given, given.catch(() => 1), given.finally()]), [
            undefined,
            undefined,
            undefined,
          ]);
        }
      });
      await sleep(5);
      assertEquals(loop.takeReports(), []);
    });
  });
}

Deno.test("Future.then() by user code in a first step only watches, whatever functions it passes", async () => {
  await runVirtual(async () => {
    const watched = createTask(() => sleep(2, "value"));
    const watcher = createTask(async () => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      watched.then(resolve, reject);
      await sleep(1);
      return await promise;
    });
    await sleep(0.5);
    watcher.cancel();
    assertEquals(String(await watcher.catch(String)), "CancelledError");
    assertEquals(await watched, "value");
  });
});
