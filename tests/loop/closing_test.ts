// Every way to close a runner, a loop, a default executor: twice, while it runs, from inside.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createTask, InvalidStateError, run, Runner, sleep } from "../../loop/mod.ts";
import { rejectionOf } from "./_outcome.ts";
import { SignalledLoop } from "./_signalled_loop.ts";
import { TestLoop } from "./_test_loop.ts";

/** A task that takes two seconds to clean up. */
async function slow(log: string[]): Promise<void> {
  try {
    await sleep(100);
  } finally {
    await sleep(2);
    log.push("cleaned up");
  }
}

Deno.test("Runner.close() is refused while a run goes on, from inside and outside, without effect", async () => {
  const loop = new TestLoop();
  const runner = new Runner({ loopFactory: () => loop });
  const log: string[] = [];
  const running = runner.run(async () => {
    const task = createTask(() => sleep(1, "task"));
    await assertRejects(() => runner.close(), InvalidStateError, "its loop is running");
    await assertRejects(
      () => runner[Symbol.asyncDispose](),
      InvalidStateError,
      "Cannot close a runner: its loop is running",
    );
    log.push(await task);
    return "value";
  });
  await assertRejects(() => runner.close(), InvalidStateError, "its loop is running");
  assertEquals(await running, "value");
  assertEquals([log, loop.isClosed()], [["task"], false]);
  assertEquals(await runner.run(() => "again"), "again");
  await runner.close();
  assert(loop.isClosed());
});

Deno.test("Runner.close() is refused while others run its loop", async () => {
  const runner = new Runner({ loopFactory: () => new TestLoop() });
  const loop = runner.getLoop();
  const running = loop.runForever();
  await assertRejects(() => runner.close(), InvalidStateError, "its loop is running");
  loop.stop();
  await running;
  await runner.close();
  assert(loop.isClosed());
});

Deno.test("Runner.close() once more waits for the first, however often", async () => {
  const log: string[] = [];
  const runner = new Runner({ loopFactory: () => new TestLoop() });
  await runner.run(async () => {
    createTask(() => slow(log));
    await sleep(0);
  });
  const note = () => log.push("closed");
  await Promise.all([
    runner.close().then(note),
    runner.close().then(note),
    runner.close().then(note),
  ]);
  assertEquals(log, ["cleaned up", "closed", "closed", "closed"]);
  await runner.close();
});

Deno.test("Runner is not used while it closes", async () => {
  const runner = new Runner({ loopFactory: () => new TestLoop() });
  await runner.run(async () => {
    createTask(() => slow([]));
    await sleep(0);
  });
  const closing = runner.close();
  assertThrows(() => runner.getLoop(), InvalidStateError, "Cannot use a runner: it is closed");
  await assertRejects(() => runner.run(() => 1), InvalidStateError, "it is closed");
  await closing;
});

Deno.test("Runner.close() in a task that the closing waits for is refused, and hangs nothing", async () => {
  const runner = new Runner({ loopFactory: () => new TestLoop() });
  let refusal: unknown;
  await runner.run(async () => {
    createTask(async () => {
      try {
        await sleep(100);
      } finally {
        refusal = await rejectionOf(runner.close());
      }
    });
    await sleep(0);
  });
  await runner.close();
  assert(refusal instanceof InvalidStateError);
  assertEquals(refusal.message, "Cannot close a runner: that waits for the tasks of its loop");
});

Deno.test("Runner.close() that fails closes the loop, and a further one does nothing", async () => {
  const loop = new SignalledLoop();
  const runner = new Runner({ loopFactory: () => loop });
  await runner.run(() =>
    loop.setDefaultExecutor({
      submit: () => loop.createFuture<never>(),
      shutdown: () => Promise.reject(new TypeError("planted")),
    })
  );
  const first = runner.close();
  const second = runner.close();
  await assertRejects(() => first, TypeError, "planted");
  await second;
  await runner.close();
  assert(loop.isClosed());
});

Deno.test("Runner.close() does nothing more where the loop was closed by hand", async () => {
  const runner = new Runner({ loopFactory: () => new TestLoop() });
  await runner.run(() => {});
  runner.getLoop().close();
  await assertRejects(() => runner.run(() => 1), InvalidStateError, "is closed");
  await runner.close();
});

Deno.test("Runner closes after a run that failed, and after one that was stopped", async () => {
  for (const stopped of [false, true]) {
    const runner = new Runner({ loopFactory: () => new TestLoop() });
    const loop = runner.getLoop();
    const log: string[] = [];
    const error = await rejectionOf(runner.run(async () => {
      createTask(() => slow(log));
      await sleep(0);
      if (!stopped) throw new Error("planted");
      loop.stop();
      await sleep(100);
    }));
    assertEquals(error instanceof InvalidStateError, stopped);
    await runner.close();
    assertEquals([log, loop.isClosed()], [["cleaned up"], true]);
  }
});

Deno.test("EventLoop.close() is refused while it runs, from a callback and a task, without effect", async () => {
  const loop = new SignalledLoop();
  const refusals: unknown[] = [];
  const value = await run(async () => {
    const refused = () => assertThrows(() => loop.close(), InvalidStateError, "it is running");
    refusals.push(refused());
    await new Promise<void>((resolve) =>
      void loop.callSoon(() => {
        refusals.push(refused());
        resolve();
      })
    );
    return await loop.createTask(() => sleep(1, "goes on"));
  }, { loopFactory: () => loop });
  assertEquals([value, refusals.length, loop.isClosed()], ["goes on", 2, true]);
  loop.close();
  assertThrows(() => loop.callSoon(() => {}), InvalidStateError, "is closed");
});

Deno.test("shutdownDefaultExecutor() once more waits for the first, and then does nothing", async () => {
  const loop = new SignalledLoop();
  const log: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await run(async () => {
    loop.setDefaultExecutor({
      submit: () => loop.createFuture<never>(),
      shutdown: () => {
        log.push("shutdown");
        return promise;
      },
    });
    const first = loop.createTask(() => loop.shutdownDefaultExecutor());
    const second = loop.createTask(() => loop.shutdownDefaultExecutor());
    await sleep(1);
    assertEquals([first.done(), second.done()], [false, false]);
    assertThrows(() => loop.runInExecutor(null, () => 1), InvalidStateError, "was shut down");
    resolve();
    await first;
    await second;
    log.length = 0;
    await loop.shutdownDefaultExecutor();
  }, { loopFactory: () => loop });
  assertEquals(log, []);
});
