// Which task held up everybody else, where its function goes on by what is not ours.
import { assert, assertEquals } from "@std/assert";
import { createTask, EventLoop, sleep, type SlowStep } from "../../../loop/mod.ts";

/** Seconds that a planted step takes. */
const LONG = 0.06;

/** Runs without a pause. */
function work(): void {
  for (const end = performance.now() + LONG * 1000; performance.now() < end;);
}

/** A promise that the host settles. */
const foreign = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

const BODIES: Readonly<Record<string, () => Promise<void>>> = {
  "after its first await": async () => {
    await sleep(0.001);
    work();
    await sleep(0.001);
  },
  "after a foreign promise": async () => {
    await foreign();
    work();
    await sleep(0);
  },
  "after a foreign promise, at its end": async () => {
    await sleep(0);
    await foreign();
    work();
  },
  "after a foreign promise, deep in a stack of calls": async () => {
    const nested = async (depth: number): Promise<void> => {
      if (depth > 0) return await nested(depth - 1);
      await foreign();
      work();
    };
    await nested(9);
    await sleep(0);
  },
  "from a foreign promise to a foreign promise": async () => {
    await foreign();
    work();
    await foreign();
    await sleep(0);
  },
};

/** Runs `body` as a task, and gives the slow steps that were told of it. */
async function slowStepsOf(
  body: () => Promise<void>,
  isBusy: boolean,
  begin: (loop: EventLoop) => unknown,
): Promise<SlowStep[]> {
  const loop = new EventLoop();
  loop.slowCallbackDuration = LONG / 2;
  begin(loop);
  await loop.runUntilComplete(function* () {
    const worker = createTask(body, { name: "worker" });
    // A loop that is busy gives the host its turns; one that is not waits.
    while (isBusy && !worker.done()) yield* sleep(0);
    yield* worker;
  });
  const { slow } = loop.snapshot();
  loop.close();
  return slow.filter(({ task }) => task === "worker");
}

for (const [what, body] of Object.entries(BODIES)) {
  for (const isBusy of [false, true]) {
    const state = isBusy ? "is busy" : "waits";
    Deno.test(`a slow step of an async function ${what} is told with its task, as the loop ${state}`, async () => {
      const ways: ((loop: EventLoop) => unknown)[] = [(loop) => loop.onSlowCallback(() => {})];
      // Of the steps of a busy loop only some are timed where nobody wants to know of each.
      if (!isBusy) ways.push((loop) => loop.setMeasuring(true));
      for (const begin of ways) {
        const steps = await slowStepsOf(body, isBusy, begin);
        const longest = Math.max(...steps.map(({ seconds }) => seconds));
        assert(longest > LONG * 0.75, JSON.stringify(steps));
        assert(steps.every((step) => step.what.startsWith(`task "worker"`)));
      }
    });
  }
}

Deno.test("foreign code that takes long is told as that, if several tasks may have run it", async () => {
  const loop = new EventLoop();
  loop.slowCallbackDuration = LONG / 2;
  const told: SlowStep[] = [];
  loop.onSlowCallback((step) => void told.push(step));
  await loop.runUntilComplete(async () => {
    const others = [createTask(foreign), createTask(foreign)];
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(() => {
      work();
      resolve();
    }, 10);
    await Promise.all([...others, promise]);
    await sleep(0.001);
  });
  loop.close();
  assert(told.length > 0);
  assertEquals(told.filter(({ what }) => !/foreign code|Task-1/.test(what)), []);
});
