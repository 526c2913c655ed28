// A job has started a program that goes on and holds the output of its worker: no end of a pool waits
// for that program.
import { assertEquals, assertRejects } from "@std/assert";
import {
  CancelledError,
  createJob,
  DenoEventLoop,
  Event,
  ProcessPoolExecutor,
  run,
  toThread,
} from "../../mod.ts";

const OPTIONS = { maxWorkers: 1, permissions: { run: ["sleep"] } };

/** Starts the program, and returns its number. */
const leave = () => {
  const sleep = new Deno.Command("sleep", { args: ["1000"], stdin: "inherit" }).spawn();
  sleep.unref();
  return sleep.pid;
};

/** Ends the program, which must be there still. */
async function end(pid: number): Promise<void> {
  const { success } = await new Deno.Command("kill", { args: ["-s", "KILL", `${pid}`] }).output();
  assertEquals(success, true);
}

const ENDS: Record<string, () => Promise<number>> = {
  "the end of a block": () =>
    run(async () => {
      await using pool = new ProcessPoolExecutor(OPTIONS);
      return await pool.submit(leave);
    }),
  "shutdown() with a timeout of zero": () =>
    run(async () => {
      const pool = new ProcessPoolExecutor(OPTIONS);
      const pid = await pool.submit(leave);
      await pool.shutdown({ timeout: 0 });
      return pid;
    }),
  "cancelling the job": () =>
    run(async () => {
      await using pool = new ProcessPoolExecutor(OPTIONS);
      let pid = 0;
      const started = new Event();
      const job = createJob((report: (pid: number) => void) => {
        report(new Deno.Command("sleep", { args: ["1000"] }).spawn().pid);
        return new Promise(() => {});
      }, {
        onProgress: (itsPid: number) => {
          pid = itsPid;
          started.set();
        },
      });
      const running = pool.submit(job);
      await started.wait();
      running.cancel();
      await assertRejects(async () => await running, CancelledError);
      assertEquals(await pool.submit(() => "next"), "next");
      return pid;
    }),
  "the exit of the worker": () =>
    run(async () => {
      await using pool = new ProcessPoolExecutor(OPTIONS);
      const pid = await pool.submit(leave);
      await assertRejects(async () => await pool.submit(() => Deno.exit(1)));
      assertEquals(await pool.submit(() => "next"), "next");
      return pid;
    }),
  "the end of run()": () =>
    run(() => toThread(leave), {
      loopFactory: () => new DenoEventLoop({ permissions: { executors: true, run: ["sleep"] } }),
    }),
};

for (const [name, body] of Object.entries(ENDS)) {
  Deno.test(`A program that a job has started does not hold up ${name}`, async () => {
    await end(await body());
  });
}
