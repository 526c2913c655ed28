import { assertEquals, assertRejects } from "@std/assert";
import { createTask, InvalidStateError, sleep } from "../../loop/mod.ts";
import { withoutLeaks } from "../../simulation/deno_loop_tests.ts";
import { loopTest, simulate, type SimulationMain } from "../../simulation/mod.ts";

loopTest("loopTest() runs its body in virtual time", { seed: 7 }, async ({ loop, seed }) => {
  await sleep(3600);
  assertEquals([loop.time(), seed], [3600, 7]);
});

loopTest("loopTest() runs a coroutine", function* ({ loop }) {
  yield* sleep(1);
  assertEquals(loop.time(), 1);
});

async function leaksOf(body: SimulationMain<unknown>): Promise<string> {
  const main = withoutLeaks(body);
  const run = () => simulate(main, { report: () => {} });
  return (await assertRejects(run, InvalidStateError)).message;
}

Deno.test("loopTest() names the tasks that are left", async () => {
  const message = await leaksOf(async ({ loop }) => {
    createTask(() => loop.createFuture(), { name: "reader" });
    await sleep(1);
  });
  assertEquals(message, `Cannot end a test as nothing may be left: task "reader" still runs`);
});

Deno.test("loopTest() names the timers that are left", async () => {
  const message = await leaksOf(({ loop }) => {
    loop.callLater(5, function heartbeat() {});
    loop.callLater(3, () => {}).cancel();
  });
  assertEquals(
    message,
    "Cannot end a test as nothing may be left: timer of heartbeat() at 5 seconds is pending",
  );
});
