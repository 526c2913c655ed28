/**
 * Scheduling work for bench/peers.ts: prints microseconds for each operation as JSON.
 *
 * @module
 */
import { type Coroutine, createTask, EventLoop, gather, sleep } from "@gyre/asyncio/loop";

const isQuick = Deno.args.includes("--quick");
const COUNT = isQuick ? 2_000 : 200_000;
const GATHERED = isQuick ? 1_000 : 100_000;

/** Each gives the number of operations it did. */
const WORK: Record<string, (loop: EventLoop) => Promise<number>> = {
  async "callSoon chain"(loop) {
    let left = COUNT;
    const step = () => {
      left -= 1;
      if (left > 0) loop.callSoon(step);
      else loop.stop();
    };
    loop.callSoon(step);
    await loop.runForever();
    return COUNT;
  },

  async "callSoon batch"(loop) {
    const step = () => {};
    for (let index = 0; index < COUNT; index += 1) loop.callSoon(step);
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    return COUNT;
  },

  "callLater and cancel"(loop) {
    const step = () => {};
    for (let index = 0; index < COUNT; index += 1) loop.callLater(100, step).cancel();
    return Promise.resolve(COUNT);
  },

  "sleep(0)"(loop) {
    return loop.runUntilComplete(function* () {
      for (let index = 0; index < COUNT; index += 1) yield* sleep(0);
      return COUNT;
    });
  },

  "create and await a task"(loop) {
    return loop.runUntilComplete(function* () {
      for (let index = 0; index < COUNT; index += 1) yield* createTask(nothing());
      return COUNT;
    });
  },

  "gather of 100,000"(loop) {
    return loop.runUntilComplete(function* () {
      yield* gather(Array.from({ length: GATHERED }, () => nothing()));
      return GATHERED;
    });
  },
};

function* nothing(): Coroutine<void> {}

const results: Record<string, number> = {};
for (const [name, work] of Object.entries(WORK)) {
  const loop = new EventLoop();
  // The engine compiles what runs often: the first rounds do not count.
  for (let round = 0; round < 3; round += 1) await work(loop);
  const start = performance.now();
  const count = await work(loop);
  results[name] = (performance.now() - start) / count * 1e3;
  loop.close();
}
console.log(JSON.stringify(results));
