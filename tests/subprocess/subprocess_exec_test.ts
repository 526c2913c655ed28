import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { closeSync, openSync } from "node:fs";
import { CancelledError } from "../../loop/errors/errors.ts";
import { createSubprocessExec, STDOUT } from "../../subprocess/mod.ts";
import { createTask, getRunningLoop, run, sleep } from "../../loop/mod.ts";
import type { SubprocessExecOptions } from "../../subprocess/mod.ts";
import { bytes, onLoop, Recorder } from "./_recorder.ts";

/** Runs a program to its end and returns its protocol. */
function record(command: string, options: SubprocessExecOptions): Promise<Recorder> {
  return onLoop(function* (loop) {
    const [, recorder] = yield* loop.subprocessExec(() => new Recorder(loop), command, options);
    yield* recorder.ended;
    return recorder;
  });
}

/** Starts a program and returns the error of that. */
async function failure(command: string, options: SubprocessExecOptions = {}): Promise<Error> {
  const error = await onLoop(function* (loop) {
    try {
      yield* loop.subprocessExec(() => new Recorder(loop), command, options);
    } catch (error) {
      return error;
    }
    return null;
  });
  assert(error instanceof Error, "the program was started");
  return error;
}

Deno.test("subprocessExec() passes arguments as they are", async () => {
  const args = ["-c", `printf '%s|' "$@"`, "sh", "a b", "", "*", `"$HOME"`, "ü"];
  const { output } = await record("sh", { args });
  assertEquals(output[1], `a b||*|"$HOME"|ü|`);
});

Deno.test("subprocessExec() runs the child in cwd", async () => {
  for (const cwd of ["/tmp", new URL("file:///tmp/")]) {
    const { output } = await record("sh", { args: ["-c", "pwd"], cwd });
    assertEquals(output[1], "/tmp\n");
  }
});

