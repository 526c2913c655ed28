import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createSubprocessExec, createSubprocessShell, PIPE, sleep } from "../../mod.ts";
import { simulate, type SimulatedProgram, type SimulationMain } from "../../simulation/mod.ts";
import { utf8 } from "./_echo.ts";

/** Sends its input back, in capitals. */
const upper: SimulatedProgram = async ({ stdin, stdout, args }) => {
  for await (const line of stdin) {
    await sleep(1);
    stdout.write(utf8(args.join() + new TextDecoder().decode(line).toUpperCase()));
    await stdout.drain();
  }
};

function test(name: string, main: SimulationMain<void>): void {
  Deno.test(name, () =>
    simulate((sim) => {
      sim.program("upper", upper);
      sim.program("exit", ({ args }) => Number(args[0]));
      sim.program("sleep", ({ args }) => sleep(Number(args[0])));
      sim.program("fail", () => Promise.reject(new Error("no luck")));
      return main(sim);
    }));
}

function decode(bytes: Uint8Array | null): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array(0));
}

test("a child talks over its pipes and ends with a code", async ({ loop }) => {
  const child = await createSubprocessExec("upper", { args: ["> "], stdin: PIPE, stdout: PIPE });
  const [output, errors] = await child.communicate(utf8("one\ntwo\n"));
  assertEquals([decode(output), errors], ["> ONE\n> TWO\n", null]);
  assertEquals([child.returncode, loop.time()], [0, 2]);
  const failed = await createSubprocessExec("exit", { args: ["7"] });
  assertEquals(await failed.wait(), 7);
});

test("a child that throws writes to its errors and ends with 1", async () => {
  const child = await createSubprocessExec("fail", { stderr: PIPE });
  const [, errors] = await child.communicate();
  assertEquals([decode(errors), child.returncode], ["Error: no luck\n", 1]);
});

test("a program that the simulation does not know is not found", async () => {
  await assertRejects(() => createSubprocessExec("cat"), Deno.errors.NotFound);
  const child = await createSubprocessShell("cat file");
  assertEquals(await child.wait(), 127);
  assertEquals(await (await createSubprocessShell("exit 3")).wait(), 3);
});

test("a signal ends a child that does not handle it, where it stands", async ({ loop }) => {
  const child = await createSubprocessExec("sleep", { args: ["100"] });
  await sleep(1);
  child.terminate();
  assertEquals(await child.wait(), -15);
  assertEquals(loop.time(), 1);
});

test("a signal that a child handles does not end it, and SIGKILL does", async (sim) => {
  const log: string[] = [];
  sim.program("stubborn", async ({ onSignal }) => {
    onSignal("SIGTERM", () => log.push("ignored"));
    try {
      await sleep(100);
    } finally {
      log.push("never");
    }
  });
  const child = await createSubprocessExec("stubborn");
  await sleep(1);
  child.terminate();
  await sleep(1);
  assertEquals([log, child.returncode], [["ignored"], null]);
  child.kill();
  assertEquals(await child.wait(), -9);
  assertEquals(log, ["ignored"]);
});

test("children die with their host", async (sim) => {
  const log: string[] = [];
  const host = sim.host("server");
  sim.program("ticker", async () => {
    for (;;) {
      await sleep(1);
      log.push(`tick ${sim.loop.time()}`);
    }
  });
  await host.run(() => createSubprocessExec("ticker"));
  await sleep(2.5);
  host.crash();
  await sleep(10);
  assertEquals(log, ["tick 1", "tick 2"]);
});

test("jobs of an executor run in simulated time, and finish in an order of the seed", async ({ loop }) => {
  const square = async (value: number) => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return value * value;
  };
  const order: number[] = [];
  const jobs = [1, 2, 3, 4].map((value) => {
    const job = loop.runInExecutor(null, square, value);
    job.addDoneCallback(() => order.push(value));
    return job;
  });
  const results = [];
  for (const job of jobs) results.push(await job);
  assertEquals(results, [1, 4, 9, 16]);
  assert(loop.time() > 1 && loop.time() < 1.001);
  assertEquals(order.toSorted(), [1, 2, 3, 4]);
  await assertRejects(
    () => loop.runInExecutor(null, () => JSON.parse("{")),
    SyntaxError,
  );
});

test("a signal has the number that Linux gives it, on any system", async () => {
  const codes: Partial<Record<Deno.Signal, number | null>> = {};
  for (const signal of ["SIGUSR1", "SIGBUS", "SIGXCPU", "SIGSYS", "SIGPIPE"] as const) {
    const child = await createSubprocessExec("sleep", { args: ["100"] });
    child.sendSignal(signal);
    codes[signal] = await child.wait();
  }
  assertEquals(codes, { SIGUSR1: -10, SIGBUS: -7, SIGXCPU: -24, SIGSYS: -31, SIGPIPE: -13 });
});

test("a signal that ends no process leaves a child alone", async ({ loop }) => {
  const child = await createSubprocessExec("sleep", { args: ["1"] });
  for (const signal of ["SIGCHLD", "SIGWINCH", "SIGCONT", "SIGURG"] as const) {
    child.sendSignal(signal);
  }
  assertEquals([await child.wait(), loop.time()], [0, 1]);
});

test("a signal that Linux lacks is neither sent nor handled", async ({ loop }) => {
  const child = await createSubprocessExec("sleep", { args: ["1"] });
  for (const signal of ["SIGBREAK", "SIGINFO", "toString"] as Deno.Signal[]) {
    assertThrows(() => child.sendSignal(signal), TypeError, `Cannot send ${signal} to process`);
    assertThrows(() => loop.addSignalHandler(signal, () => {}), TypeError, signal);
  }
  assertEquals(await child.wait(), 0);
});
