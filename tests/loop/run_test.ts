// The rows Z01 to Z04 of "shutdown": run() and Runner. What signals do is in run_signals_test.ts.
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  CancelledError,
  ContextVar,
  type Coroutine,
  createTask,
  currentTask,
  ensureFuture,
  EventLoop,
  type Future,
  getRunningLoop,
  InvalidStateError,
  run,
  runMain,
  Runner,
  sleep,
} from "../../loop/mod.ts";
import { rejectionOf } from "./_outcome.ts";
import { SignalledLoop } from "./_signalled_loop.ts";
import { VirtualClock } from "./_virtual_clock.ts";

/** A loop in virtual time. */
function createLoop(): EventLoop {
  return new EventLoop({ clock: new VirtualClock() });
}

/** Cleans up for a second when it is cancelled. */
function* cleanUp(log: string[]): Coroutine<void> {
  try {
    yield* sleep(100);
  } finally {
    log.push("task cleanup");
    yield* sleep(1);
    log.push("task cleanup 2");
  }
}

async function cleanUpAsync(log: string[]): Promise<void> {
  try {
    await sleep(100);
  } finally {
    log.push("task cleanup");
    await sleep(1);
    log.push("task cleanup 2");
  }
}

/** An executor without threads: it says when it is shut down. */
function sayingExecutor(log: string[]) {
  return {
    submit<T>(): Future<T> {
      return getRunningLoop().createFuture<T>();
    },
    shutdown(): Promise<void> {
      log.push("thread done");
      return Promise.resolve();
    },
  };
}

// CPython closes asynchronous generators between the tasks and the threads ("asyncgen closed").
// JavaScript gives no list of those that are open, and no way to close one of a foreign owner: an
// async generator is closed by who iterates it, or by the clean-up of its task.
for (const body of [cleanUp, cleanUpAsync]) {
  Deno.test(`Z01 run() ends main, then the tasks left as ${body.name}(), then the executor, then the loop`, async () => {
    const log: string[] = [];
    const loop = new SignalledLoop();
    const result = await run(async () => {
      loop.setDefaultExecutor(sayingExecutor(log));
      createTask(() => body(log));
      await sleep(0);
      log.push("main end");
      return "result";
    }, { loopFactory: () => loop });
    assertEquals(result, "result");
    assertEquals(log, ["main end", "task cleanup", "task cleanup 2", "thread done"]);
    assert(loop.isClosed());
  });
}

Deno.test("Z01 run() cleans up in the same way when main throws", async () => {
  const log: string[] = [];
  const loop = createLoop();
  const planted = new Error("planted");
  const error = await rejectionOf(run(function* () {
    createTask(() => cleanUp(log));
    yield* sleep(0);
    throw planted;
  }, { loopFactory: () => loop }));
  assertStrictEquals(error, planted);
  assertEquals([log, loop.isClosed()], [["task cleanup", "task cleanup 2"], true]);
});

Deno.test("Z02 run() reports the error of a task that it had to cancel", async () => {
  const loop = new SignalledLoop();
  const planted = new Error("planted");
  let task: unknown;
  const result = await run(function* () {
    task = createTask(function* () {
      try {
        yield* sleep(100);
      } catch {
        throw planted;
      }
    });
    yield* sleep(0);
    return "r";
  }, { loopFactory: () => loop });
  assertEquals(result, "r");
  const reports = loop.takeReports();
  assertEquals(reports.length, 1);
  assertEquals(Object.keys(reports[0] ?? {}).sort(), ["exception", "message", "task"]);
  assertEquals(reports[0]?.message, "unhandled exception during run() shutdown");
  assertStrictEquals(reports[0]?.exception, planted);
  assertStrictEquals(reports[0]?.task, task);
});

Deno.test("Z03 Runner keeps its loop and its context from one run to the next", async () => {
  const count = new ContextVar("count", { default: 0 });
  const loops: EventLoop[] = [];
  const countUp = () => {
    loops.push(getRunningLoop());
    count.set(count.get() + 1);
    return count.get();
  };
  const runner = new Runner({ loopFactory: createLoop });
  assertEquals([await runner.run(countUp), await runner.run(countUp)], [1, 2]);
  assertStrictEquals(loops[0], loops[1]);
  assertStrictEquals(runner.getLoop(), loops[0]);
  assertEquals(count.get(), 0);
  await runner.close();
});

Deno.test("Z03 Runner.run() in a context of one's own", async () => {
  const name = new ContextVar("name", { default: "none" });
  await using runner = new Runner({ loopFactory: createLoop });
  const context = await runner.run(() => {
    name.set("inner");
    return currentTask()?.getContext();
  });
  assertEquals(await runner.run(() => name.get(), { context: context?.copy() }), "inner");
});

