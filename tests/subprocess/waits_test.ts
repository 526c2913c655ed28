// What a snapshot says that tasks wait for of processes and jobs that are real.
import { createSubprocessExec, PIPE, run, toThread } from "../../mod.ts";
import { assertWaits } from "../transports/_waits.ts";

Deno.test("snapshot() says that tasks wait for a real process, and for what it says", () =>
  run(async () => {
    const child = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
    await assertWaits(
      () => child.wait(),
      new RegExp(`^process.wait of process ${child.pid} \\(cat\\)$`),
    );
    await assertWaits(() => child.stdout.readLine(), /^readLine from /);
    child.kill();
    await child.wait();
  }));

Deno.test("snapshot() says that tasks wait for a job of a real thread", () =>
  run(async () => {
    const halt = new Int32Array(new SharedArrayBuffer(4));
    const crunch = function crunch(flag: Int32Array): void {
      Atomics.wait(flag, 0, 0);
    };
    await assertWaits(() => toThread(crunch, halt), /^executor job "crunch"$/);
    Atomics.store(halt, 0, 1);
    Atomics.notify(halt, 0);
  }));
