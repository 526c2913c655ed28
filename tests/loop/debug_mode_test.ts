// The row H03 of "Exception handler": what debug mode reports.
import { assertEquals, assertMatch } from "@std/assert";
import { createTask, sleep, timeout } from "../../loop/mod.ts";
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

Deno.test("debug mode reports each slow step of an async function once, with the name of its task", async () => {
  const loop = new TestLoop({ debug: true });
  const slow = (seconds: number) => loop.clock.advance(seconds);
  const nested = async (depth: number): Promise<void> => {
    if (depth > 0) await nested(depth - 1);
    else await sleep(1);
    if (depth === 9) slow(0.625);
  };
  const warnings = await warningsOf(() =>
    loop.runUntilComplete(function* () {
      const task = createTask(async () => {
        slow(0.125);
        await sleep(0);
        slow(0.25);
        await sleep(1);
        slow(0.375);
        await timeout(9, async () => {
          await sleep(1);
          slow(0.5);
        });
        await nested(9);
      }, { name: "Bee" });
      yield* task;
      yield* createTask(async () => await sleep(1), { name: "quick" });
    })
  );
  const durations = warnings.map((text) =>
    /^Executing task "Bee" took (\S+) seconds$/.exec(text)?.[1]
  );
  assertEquals(durations, ["0.125", "0.250", "0.375", "0.500", "0.625"]);
  loop.close();
});

for (
  const [what, prepare] of Object.entries({
    "frames": (_error: Error, frames: unknown[]) => frames,
    "nothing": () => undefined,
    "a number": () => 5,
    "a text of its own": () => "text",
  })
) {
  Deno.test(`debug mode works with an Error.prepareStackTrace that gives ${what}`, async () => {
    const errors = Error as { prepareStackTrace?: unknown };
    const original = errors.prepareStackTrace;
    const loop = new TestLoop({ debug: true });
    try {
      errors.prepareStackTrace = prepare;
      const value = await loop.runUntilComplete(async () => {
        const failed = createTask(() => {
          throw new Error("planted");
        });
        loop.callSoon(() => {
          throw new Error("planted");
        });
        const task = createTask(() => sleep(5));
        await sleep(2);
        task.cancel();
        return [String(task), String(failed), await task.catch(() => "cancelled")].length;
      });
      assertEquals([value, loop.takeReports().length], [3, 2]);
    } finally {
      errors.prepareStackTrace = original;
      loop.close();
    }
  });
}

Deno.test("debug mode changes neither the order nor the results of async functions", async () => {
  const traces = [];
  for (const debug of [false, true]) {
    const loop = new TestLoop({ debug });
    const log: string[] = [];
    const step = async (name: string, depth: number): Promise<void> => {
      if (depth > 0) await step(name, depth - 1);
      await sleep(0);
      log.push(`${name}${depth}`);
    };
    await loop.runUntilComplete(async () => {
      const tasks = ["a", "b", "c"].map((name, depth) => createTask(() => step(name, 2 * depth)));
      for (const task of tasks) await task;
    });
    loop.close();
    traces.push(log);
  }
  assertEquals(traces[0], traces[1]);
});
