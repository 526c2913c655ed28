// What foreign code keeps in an AsyncLocalStorage, around jobs.
import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import {
  type Coroutine,
  createJob,
  createTask,
  getRunningLoop,
  run,
  runCoroutineThreadsafe,
  sleep,
  toThread,
} from "../../mod.ts";

const storage = new AsyncLocalStorage<string>();
const store = () => storage.getStore() ?? "nothing";

Deno.test("toThread() and runInExecutor() leave the foreign context of who awaits them", async () => {
  const seen = await run(() =>
    storage.run("A", async () => {
      const loop = getRunningLoop();
      const inCoroutine = createTask(function* (): Coroutine<string> {
        yield* toThread(() => 1);
        const first = store();
        yield* loop.runInExecutor(null, () => 1);
        return `${first} ${store()}`;
      });
      await toThread(() => 1);
      const first = store();
      await loop.runInExecutor(null, () => 1);
      const done = Promise.withResolvers<string>();
      loop.runInExecutor(null, () => 1).addDoneCallback(() => done.resolve(store()));
      return [first, store(), await inCoroutine, await done.promise];
    })
  );
  assertEquals(seen, ["A", "A", "A A", "A"]);
});

Deno.test("onProgress of a job is called in the foreign context of who started the job", async () => {
  const seen = await run(async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const job = createJob(
      (report: (value: number) => void) => report(1),
      { onProgress: () => resolve(store()) },
    );
    await storage.run("A", () => getRunningLoop().runInExecutor(null, job));
    return await promise;
  });
  assertEquals(seen, "A");
});

Deno.test("runCoroutineThreadsafe() keeps the foreign context of its caller", async () => {
  const seen = await run(async () => {
    const loop = getRunningLoop();
    return await storage.run("A", () =>
      runCoroutineThreadsafe(async () => {
        await sleep(0);
        return store();
      }, loop));
  });
  assertEquals(seen, "A");
});
