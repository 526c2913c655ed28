// The row Z04 of "shutdown": what signals do to run() and Runner.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  type Executor,
  InvalidStateError,
  run,
  Runner,
  sleep,
} from "../../mod.ts";
import { rejectionOf } from "./_outcome.ts";
import { SignalledLoop } from "./_signalled_loop.ts";

/** Awaits `work()`, and gives what was written with `console.error` meanwhile. */
async function errorsLoggedBy(work: () => Promise<void>): Promise<string[]> {
  const logged: string[] = [];
  const original = console.error;
  console.error = (...args: unknown[]) => void logged.push(args.join(" "));
  try {
    await work();
  } finally {
    console.error = original;
  }
  return logged;
}

/** Goes on for ever, whatever it is asked. */
async function stubborn(log: unknown[] = []): Promise<void> {
  for (;;) {
    try {
      await sleep(100);
    } catch (error) {
      log.push(String(error));
    }
  }
}

/** Waits until it is cancelled, and goes on. */
async function ignoreOne(): Promise<void> {
  try {
    await sleep(100);
  } catch {
    // Goes on.
  }
}

function* cleanUp(log: unknown[]): Coroutine<void> {
  try {
    yield* sleep(100);
  } finally {
    log.push(currentTask()?.cancelling());
    yield* sleep(1);
    log.push("cleaned up");
  }
}

async function cleanUpAsync(log: unknown[]): Promise<void> {
  try {
    await sleep(100);
  } finally {
    log.push(currentTask()?.cancelling());
    await sleep(1);
    log.push("cleaned up");
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  for (const main of [cleanUp, cleanUpAsync]) {
    Deno.test(`Z04 run() cancels ${main.name}() on the first ${signal}, and throws its CancelledError`, async () => {
      const loop = new SignalledLoop();
      const log: unknown[] = [];
      loop.raiseAfter(1, signal);
      const error = await rejectionOf(run<void>(() => main(log), { loopFactory: () => loop }));
      assert(error instanceof CancelledError);
      assertEquals([error.message, log], [signal, [1, "cleaned up"]]);
      assertEquals([loop.time(), loop.isClosed(), loop.raise(signal)], [2, true, 0]);
    });
  }
}

Deno.test("Z04 run() gives the value of a main that swallows the cancellation", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  const value = await run(async () => {
    try {
      return await sleep(100, "slept");
    } catch {
      return "swallowed";
    }
  }, { loopFactory: () => loop });
  assertEquals(value, "swallowed");
});

Deno.test("run() cancels every task on a second signal, and soon abandons and names those that go on", async () => {
  const loop = new SignalledLoop();
  const log: unknown[] = [];
  loop.raiseAfter(1, "SIGINT");
  loop.raiseAfter(5, "SIGTERM");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(async () => {
      currentTask()?.setName("main");
      createTask(() => stubborn(log), { name: "background" });
      createTask(() => cleanUp(log), { name: "willing" });
      await stubborn(log);
    }, { loopFactory: () => loop, signals: ["SIGINT", "SIGTERM", "SIGINT"] }));
    assertEquals(String(error), "CancelledError: SIGTERM");
  });
  assertEquals(logged, [
    'Waiting for tasks that were cancelled and go on: task "main" waits for sleep 97 s left',
    'Ended by SIGTERM without waiting any longer: task "main" waits for sleep 100 s left; ' +
    'task "background" waits for sleep 100 s left; task "willing" waits for sleep 0.5 s left',
  ]);
  assertEquals(log, [
    "CancelledError: SIGINT",
    "CancelledError: SIGTERM",
    "CancelledError: SIGTERM",
    1,
  ]);
  assertEquals([loop.time(), loop.isClosed()], [5.5, true]);
});

Deno.test("run() abandons who goes on at once on a third signal", async () => {
  const loop = new SignalledLoop();
  for (const time of [1, 1.1, 1.2]) loop.raiseAfter(time, "SIGINT");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(() => stubborn(), { loopFactory: () => loop }));
    assertEquals(String(error), "CancelledError: SIGINT");
  });
  assertEquals([logged.length, loop.time()], [1, 1.2]);
});

