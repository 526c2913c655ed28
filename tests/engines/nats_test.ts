import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { run } from "@gyre/asyncio";
import { QueueExecutor } from "@gyre/asyncio/queue";
import { NatsBroker } from "@gyre/asyncio/queue/nats";
import jobs from "../executor/queue/_jobs.ts";
import { testBroker } from "../executor/queue/_suite.ts";
import { NATS } from "./_nats_engine.ts";
import { hasCommand } from "../peers/_peer_process.ts";
import { Server } from "./_server.ts";

testBroker(NATS);

Deno.test({
  name: "NatsBroker takes what its server takes: a job that is larger fails with RangeError",
  ignore: !hasCommand("nats-server", "--version"),
  fn: () =>
    run(async () => {
      await using server = await Server.start((port, folder) => {
        const config = `jetstream { store_dir: "${folder}" }, max_payload: 8192`;
        Deno.writeTextFileSync(`${folder}/server.conf`, config);
        return [
          "nats-server",
          "-a",
          "127.0.0.1",
          "-p",
          String(port),
          "-c",
          `${folder}/server.conf`,
        ];
      });
      const url = `nats://127.0.0.1:${server.port}`;
      await using executor = new QueueExecutor(new NatsBroker({ url }));
      const large = new Uint8Array(8192);
      // Before it has connected it does not know; then it says so at the call.
      await assertRejects(async () => await executor.submit(jobs.echo, large), RangeError, "7168");
      assertThrows(() => executor.submit(jobs.echo, large), RangeError, "may take 7168");
      assertEquals(executor.submit(jobs.echo, 1).cancel(), true);
    }),
});
