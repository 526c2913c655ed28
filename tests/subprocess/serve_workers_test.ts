import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createSubprocessExec, run, serveWorkers, sleep } from "@gyre/asyncio";
import { rollUnderLoad } from "./_rolls.ts";
import { serveProgram, startSupervisor, visit } from "./_served_program.ts";

const APP = "./greeting_app.ts";

async function kill(pid: number): Promise<void> {
  await using shell = await createSubprocessExec("kill", { args: ["-KILL", String(pid)] });
  await shell.wait();
}

Deno.test("serveWorkers() loses no connection while workers are replaced and killed, but those of a killed one", async () => {
  await run(async () => {
    const { answered, workers, faults, exitCode } = await rollUnderLoad({
      seconds: 0,
      rolls: 2,
      kills: 1,
      visitors: 8,
    });
    assert(answered > 0);
    assert(workers >= 6);
    assertEquals({ faults, exitCode }, { faults: [], exitCode: 0 });
  });
});

Deno.test("serveWorkers() lets a worker serve what it has when it is replaced", async () => {
  await run(async () => {
    await using program = await serveProgram(APP, { workers: 1, grace: 60 });
    const { port, process } = program;
    using guest = await visit(port);
    process.sendSignal("SIGHUP");
    for (;;) {
      using newcomer = await visit(port);
      if (newcomer.pid !== guest.pid) break;
      await sleep(0.01);
    }
    assertEquals(await guest.say("still here"), "still here");
  });
});

Deno.test("serveWorkers() refuses connections once it is told to end, and serves those that are there", async () => {
  await run(async () => {
    await using program = await serveProgram(APP, { workers: 2, grace: 60 });
    const { port, process } = program;
    using guest = await visit(port);
    process.terminate();
    const connect = async () => {
      for (;; await sleep(0.01)) (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    };
    await assertRejects(connect, Deno.errors.ConnectionRefused);
    assertEquals(await guest.say("still here"), "still here");
    assertEquals(await process.wait(), 0);
  });
});

Deno.test("serveWorkers() replaces a worker that is killed; what waits is served, none is refused", async () => {
  await run(async () => {
    await using program = await serveProgram(APP, { workers: 1, grace: 1 });
    const { port, process } = program;
    let pid: number;
    {
      using guest = await visit(port);
      pid = guest.pid;
    }
    await kill(pid);
    // Connects at once, before there is a successor.
    using guest = await visit(port);
    assert(guest.pid !== pid && guest.pid > 0);
    process.terminate();
    const [, errors] = await process.communicate();
    assertMatch(
      new TextDecoder().decode(errors),
      new RegExp(`Process ${pid} was ended by signal SIGKILL; another one starts in 0.1 seconds`),
    );
    assertEquals(process.returncode, 0);
  });
});

Deno.test("serveWorkers() kills a worker that does not end in its time, and exits with 1", async () => {
  await run(async () => {
    await using program = await serveProgram("./stuck_app.ts", { workers: 1, grace: 0 });
    using guest = await visit(program.port);
    const answer = guest.say("hello");
    await program.process.stdout.readLine();
    program.process.terminate();
    assertEquals(await program.process.wait(), 1);
    assertEquals(await answer, "");
  });
});

Deno.test("serveWorkers() exits with the error when the first worker does not get to listen", async () => {
  await run(async () => {
    const endings = [["./broken_app.ts", "no database"], [
      "./without_main.ts",
      "exports no function",
    ]];
    for (const [app = "", text = ""] of endings) {
      await using process = await startSupervisor(app, { workers: 1 });
      const [, errors] = await process.communicate();
      assertEquals(process.returncode, 1);
      const printed = new TextDecoder().decode(errors);
      assertMatch(printed, new RegExp(text));
      assertMatch(printed, /Cannot serve: Process \d+ exited with code 1 before it listened/);
    }
  });
});

Deno.test("serveWorkers() ends with its workers, and they with it", async () => {
  await run(async () => {
    await using program = await serveProgram(APP, { workers: 1, grace: 1 });
    using guest = await visit(program.port);
    program.process.kill();
    // The worker hears that its supervisor is gone, and ends as it is told to.
    assertEquals(await guest.say("goodbye"), "goodbye");
    for (;;) {
      await using probe = await createSubprocessExec("kill", {
        args: ["-0", String(guest.pid)],
        stderr: "null",
      });
      if (await probe.wait() !== 0) break;
      await sleep(0.02);
    }
  });
});

Deno.test("serveWorkers() with threads serves, rolls and returns when its signal aborts", async () => {
  const done = new AbortController();
  const answers: string[] = [];
  await serveWorkers(new URL("./programs/greeting_app.ts", import.meta.url), {
    workers: 2,
    threads: true,
    hostname: "127.0.0.1",
    grace: 1,
    signal: done.signal,
    onServing: async ({ port }) => {
      using guest = await visit(port);
      answers.push(await guest.say("hello"));
      done.abort();
    },
  });
  assertEquals(answers, ["hello"]);
});

Deno.test("serveWorkers() refuses a relative module, a loop that runs, and restrictions of threads", async () => {
  const app = new URL("./programs/greeting_app.ts", import.meta.url);
  for (const path of ["./app.ts", "C:\\app.ts"]) {
    await assertRejects(() => serveWorkers(path), TypeError, "is not absolute");
  }
  await assertRejects(
    () => serveWorkers(app, { threads: true, permissions: {} }),
    TypeError,
    "Cannot serve by workers: threads have the permissions of this process",
  );
  await assertRejects(() => serveWorkers(app, { port: 70_000 }), RangeError, "from 0 to 65535");
  await run(async () => {
    await assertRejects(() => serveWorkers(app), Error, "an event loop is running here");
  });
});

Deno.test("serveWorkers() fails with Deno's error where something listens already", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const app = new URL("./programs/greeting_app.ts", import.meta.url);
  const options = { hostname: "127.0.0.1", port, threads: true, workers: 1 };
  await assertRejects(() => serveWorkers(app, options), Deno.errors.AddrInUse);
});