Deno.test("subprocessExec() adds env to our environment, or replaces it", async () => {
  const args = ["-c", `echo "$MINE" "\${HOME-none}"`];
  const env = { MINE: "1" };
  const added = await record("/bin/sh", { args, env });
  assertMatch(added.output[1] ?? "", /^1 \//);
  const alone = await record("/bin/sh", { args, env, clearEnv: true });
  assertEquals(alone.output[1], "1 none\n");
});

Deno.test("startNewSession makes the child the leader of a session", async () => {
  const args = ["-c", "cut -d' ' -f1,5,6 /proc/$$/stat"];
  for (const startNewSession of [true, false]) {
    const { output } = await record("sh", { args, startNewSession });
    const [pid, group, session] = (output[1] ?? "").trim().split(" ");
    assertEquals([group, session].every((id) => id === pid), startNewSession);
  }
});

Deno.test("a descriptor as standard stream is the file that it stands for", async () => {
  const path = Deno.makeTempFileSync({ dir: "/tmp" });
  const fd = openSync(path, "w");
  await record("sh", { args: ["-c", "echo out; echo err >&2"], stdout: fd, stderr: fd });
  closeSync(fd);
  assertEquals(Deno.readTextFileSync(path), "out\nerr\n");

  const input = openSync(path, "r");
  const { output } = await record("cat", { stdin: input });
  closeSync(input);
  assertEquals(output[1], "out\nerr\n");
  Deno.removeSync(path);
});

Deno.test("STDOUT sends errors where the output goes, in the order written", async () => {
  const args = ["-c", "for i in 1 2 3; do echo out$i; echo err$i >&2; done; exit 5"];
  await onLoop(function* (loop) {
    const options = { args, stderr: STDOUT } as const;
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", options);
    assertEquals(transport.getPipeTransport(2), null);
    yield* recorder.ended;
    assertEquals(recorder.output, { 1: "out1\nerr1\nout2\nerr2\nout3\nerr3\n" });
    assertEquals(transport.getReturncode(), 5);
  });
});

for (const stderr of ["piped", "stdout"] as const) {
  Deno.test(`P05 a program that cannot be started throws, with stderr ${stderr}`, async () => {
    const missing = await failure("no-such-program", { stderr });
    assert(missing instanceof Deno.errors.NotFound, missing.name);
    assertMatch(missing.message, /no-such-program/);

    const missingPath = await failure("/nonexistent/program", { stderr });
    assert(missingPath instanceof Deno.errors.NotFound, missingPath.name);
    assertMatch(missingPath.message, /"\/nonexistent\/program|'\/nonexistent\/program/);

    const noProgram = await failure("/etc/passwd", { stderr });
    assert(noProgram instanceof Deno.errors.PermissionDenied, noProgram.name);
    assertMatch(noProgram.message, /\/etc\/passwd/);

    const noFolder = await failure("true", { cwd: "/tmp/no-such-folder", stderr });
    assert(noFolder instanceof Deno.errors.NotFound, noFolder.name);
    assertMatch(noFolder.message, /No such cwd '\/tmp\/no-such-folder'/);
  });

  Deno.test(`a missing grant names --allow-run=<command>, with stderr ${stderr}`, async () => {
    const error = await failure("ls", { stderr });
    assert(error instanceof Deno.errors.NotCapable, error.name);
    assertEquals(error.message, `Cannot run "ls": it requires --allow-run=ls`);
    assert(error.cause instanceof Deno.errors.NotCapable);
  });
}

Deno.test("P05 options of the wrong kind throw a TypeError before anything is started", async () => {
  const wrong: [string, unknown][] = [
    [`stdin must be "piped", "inherit", "null" or a descriptor, got "stdout"`, { stdin: "stdout" }],
    [`stdout must be "piped", "inherit", "null" or a descriptor, got "pipe"`, { stdout: "pipe" }],
    [`or a descriptor, got -1`, { stderr: -1 }],
    [`or a descriptor, got null`, { stderr: null }],
    [`"A=B" is no name of a variable`, { env: { "A=B": "1" } }],
    [`expected a string as argument, got 1`, { args: [1] }],
    [`its argument contains a nul character`, { args: ["\0"] }],
  ];
  await onLoop(function* (loop) {
    for (const [message, options] of wrong) {
      let thrown: unknown = null;
      try {
        yield* loop.subprocessExec(() => new Recorder(loop), "true", options as never);
      } catch (error) {
        thrown = error;
      }
      assert(thrown instanceof TypeError && thrown.message.includes(message), String(thrown));
    }
    const factory = () => new Recorder(loop);
    assertThrows(() => loop.subprocessExec(factory, 1 as never), TypeError, "string as command");
    assertThrows(() => loop.subprocessShell(factory, null as never), TypeError, "command line");
  });
});

Deno.test("a factory that is none or gives no protocol starts nothing", async () => {
  class Ported extends Recorder {}
  const wrong: [string, unknown][] = [
    ["expected a function as the factory, as in () => new Echo()", Ported],
    ["expected a function as the factory, got Object", {}],
    ["expected an object with its methods, got null", () => null],
    ["expected an object with its methods, got a promise", () => Promise.resolve({})],
    ['unknown method "process_exited", the name is', () => ({ process_exited: () => {} })],
  ];
  await onLoop(function* (loop) {
    for (const [message, factory] of wrong) {
      for (const start of ["subprocessExec", "subprocessShell"] as const) {
        let thrown: unknown = null;
        try {
          yield* loop[start](factory as () => Recorder, "no-such-program");
        } catch (error) {
          thrown = error;
        }
        assert(thrown instanceof TypeError && thrown.message.includes(message), String(thrown));
      }
    }
  });
});

Deno.test("a list of all words is no command, and the error says how it is written", async () => {
  await onLoop(function* (loop) {
    assertThrows(
      () => loop.subprocessExec(() => new Recorder(loop), ["echo", "hi"] as never),
      TypeError,
      'got a list; as in createSubprocessExec("echo", { args: ["hi"] })',
    );
    yield* sleep(0);
  });
});

Deno.test("a factory that throws starts nothing", async () => {
  await onLoop(function* (loop) {
    try {
      yield* loop.subprocessExec(() => {
        throw new RangeError("mine");
      }, "no-such-program");
    } catch (error) {
      assert(error instanceof RangeError);
      return;
    }
    throw new Error("Cannot see the error of the factory: there was none");
  });
});

Deno.test("cancelling subprocessExec() kills the child and waits for its end", async () => {
  await onLoop(function* (loop) {
    const recorder = new Recorder(loop);
    const starting = loop.subprocessExec(() => recorder, "cat");
    starting.cancel();
    try {
      yield* starting;
    } catch (error) {
      assert(error instanceof CancelledError);
    }
    assert(starting.cancelled());
    assertEquals(recorder.events.at(-1), "lost");
  });
});

Deno.test("cancelling the task that starts a process leaves no child behind", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    let pid = 0;
    const task = createTask(async () => {
      await using child = await createSubprocessExec("sleep", { args: ["100"] });
      pid = child.pid;
      await loop.createFuture();
    });
    while (pid === 0) await sleep(0);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    const probe = await createSubprocessExec("sh", {
      args: ["-c", `kill -0 ${pid}`],
      stderr: "null",
    });
    assertEquals(await probe.wait(), 1);
  });
});

Deno.test("write() to a child that was given more than it reads loses nothing", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const options = { args: ["-c", "head -c 3; cat >/dev/null; exit 0"] };
    const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", options);
    const stdin = transport.getPipeTransport(0);
    stdin?.writelines([bytes("a"), bytes("bc"), new Uint8Array(300_000)]);
    stdin?.close();
    yield* recorder.ended;
    assertEquals(recorder.output[1], "abc");
    assert(recorder.events.includes("pipe 0 lost"));
  });
});
