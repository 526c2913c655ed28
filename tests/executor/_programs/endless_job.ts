// Ends by itself although a job does not, in the way that the argument names.
import {
  DenoEventLoop,
  getRunningLoop,
  ProcessPoolExecutor,
  run,
  sleep,
  toThread,
  WorkerPoolExecutor,
} from "../../../mod.ts";

const endless = () => {
  for (;;);
};

const WAYS: Record<string, () => Promise<unknown>> = {
  "run end": () =>
    run(async () => {
      toThread(endless).cancel();
      void toThread(endless).catch(() => {});
      await sleep(0.05);
    }),
  "shutdown timeout": () =>
    run(async () => {
      void toThread(endless).catch(() => {});
      await sleep(0.05);
      await getRunningLoop().shutdownDefaultExecutor({ timeout: 0.05 });
    }),
  "loop close": async () => {
    const loop = new DenoEventLoop();
    void loop.runInExecutor(null, endless);
    await loop.runUntilComplete(() => sleep(0.05));
    loop.close();
  },
  "forgotten thread pool": () =>
    run(async () => {
      const pool = new WorkerPoolExecutor();
      void pool.submit(endless);
      await sleep(0.05);
    }),
  "forgotten process pool": () =>
    run(async () => {
      const pool = new ProcessPoolExecutor({ maxWorkers: 1 });
      const pid = await pool.submit(() => Deno.pid);
      console.log(`pid ${pid}`);
      void pool.submit(endless);
      await sleep(0.05);
    }),
};

await WAYS[Deno.args[0] ?? ""]?.();
console.log("end");
