import { assertEquals, assertRejects } from "@std/assert";
import { createTask, InvalidStateError, sleep } from "../../loop/mod.ts";
import { openConnection, startServer, startUnixServer } from "../../transports/mod.ts";
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

Deno.test("loopTest() names the servers and connections that are open", async () => {
  const message = await leaksOf(async ({ host }) => {
    const server = host("server");
    await server.run(() => startServer(() => sleep(1), { port: 80 }));
    await openConnection({ hostname: "server", port: 80 });
    await startServer(() => {}, { port: 81 });
    await sleep(2);
  });
  const [, list = ""] = message.split("may be left: ");
  assertEquals(list.split("; ").toSorted(), [
    "Server on [::]:81 is open",
    "StreamTransport to 10.0.0.2:80 is open",
  ]);
});

Deno.test("loopTest() names the Unix sockets that are open", async () => {
  const message = await leaksOf(() => startUnixServer(() => {}, { path: "/tmp/leak.sock" }));
  assertEquals(
    message,
    "Cannot end a test as nothing may be left: Server on /tmp/leak.sock is open",
  );
});
