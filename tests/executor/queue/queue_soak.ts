// 10,000 jobs in a queue while one of its workers is killed every half second.
import { getRunningLoop, run } from "@gyre/asyncio";
import { SQLITE } from "./_sqlite_engine.ts";
import { soak } from "./_suite.ts";

const COUNT = 10_000;

await run(async () => {
  const loop = getRunningLoop();
  await using engine = await SQLITE.start(1);
  const begin = loop.time();
  const kills = await soak(engine, { count: COUNT, workers: 4, kills: Infinity, pause: 0.5 });
  await engine.assertEmpty();
  const seconds = (loop.time() - begin).toFixed(1);
  console.log(
    `${SQLITE.name}: ${COUNT} jobs in ${seconds} s, ${kills} workers killed, nothing left`,
  );
});