Deno.test("run() cancels every task when the grace period is over, and waits for as long again", async () => {
  const loop = new SignalledLoop();
  const log: unknown[] = [];
  loop.raiseAfter(1, "SIGTERM");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(async () => {
      createTask(() => cleanUp(log), { name: "willing" });
      createTask(() => cleanUpAsync(log), { name: "willing too" });
      await stubborn(log);
    }, { loopFactory: () => loop, grace: 2 }));
    assertEquals(String(error), "CancelledError: SIGTERM");
  });
  assertEquals(logged.length, 2);
  assertMatch(
    logged[1] ?? "",
    /^Ended by SIGTERM without waiting .*: task "Task-1" waits for sleep \d+ s left$/,
  );
  assertEquals(log.map(String).sort(), [
    "1",
    "1",
    "CancelledError: SIGTERM",
    "CancelledError: SIGTERM",
    "cleaned up",
    "cleaned up",
  ]);
  assertEquals([loop.time(), loop.isClosed()], [5, true]);
});

Deno.test("run() with a grace period abandons a main that ignores it, and names it", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGTERM");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(() => stubborn(), { loopFactory: () => loop, grace: 3 }));
    assertEquals(String(error), "CancelledError: SIGTERM");
  });
  assertEquals(logged.length, 2);
  assertMatch(logged[0] ?? "", /^Waiting for .*: task "Task-\d+" waits for sleep \d+ s left$/);
  assertMatch(logged[1] ?? "", /^Ended by SIGTERM .*: task "Task-\d+" waits for sleep \d+ s left$/);
  assertEquals([loop.time(), loop.isClosed()], [7, true]);
});

Deno.test("run() with a grace period that suffices says nothing", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGTERM");
  const logged = await errorsLoggedBy(async () => {
    await rejectionOf(run(() => sleep(100), { loopFactory: () => loop, grace: 3 }));
  });
  assertEquals([logged, loop.time()], [[], 1]);
});

Deno.test("run() ends on a second signal also while it waits for the tasks that main left", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  loop.raiseAfter(5, "SIGINT");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(async () => {
      createTask(() => stubborn(), { name: "background" });
      await sleep(100);
    }, { loopFactory: () => loop }));
    assertEquals(String(error), "CancelledError: SIGINT");
  });
  assertEquals(logged, [
    'Waiting for tasks that were cancelled and go on: task "background" waits for sleep 97 s left',
    'Ended by SIGINT without waiting any longer: task "background" waits for sleep 100 s left',
  ]);
  assertEquals([loop.time(), loop.isClosed()], [5.5, true]);
});

Deno.test("run() counts the grace period on while it waits for the tasks that main left", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  const logged = await errorsLoggedBy(async () => {
    await rejectionOf(run(async () => {
      createTask(() => stubborn(), { name: "background" });
      await sleep(100);
    }, { loopFactory: () => loop, grace: 3 }));
  });
  assertEquals([logged.length, loop.time(), loop.isClosed()], [2, 7, true]);
});

Deno.test("run() takes the first signal after the end of main for the second, and keeps its value", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  const logged = await errorsLoggedBy(async () => {
    const value = await run(async () => {
      createTask(() => stubborn(), { name: "background" });
      await sleep(0);
      return "value";
    }, { loopFactory: () => loop });
    assertEquals(value, "value");
  });
  assertEquals([logged.length, loop.time()], [1, 1.5]);
});

Deno.test("run() lets tasks that end on a signal after main's end do so, and says nothing", async () => {
  const loop = new SignalledLoop();
  const log: unknown[] = [];
  loop.raiseAfter(1, "SIGINT");
  const logged = await errorsLoggedBy(async () => {
    await run(async () => {
      createTask(async () => {
        await ignoreOne();
        try {
          await sleep(100);
        } catch (error) {
          log.push(String(error));
        }
      });
      await sleep(0);
    }, { loopFactory: () => loop });
  });
  assertEquals([logged, log, loop.time()], [[], ["CancelledError: SIGINT"], 1]);
});

Deno.test("run() names tasks that do not end once, without a signal too", async () => {
  const loop = new SignalledLoop();
  const logged = await errorsLoggedBy(async () => {
    await run(async () => {
      createTask(async () => {
        await ignoreOne();
        await sleep(20);
      }, { name: "slow" });
      await sleep(0);
    }, { loopFactory: () => loop });
  });
  assertEquals(logged, [
    'Waiting for tasks that were cancelled and go on: task "slow" waits for sleep 17 s left',
  ]);
  assertEquals(loop.time(), 20);
});

