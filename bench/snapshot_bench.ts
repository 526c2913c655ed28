// What a snapshot costs: it must be linear in the tasks there are.
import { createTask, gather, getRunningLoop, Queue, run, sleep } from "../mod.ts";

/** Tasks that wait in several ways, a tenth of them through another one. */
function* populate(count: number): Generator<unknown, void, unknown> {
  const queue = new Queue<number>();
  for (let index = 0; index < count; index += 10) {
    const first = createTask(() => sleep(3600));
    for (let other = 0; other < 4; other += 1) createTask(() => queue.get());
    for (let other = 0; other < 4; other += 1) createTask(async () => void await sleep(3600));
    createTask(() => gather([first]));
  }
  yield* sleep(0.01);
}

for (const count of [1_000, 10_000, 100_000]) {
  Deno.bench(
    `snapshot() of ${count} tasks`,
    { n: count > 50_000 ? 5 : 20, warmup: 3 },
    async (b) => {
      await run(function* () {
        yield* populate(count);
        const loop = getRunningLoop();
        b.start();
        const { tasks } = loop.snapshot();
        b.end();
        if (tasks.length !== count + 1) throw new Error(`There are ${tasks.length} tasks`);
      });
    },
  );
}
