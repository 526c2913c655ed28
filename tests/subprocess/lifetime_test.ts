import { assertEquals } from "@std/assert";
import { createTask, DenoEventLoop, run, sleep } from "../../loop/mod.ts";
import { createSubprocessExec, PIPE } from "../../subprocess/mod.ts";
import { onLoop, Recorder, text } from "./_recorder.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** Runs a program of the folder beside, and returns what it printed. */
async function runProgram(name: string, ...args: string[]): Promise<string> {
  const program = filePath(new URL(`programs/${name}`, import.meta.url));
  const flags = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-run=sleep"];
  return await run(async () => {
    const deno = await createSubprocessExec("deno", {
      args: [...flags, program, ...args],
      stdout: PIPE,
    });
    const [output] = await deno.communicate();
    assertEquals(deno.returncode, 0);
    return text(output).trim();
  });
}

/** Returns the state of process `pid`: `S` when it sleeps, `gone` when there is none. */
async function stateOf(pid: string): Promise<string> {
  return await run(async () => {
    const line = `cut -d' ' -f3 /proc/${pid}/stat 2>/dev/null`;
    const shell = await createSubprocessExec("sh", { args: ["-c", line], stdout: PIPE });
    const [state] = await shell.communicate();
    return text(state).trim() || "gone";
  });
}

Deno.test("EventLoop.close() kills the children of the loop", async () => {
  const children: (Deno.ChildProcess | undefined)[] = [];
  await onLoop(function* (loop) {
    const [transport] = yield* loop.subprocessExec(() => new Recorder(loop), "cat");
    children.push(transport.getExtraInfo("subprocess"));
  });
  const status = await children[0]?.status;
  assertEquals(status?.signal, "SIGKILL");
});

Deno.test("EventLoop.close() leaves a child alone that has ended", async () => {
  await onLoop(function* (loop) {
    const [transport, recorder] = yield* loop.subprocessExec(() => new Recorder(loop), "true");
    yield* recorder.ended;
    assertEquals(transport.getReturncode(), 0);
  });
});

Deno.test("run() ends the tasks that hold processes, and with them the processes", async () => {
  let pid = "";
  await run(async () => {
    createTask(async () => {
      await using child = await createSubprocessExec("sleep", { args: ["1000"] });
      pid = `${child.pid}`;
      await child.wait();
    });
    while (pid === "") await sleep(0.001);
  });
  assertEquals(await stateOf(pid), "gone");
});

Deno.test("run() kills processes that nobody has waited for, and waits for their ends", async () => {
  let pid = "";
  await run(async () => {
    const options = { stdin: PIPE, stdout: PIPE } as const;
    pid = `${(await createSubprocessExec("cat", options)).pid}`;
  });
  assertEquals(await stateOf(pid), "gone");
});

Deno.test("run() leaves no orphan behind that nobody has waited for", async () => {
  const pid = await runProgram("abandon_child.ts", "run");
  const state = await stateOf(pid);
  assertEquals(["gone", "Z"].includes(state), true, state);
});

Deno.test("a stopped loop does not hold the program alive, nor do its children", async () => {
  const pid = await runProgram("abandon_child.ts", "stop");
  assertEquals(await stateOf(pid), "S");
  await run(async () => {
    const kill = await createSubprocessExec("kill", { args: [pid] });
    await kill.wait();
  });
});

Deno.test("an error of the body ends the process of an await using block", async () => {
  let pid = "";
  const failed = await run(async () => {
    await using child = await createSubprocessExec("sleep", { args: ["1000"] });
    pid = `${child.pid}`;
    throw new RangeError("mine");
  }).catch((error) => error);
  assertEquals(failed instanceof RangeError, true);
  assertEquals(await stateOf(pid), "gone");
});

Deno.test("two loops have children of their own", async () => {
  const [first, second] = [new DenoEventLoop(), new DenoEventLoop()];
  const start = (loop: DenoEventLoop) =>
    loop.runUntilComplete(function* () {
      const [transport, recorder] = yield* loop.subprocessExec(() => new Recorder(loop), "cat");
      transport.getPipeTransport(0)?.close();
      yield* recorder.ended;
      return transport.getReturncode();
    });
  assertEquals(await Promise.all([start(first), start(second)]), [0, 0]);
  first.close();
  second.close();
});
