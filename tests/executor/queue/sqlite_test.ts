import { assertRejects } from "@std/assert";
import { BrokenExecutor, run } from "@gyre/asyncio";
import { QueueExecutor } from "@gyre/asyncio/queue";
import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
import jobs from "./_jobs.ts";
import { SQLITE } from "./_sqlite_engine.ts";
import { testBroker } from "./_suite.ts";

testBroker(SQLITE);

Deno.test("QueueExecutor fails a job with BrokenExecutor when the file cannot be opened", async () => {
  await run(async () => {
    const broker = new SqliteBroker({ path: "/tmp/no-such-folder/jobs.db" });
    await using executor = new QueueExecutor(broker);
    await assertRejects(
      async () => await executor.submit(jobs.double, 1),
      BrokenExecutor,
      'Cannot submit job "double": the broker cannot be reached',
    );
  });
});
