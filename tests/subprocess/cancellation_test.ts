// A cancellation that comes at any turn of the loop arrives, and leaves no process: starting one,
// waiting for it, talking to it, ending it.
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  CancelledError,
  createTask,
  getRunningLoop,
  run,
  sleep,
  type Task,
} from "../../loop/mod.ts";
import { simulate, type SimulatedProgram } from "../../simulation/mod.ts";
import { createSubprocessExec, createSubprocessShell, PIPE } from "../../subprocess/mod.ts";
import type { Process } from "../../subprocess/mod.ts";

const BIG = new Uint8Array(200_000);

/** What is cancelled. Each lists the process that it has started. */
const WORKS: Record<string, (started: Process[]) => Promise<unknown>> = {
  "createSubprocessExec() and wait()": async (started) => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE });
    started.push(cat);
    return await cat.wait();
  },
  "communicate() both ways": async (started) => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
    started.push(cat);
    return await cat.communicate(BIG);
  },
  "communicate() with one that reads nothing": async (started) => {
    const sleeper = await createSubprocessExec("sleep", {
      args: ["1000"],
      stdin: PIPE,
      stdout: PIPE,
    });
    started.push(sleeper);
    return await sleeper.communicate(BIG);
  },
  "an await using block": async (started) => {
    await using cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE, grace: 0.02 });
    started.push(cat);
    cat.stdin.write(BIG);
    return await cat.stdout.readExactly(BIG.length);
  },
};

/** The turns of the loop after which a cancellation comes. */
const TURNS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 30];

/** Whether `task` was cancelled; a result is right too, if it was there before. */
async function outcomeOf(task: Task<unknown>): Promise<string> {
  try {
    await task;
    return "done";
  } catch (error) {
    assertInstanceOf(error, CancelledError);
    return "cancelled";
  }
}

async function cancelAfter(turns: number, work: (started: Process[]) => Promise<unknown>) {
  const started: Process[] = [];
  const task = createTask(() => work(started));
  for (let turn = 0; turn < turns; turn += 1) await sleep(0);
  const wasDone = !task.cancel();
  assertEquals(await outcomeOf(task), wasDone ? "done" : "cancelled", `after ${turns} turns`);
  for (const process of started) {
    await process[Symbol.asyncDispose]();
    assertEquals(process.returncode !== null, true, `after ${turns} turns`);
  }
}

for (const [name, work] of Object.entries(WORKS)) {
  Deno.test(`A cancellation arrives at any turn, and leaves no process: ${name}`, () =>
    run(async () => {
      const reports: string[] = [];
      getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message));
      for (const turns of TURNS) await cancelAfter(turns, work);
      // Who ends a process himself misses nothing.
      assertEquals(reports, []);
    }));
}

/** Gives its input back. */
const cat: SimulatedProgram = async ({ stdin, stdout }) => {
  for (;;) {
    const bytes = await stdin.read(10_000);
    if (bytes.length === 0) return;
    stdout.write(bytes);
    await stdout.drain();
  }
};

for (const [name, work] of Object.entries(WORKS)) {
  Deno.test(`A cancellation arrives at any turn, of a simulated process: ${name}`, () =>
    simulate(async (sim) => {
      sim.program("cat", cat);
      sim.program("sleep", ({ args }) => sleep(Number(args[0])));
      for (let turns = 0; turns < 60; turns += 1) await cancelAfter(turns, work);
    }));
}

Deno.test("wait() that is cancelled at any turn spares the others that wait", () =>
  run(async () => {
    for (const turns of TURNS) {
      const shell = await createSubprocessShell("read line", { stdin: PIPE });
      const [given, kept] = [createTask(() => shell.wait()), createTask(() => shell.wait())];
      for (let turn = 0; turn < turns; turn += 1) await sleep(0);
      given.cancel();
      assertEquals(await outcomeOf(given), "cancelled");
      shell.stdin.write(new TextEncoder().encode("go\n"));
      assertEquals(await kept, 0);
    }
  }));