Deno.test("run() ends on a signal while the executor shuts down", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  const busy: Executor = {
    submit: () => loop.createFuture<never>(),
    shutdown: () => new Promise<void>(() => {}),
  };
  const logged = await errorsLoggedBy(async () => {
    await run(() => loop.setDefaultExecutor(busy), { loopFactory: () => loop });
  });
  assertEquals(logged, [
    "Ended by SIGINT without waiting any longer: jobs of the default executor run",
  ]);
  assertEquals([loop.time(), loop.isClosed()], [1.5, true]);
});

Deno.test("run() listens to the signals that it is told, and to no other", async () => {
  const loop = new SignalledLoop();
  const counts: number[] = [];
  const error = await rejectionOf(run(async () => {
    counts.push(loop.raise("SIGINT"), loop.raise("SIGTERM"), loop.raise("SIGUSR2"));
    await sleep(100);
  }, { loopFactory: () => loop, signals: ["SIGUSR2"] }));
  assertEquals([counts, String(error)], [[0, 0, 1], "CancelledError: SIGUSR2"]);
});

Deno.test("Runner counts signals anew in each run, and listens only meanwhile", async () => {
  const loop = new SignalledLoop();
  const runner = new Runner({ loopFactory: () => loop });
  for (let time = 1; time <= 2; time += 1) {
    loop.raiseAfter(1, "SIGINT");
    assertEquals(String(await rejectionOf(runner.run(() => sleep(100)))), "CancelledError: SIGINT");
    assertEquals(loop.raise("SIGINT"), 0);
  }
  assertEquals(await runner.run(() => sleep(1, "value")), "value");
  await runner.close();
});

Deno.test("run() refuses signals that there are not, and listens to none of the list then", async () => {
  const wrong: [unknown[], new () => Error, string][] = [
    [["SIGTERM", 15], TypeError, "Cannot handle signal 15: expected a name"],
    [["SIGTERM", "SIGKILL"], InvalidStateError, 'Cannot handle signal "SIGKILL": it cannot'],
  ];
  for (const [signals, errorClass, message] of wrong) {
    const loop = new SignalledLoop();
    const run_ = () => run(() => 1, { loopFactory: () => loop, signals: signals as never });
    await assertRejects(run_, errorClass, message);
    assertEquals([loop.raise("SIGTERM"), loop.isClosed()], [0, true]);
  }
  const options = { signals: ["SIGTERM" as const, "SIGNONE" as Deno.Signal] };
  await assertRejects(
    () => run(() => 1, options),
    TypeError,
    'Cannot handle signal "SIGNONE": the system does not have it',
  );
});

Deno.test("run() cancels main when its AbortSignal aborts, and counts that as a first signal", async () => {
  const loop = new SignalledLoop();
  const log: unknown[] = [];
  const controller = new AbortController();
  loop.callLater(1, () => controller.abort("enough"));
  const error = await rejectionOf(
    run(() => cleanUpAsync(log), { loopFactory: () => loop, signal: controller.signal }),
  );
  assert(error instanceof CancelledError);
  assertEquals([error.cause, log, loop.time()], ["enough", [1, "cleaned up"], 2]);
});

Deno.test("run() abandons a main that ignores its AbortSignal when the grace period is over", async () => {
  const loop = new SignalledLoop();
  const controller = new AbortController();
  loop.callLater(1, () => controller.abort("enough"));
  const { signal } = controller;
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(
      run(() => stubborn(), { loopFactory: () => loop, grace: 0.5, signal }),
    );
    assert(error instanceof CancelledError);
    assertEquals([error.message, error.cause], ["an AbortSignal", "enough"]);
  });
  assertEquals(logged, [
    'Ended by an AbortSignal without waiting any longer: task "Task-1" waits for sleep 100 s left',
  ]);
  assertEquals(loop.time(), 2);
});

Deno.test("run() does not start a main whose AbortSignal has aborted", async () => {
  const loop = new SignalledLoop();
  let started = false;
  const error = await rejectionOf(run(async () => {
    started = true;
    await sleep(0);
  }, { loopFactory: () => loop, signal: AbortSignal.abort("early") }));
  assert(error instanceof CancelledError);
  assertEquals([error.cause, started, loop.isClosed()], ["early", false, true]);
});
