// 10,000 jobs in a queue while one of its workers is killed at random every half second. The argument
// is the engine: sqlite, bullmq or nats.
import { run } from "@gyre/asyncio";
import { NATS } from "../../engines/_nats_engine.ts";
import { REDIS } from "../../engines/_redis_engine.ts";
import { SQLITE } from "./_sqlite_engine.ts";
import { soak } from "./_suite.ts";

const COUNT = 10_000;

const [name = "sqlite"] = Deno.args;
const kind = { sqlite: SQLITE, bullmq: REDIS, nats: NATS }[name];
if (kind === undefined) throw new TypeError(`Cannot run jobs: there is no engine "${name}"`);

await using server = await kind.startServer?.();
await run(async () => {
  await using engine = await kind.start(1, server);
  const { seconds, killed, repeated } = await soak(engine, {
    count: COUNT,
    workers: 4,
    pause: 0.5,
  });
  await engine.assertEmpty();
  console.log(
    `${kind.name}: ${COUNT} jobs in ${seconds.toFixed(1)} s, ` +
      `${(COUNT / seconds).toFixed(0)} a second; ${killed} workers killed, ` +
      `${repeated} effects more than once, nothing left`,
  );
});