Deno.test("Z03 Runner refuses to be used once it is closed, and to be closed twice does nothing", async () => {
  const runner = new Runner({ loopFactory: createLoop });
  await runner.run(() => {});
  const loop = runner.getLoop();
  await runner.close();
  await runner.close();
  assert(loop.isClosed());
  assertThrows(() => runner.getLoop(), InvalidStateError, "Cannot use a runner: it is closed");
  await assertRejects(() => runner.run(() => {}), InvalidStateError, "it is closed");
});

Deno.test("Z03 Runner that was never used closes without making a loop", async () => {
  let made = false;
  await new Runner({
    loopFactory: () => {
      made = true;
      return createLoop();
    },
  }).close();
  assertEquals(made, false);
});

Deno.test("Z03 run() refuses what is neither a function nor a coroutine", async () => {
  for (const main of [1, null, "main", {}]) {
    await assertRejects(
      () => run(main as never, { loopFactory: createLoop }),
      TypeError,
      "Cannot run: expected a function or a coroutine",
    );
  }
});

Deno.test("Runner.run() is refused while its loop runs", async () => {
  await using runner = new Runner({ loopFactory: createLoop });
  await runner.run(async () => {
    await assertRejects(() => runner.run(() => {}), InvalidStateError, "is running already");
  });
});

Deno.test("run() gives what main gives, whatever kind it is", async () => {
  const options = { loopFactory: createLoop };
  function* coroutine(): Coroutine<string> {
    yield* sleep(1);
    return "coroutine";
  }
  assertEquals(
    [
      await run(coroutine, options),
      await run(coroutine(), options),
      await run(async () => await sleep(1, "async function"), options),
      await run(() => sleep(1, "future"), options),
      await run(() => "value", options),
    ],
    ["coroutine", "coroutine", "async function", "future", "value"],
  );
});

Deno.test("run() throws CancelledError when main cancels itself, and closes the loop", async () => {
  const loop = createLoop();
  const error = await rejectionOf(run(async () => {
    currentTask()?.cancel("own");
    await sleep(1);
  }, { loopFactory: () => loop }));
  assertEquals(String(error), "CancelledError: own");
  assert(error instanceof CancelledError && loop.isClosed());
});

Deno.test("run() sets the debug mode that it is told, and leaves that of the factory else", async () => {
  const debugLoop = () => new EventLoop({ clock: new VirtualClock(), debug: true });
  const isDebug = () => getRunningLoop().getDebug();
  assertEquals(await run(isDebug, { loopFactory: debugLoop }), true);
  assertEquals(await run(isDebug, { loopFactory: debugLoop, debug: false }), false);
  assertEquals(await run(isDebug, { loopFactory: createLoop, debug: true }), true);
});

Deno.test("run() inside run() works on a loop of its own", async () => {
  const options = { loopFactory: createLoop };
  const result = await run(async () => {
    const outer = getRunningLoop();
    const inner = await run(async () => {
      await sleep(1);
      return getRunningLoop();
    }, options);
    assert(inner !== outer && inner.isClosed());
    return await sleep(1, "outer goes on");
  }, options);
  assertEquals(result, "outer goes on");
});

Deno.test("runMain() gives what main gives, where no signal came", async () => {
  assertEquals(await runMain(() => sleep(1, "value"), { loopFactory: createLoop }), "value");
});

Deno.test("runMain() is refused where a loop runs: it would end the program under it", async () => {
  const result = await run(async () => {
    await assertRejects(
      () => runMain(() => 1, { loopFactory: createLoop }),
      InvalidStateError,
      "Cannot run the program: an event loop is running here",
    );
    return await sleep(1, "goes on");
  }, { loopFactory: createLoop });
  assertEquals(result, "goes on");
});

Deno.test("run() inside run() ends the tasks that are left to it, whoever its caller is", async () => {
  const log: string[] = [];
  const inner = () =>
    run(async () => {
      createTask(() => cleanUpAsync(log));
      createTask(() => cleanUp(log));
      await sleep(0);
      return "inner";
    }, { loopFactory: createLoop });
  const result = await run(async () => {
    const other = createTask(() => sleep(2, "other"));
    const both = [
      await inner(),
      await createTask(function* () {
        return yield* ensureFuture(inner());
      }),
    ];
    return [...both, await other];
  }, { loopFactory: createLoop });
  assertEquals(result, ["inner", "inner", "other"]);
  assertEquals(log.length, 8);
});

Deno.test("run() in a callback of a loop ends the tasks that are left to it", async () => {
  const log: string[] = [];
  const result = await run(() =>
    new Promise((resolve) => {
      getRunningLoop().callSoon(() => {
        resolve(run(async () => {
          createTask(() => cleanUpAsync(log));
          await sleep(0);
          return "inner";
        }, { loopFactory: createLoop }));
      });
    }), { loopFactory: createLoop });
  assertEquals([result, log.length], ["inner", 2]);
});
