// The row F05 of "Futures": errors that nobody looked at are reported, by time and not by garbage
// collection.
import { assertEquals, assertMatch } from "@std/assert";
import { createTask, type EventLoop, type Future, sleep } from "../../../loop/mod.ts";
import { caughtBy, runVirtual, TestLoop } from "../_test_loop.ts";

const planted = new Error("planted");

/** Returns a failed future. */
function failedFuture(loop: EventLoop): Future<void> {
  const future = loop.createFuture<void>();
  future.setException(planted);
  return future;
}

Deno.test("F05 the error of a future that nobody looked at is reported once, a second after", async () => {
  await runVirtual(function* (loop) {
    const future = failedFuture(loop);

    yield* sleep(0.9);
    assertEquals(loop.takeReports(), []);

    yield* sleep(0.2);
    const reports = loop.takeReports();
    assertEquals(reports.length, 1);
    assertEquals(Object.keys(reports[0] ?? {}).sort(), ["exception", "future", "message"]);
    assertEquals(reports[0]?.message, "Future exception was never retrieved");
    assertEquals(reports[0]?.exception, planted);
    assertEquals(reports[0]?.future, future);

    yield* sleep(100);
    assertEquals(loop.takeReports(), []);
  });
});

Deno.test("F05 the error of a task that nobody looked at is reported as a task's", async () => {
  await runVirtual(function* (loop) {
    const task = createTask(() => {
      throw planted;
    });

    yield* sleep(2);

    const reports = loop.takeReports();
    assertEquals(reports.map((report) => report.message), ["Task exception was never retrieved"]);
    assertEquals(reports[0]?.future, task);
  });
});

Deno.test("F05 EventLoop.close() reports what nobody has looked at by then", async () => {
  const loop = new TestLoop();
  await loop.runUntilComplete(() => void failedFuture(loop));
  assertEquals(loop.takeReports(), []);

  loop.close();

  assertEquals(loop.takeMessages(), ["Future exception was never retrieved"]);
  loop.close();
  assertEquals(loop.takeReports(), []);
});

Deno.test("F05 result(), exception() and cancel() of the failed future suppress the report", async () => {
  await runVirtual(function* (loop) {
    try {
      failedFuture(loop).result();
    } catch (error) {
      assertEquals(error, planted);
    }
    failedFuture(loop).exception();
    assertEquals(failedFuture(loop).cancel(), false);
    const task = createTask(() => {
      throw planted;
    });
    yield* sleep(0);
    assertEquals(task.cancel(), false);

    yield* sleep(10);

    assertEquals(loop.takeReports(), []);
  });
});

Deno.test("F05 waiting with yield*, await or then() suppresses the report", async () => {
  await runVirtual(function* (loop) {
    yield* caughtBy(failedFuture(loop));
    failedFuture(loop).then(null, () => {});
    const awaiting = createTask(async () => {
      await failedFuture(loop);
    });
    yield* caughtBy(awaiting);

    yield* sleep(10);

    assertEquals(loop.takeReports(), []);
  });
});

Deno.test("F05 a done callback suppresses the report only if it looks at the error", async () => {
  await runVirtual(function* (loop) {
    failedFuture(loop).addDoneCallback((future) => future.exception());
    failedFuture(loop).addDoneCallback((future) => future.done());

    yield* sleep(10);

    assertEquals(loop.takeMessages(), ["Future exception was never retrieved"]);
  });
});

Deno.test("F05 several errors are reported in the order in which they came", async () => {
  await runVirtual(function* (loop) {
    const futures = [failedFuture(loop)];
    yield* sleep(0.5);
    futures.push(failedFuture(loop), failedFuture(loop));
    futures[1]?.exception();

    yield* sleep(10);

    const reported = loop.takeReports().map((report) => report.future);
    assertEquals(reported.length, 2);
    assertEquals(reported[0] === futures[0], true);
    assertEquals(reported[1] === futures[2], true);
  });
});

Deno.test("F05 the error of runUntilComplete() goes to its caller and is not reported again", async () => {
  const loop = new TestLoop();

  const caught = await loop.runUntilComplete(() => {
    throw planted;
  }).catch((error) => error);
  loop.close();

  assertEquals(caught, planted);
  assertEquals(loop.takeReports(), []);
});

Deno.test("EventLoop.unretrievedErrorDelay sets the time of the report, also of what has failed before", async () => {
  await runVirtual(function* (loop) {
    assertEquals(loop.unretrievedErrorDelay, 1);
    failedFuture(loop);
    yield* sleep(0.1);
    loop.unretrievedErrorDelay = 0.25;
    failedFuture(loop);

    yield* sleep(0.2);
    assertEquals(loop.takeMessages(), ["Future exception was never retrieved"]);

    yield* sleep(0.2);
    assertEquals(loop.takeMessages(), ["Future exception was never retrieved"]);
  });
});

Deno.test("F05 in debug mode the report says where the future was created", async () => {
  const loop = new TestLoop({ debug: true });
  failedFuture(loop);

  loop.close();

  const [report] = loop.takeReports();
  await Promise.resolve();
  assertMatch(report?.sourceTraceback ?? "", /^ {4}at failedFuture .*unretrieved_errors_test/m);
});
