// The row Z04 of "shutdown": what signals do to run() and Runner.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  type Executor,
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

Deno.test("run() ends at once on a second signal, and says which tasks ignored the first", async () => {
  const loop = new SignalledLoop();
  const log: unknown[] = [];
  loop.raiseAfter(1, "SIGINT");
  loop.raiseAfter(5, "SIGTERM");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(async () => {
      currentTask()?.setName("main");
      createTask(() => stubborn(), { name: "background" });
      await stubborn(log);
    }, { loopFactory: () => loop }));
    assertEquals(String(error), "CancelledError: SIGTERM");
  });
  assertEquals(logged, [
    "Ended by SIGTERM without waiting for tasks that ignored it: main, background",
  ]);
  assertEquals([log, loop.time(), loop.isClosed()], [["CancelledError: SIGINT"], 5, true]);
});

Deno.test("run() ends when the grace period is over, and says which tasks ignored the signal", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGTERM");
  const logged = await errorsLoggedBy(async () => {
    const error = await rejectionOf(run(() => stubborn(), { loopFactory: () => loop, grace: 3 }));
    assertEquals(String(error), "CancelledError: SIGTERM");
  });
  assertEquals(logged.length, 1);
  assertMatch(logged[0] ?? "", /^Ended by SIGTERM without waiting .*: Task-\d+$/);
  assertEquals([loop.time(), loop.isClosed()], [4, true]);
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
    "Ended by SIGINT without waiting for tasks that ignored it: background",
  ]);
  assertEquals([loop.time(), loop.isClosed()], [5, true]);
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
  assertEquals([logged.length, loop.time(), loop.isClosed()], [1, 4, true]);
});

Deno.test("run() keeps the value of main when two signals end what main left", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  loop.raiseAfter(2, "SIGINT");
  const logged = await errorsLoggedBy(async () => {
    const value = await run(async () => {
      createTask(() => stubborn(), { name: "background" });
      await sleep(0);
      return "value";
    }, { loopFactory: () => loop });
    assertEquals(value, "value");
  });
  assertEquals([logged.length, loop.time()], [1, 2]);
});

Deno.test("run() ends on a second signal while the executor shuts down", async () => {
  const loop = new SignalledLoop();
  loop.raiseAfter(1, "SIGINT");
  loop.raiseAfter(2, "SIGINT");
  const busy: Executor = {
    submit: () => loop.createFuture<never>(),
    shutdown: () => new Promise<void>(() => {}),
  };
  const logged = await errorsLoggedBy(async () => {
    await run(() => loop.setDefaultExecutor(busy), { loopFactory: () => loop });
  });
  assertEquals(logged, [
    "Ended by SIGINT without waiting for tasks that ignored it: none is left",
  ]);
  assertEquals([loop.time(), loop.isClosed()], [2, true]);
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
