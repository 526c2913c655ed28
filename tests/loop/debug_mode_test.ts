// The row H03 of "Exception handler": what debug mode reports.
import { assertEquals, assertMatch } from "@std/assert";
import { createTask, sleep } from "../../loop/mod.ts";
import { TestLoop } from "./_test_loop.ts";

/** Runs `work`, and gives what it wrote with `console.warn`. */
async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const original = console.warn;
  console.warn = (text: string) => void warnings.push(text);
  try {
    await work();
  } finally {
    console.warn = original;
  }
  return warnings;
}

Deno.test("H03 debug mode reports a callback that takes a tenth of a second or more", async () => {
  const loop = new TestLoop({ debug: true });
  assertEquals(loop.slowCallbackDuration, 0.1);
  loop.callSoon(function slow() {
    loop.clock.advance(0.125);
  });
  loop.callSoon(function quick() {
    loop.clock.advance(0.099);
  });

  const warnings = await warningsOf(() => loop.runOnce());

  assertEquals(warnings, ["Executing callback slow() took 0.125 seconds"]);
  loop.close();
});

Deno.test("H03 debug mode reports the slow step of a task", async () => {
  const loop = new TestLoop({ debug: true });
  const warnings = await warningsOf(() =>
    loop.runUntilComplete(function* () {
      yield* sleep(1);
      yield;
      loop.clock.advance(0.5);
    })
  );

  assertEquals(warnings.length, 1);
  assertMatch(warnings[0] ?? "", /^Executing .*Task.* took 0\.500 seconds$/);
  loop.close();
});

Deno.test("H03 slowCallbackDuration sets what is slow", async () => {
  const loop = new TestLoop({ debug: true });
  loop.slowCallbackDuration = 1;
  loop.callSoon(() => loop.clock.advance(0.5));
  loop.callSoon(() => loop.clock.advance(1.5));

  const warnings = await warningsOf(() => loop.runOnce());

  assertEquals(warnings, ["Executing callback (anonymous) took 1.500 seconds"]);
  loop.close();
});

Deno.test("without debug mode nothing is reported, and setDebug() turns it on and off", async () => {
  const loop = new TestLoop();
  const block = () => void loop.clock.advance(5);
  const warnings = await warningsOf(async () => {
    loop.callSoon(block);
    await loop.runOnce();
    loop.setDebug(true);
    loop.callSoon(block);
    await loop.runOnce();
    loop.setDebug(false);
    loop.callSoon(block);
    await loop.runOnce();
  });

  assertEquals(warnings.length, 1);
  assertEquals(loop.getDebug(), false);
  loop.close();
});

Deno.test("debug mode tells where a failing callback was scheduled", async () => {
  const loop = new TestLoop({ debug: true });
  const fail = () => {
    throw new Error("planted");
  };
  function scheduleSoon(): void {
    loop.callSoon(fail);
  }
  function scheduleLater(): void {
    loop.callLater(0, fail);
  }
  scheduleSoon();
  scheduleLater();

  await loop.runOnce();

  const reports = loop.takeReports();
  assertEquals(Object.keys(reports[0] ?? {}).sort(), [
    "exception",
    "handle",
    "message",
    "sourceTraceback",
  ]);
  assertMatch(reports[0]?.sourceTraceback ?? "", /^ {4}at scheduleSoon .*debug_mode_test/m);
  assertMatch(reports[1]?.sourceTraceback ?? "", /^ {4}at scheduleLater .*debug_mode_test/m);
  loop.close();
});

Deno.test("debug mode tells where a failed task was created", async () => {
  const loop = new TestLoop({ debug: true });
  function start(): void {
    createTask(() => {
      throw new Error("planted");
    });
  }
  await loop.runUntilComplete(function* () {
    start();
    yield* sleep(2);
  });
  loop.close();

  const [report] = loop.takeReports();
  assertEquals(report?.message, "Task exception was never retrieved");
  assertMatch(report?.sourceTraceback ?? "", /^ {4}at start .*debug_mode_test/m);
});

Deno.test("debug mode gives the errors of cancellations a stack", async () => {
  for (const debug of [true, false]) {
    const loop = new TestLoop({ debug });
    const future = loop.createFuture<void>();
    future.cancel("traced");
    const error = await Promise.resolve(future).catch((reason) => reason as Error);

    assertEquals(/\n\s+at /.test(error?.stack ?? ""), debug);
    loop.close();
  }
});
