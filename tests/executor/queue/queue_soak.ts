// 10,000 jobs in a queue while one of its workers is killed at random every half second.
import { run } from "@gyre/asyncio";
import { SQLITE } from "./_sqlite_engine.ts";
import { soak } from "./_suite.ts";

const COUNT = 10_000;

await run(async () => {
  await using engine = await SQLITE.start(1);
  const { seconds, killed, repeated } = await soak(engine, {
    count: COUNT,
    workers: 4,
    pause: 0.5,
  });
  await engine.assertEmpty();
  console.log(
    `${SQLITE.name}: ${COUNT} jobs in ${seconds.toFixed(1)} s, ` +
      `${(COUNT / seconds).toFixed(0)} a second; ${killed} workers killed, ` +
      `${repeated} effects more than once, nothing left`,
  );
});
