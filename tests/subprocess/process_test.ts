import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  createTask,
  gather,
  getRunningLoop,
  run,
  sleep,
  TimeoutError,
  waitFor,
} from "../../loop/mod.ts";
import {
  createSubprocessExec,
  createSubprocessShell,
  DEVNULL,
  PIPE,
  type Process,
  STDOUT,
} from "../../subprocess/mod.ts";
import { bytes, text } from "./_recorder.ts";

/** Whether process `pid` exists. */
async function exists(pid: number): Promise<boolean> {
  const probe = await createSubprocessExec("kill", { args: ["-0", `${pid}`], stderr: DEVNULL });
  return await probe.wait() === 0;
}

Deno.test("P03 communicate() sends its input and gives what came back", async () => {
  await run(async () => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE, stderr: PIPE });
    const [output, errors] = await cat.communicate(bytes("meow"));
    assertEquals([text(output), text(errors), cat.returncode], ["meow", "", 0]);
  });
});

Deno.test("P03 communicate() gives null for a stream that is no pipe", async () => {
  await run(async () => {
    const quiet = await createSubprocessExec("true", { stdin: DEVNULL });
    assertEquals(await quiet.communicate(), [null, null]);
    assertEquals([quiet.stdin, quiet.stdout, quiet.stderr], [null, null, null]);
  });
});

Deno.test("Process.wait() with a time limit, as subprocess has it, is answered with waitFor()", async () => {
  await run(async () => {
    const quiet = await createSubprocessExec("true");
    const wait = quiet.wait.bind(quiet) as (...given: unknown[]) => unknown;
    for (const limit of [1, { timeout: 1 }]) {
      assertThrows(() => wait(limit), TypeError, "there is waitFor(process.wait(), 1)");
    }
    assertEquals(await waitFor(quiet.wait(), 9), 0);
  });
});

Deno.test("P03 communicate() without input closes stdin", async () => {
  await run(async () => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
    assertEquals(await cat.communicate(), [new Uint8Array(0), null]);
  });
});

Deno.test("P03 communicate() reads output and errors in one when they are merged", async () => {
  await run(async () => {
    const line = "echo out; echo err >&2; echo out";
    const shell = await createSubprocessShell(line, { stdout: PIPE, stderr: STDOUT });
    const [output, errors] = await shell.communicate();
    assertEquals([text(output), errors], ["out\nerr\nout\n", null]);
  });
});

Deno.test("P03 communicate() moves 3 MB both ways at once", async () => {
  await run(async () => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
    const input = Uint8Array.from({ length: 3_000_000 }, (_, index) => index * 7 + (index >> 8));
    const [output] = await cat.communicate(input);
    assertEquals(output?.length, input.length);
    assert(output?.every((byte, index) => byte === input[index]));
  });
});

Deno.test("P03 communicate() does not mind a process that does not read its input", async () => {
  await run(async () => {
    for (const command of ["true", "false"]) {
      const process = await createSubprocessExec(command, { stdin: PIPE, stdout: PIPE });
      const [output] = await process.communicate(new Uint8Array(1 << 20));
      assertEquals([output?.length, process.returncode], [0, command === "true" ? 0 : 1]);
    }
  });
});

Deno.test("communicate() refuses input where stdin is no pipe", async () => {
  await run(async () => {
    const quiet = await createSubprocessExec("true", { stdin: DEVNULL });
    await assertRejects(() => quiet.communicate(bytes("x")), TypeError, "its stdin is no pipe");
    await quiet.wait();
  });
});

Deno.test("communicate() that is cancelled loses no output", async () => {
  await run(async () => {
    const options = { args: ["-c", "echo first; exec sleep 100"], stdout: PIPE } as const;
    await using shell = await createSubprocessExec("sh", options);
    await assertRejects(async () => await waitFor(shell.communicate(), 0.05), TimeoutError);
    assertEquals(text(await shell.stdout.readLine()), "first\n");
  });
});

Deno.test("P06 wait() waits for the exit and for the pipes, which a grandchild may hold", async () => {
  await run(async () => {
    const line = "exec 3<&0; (read line; echo late) <&3 & echo early; exit 3";
    const shell = await createSubprocessShell(line, { stdin: PIPE, stdout: PIPE });
    assertEquals(text(await shell.stdout.readLine()), "early\n");
    const waiting = createTask(() => shell.wait());
    while (shell.returncode === null) await sleep(0.001);
    // The pipe to the grandchild was closed with the exit, so it goes on.
    assertEquals(await waiting, 3);
    assertEquals(text(await shell.stdout.read()), "late\n");
  });
});

Deno.test("P06 wait() does not wait once the process is known to have ended", async () => {
  await run(async () => {
    const shell = await createSubprocessShell("sleep 100 & echo $!; exit 3", { stdout: PIPE });
    const grandchild = text(await shell.stdout.readLine()).trim();
    while (shell.returncode === null) await sleep(0.001);
    assertEquals(await shell.wait(), 3);
    const kill = await createSubprocessExec("kill", { args: [grandchild] });
    await kill.wait();
    assertEquals(await shell.stdout.read(), new Uint8Array(0));
  });
});

Deno.test("wait() may be cancelled, and called by several tasks", async () => {
  await run(async () => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE });
    const [first, second] = [createTask(() => cat.wait()), createTask(() => cat.wait())];
    await sleep(0);
    first.cancel();
    await assertRejects(() => first, CancelledError);
    cat.stdin.close();
    assertEquals(await second, 0);
  });
});

Deno.test("P07 a process is talked to line by line", async () => {
  await run(async () => {
    const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
    for (const line of ["one\n", "two\n", "three\n"]) {
      cat.stdin.write(bytes(line));
      await cat.stdin.drain();
      assertEquals(text(await cat.stdout.readLine()), line);
    }
    cat.stdin.close();
    await cat.stdin.waitClosed();
    assertEquals(text(await cat.stdout.read()), "");
    assertEquals(await cat.wait(), 0);
  });
});

Deno.test("for await goes over the lines that a process prints", async () => {
  await run(async () => {
    const shell = await createSubprocessShell("echo a; echo b; printf c", { stdout: PIPE });
    const lines: string[] = [];
    for await (const line of shell.stdout ?? []) lines.push(text(line));
    assertEquals(lines, ["a\n", "b\n", "c"]);
    assertEquals(await shell.wait(), 0);
  });
});

Deno.test("drain() fails when the process has gone", async () => {
  await run(async () => {
    const quiet = await createSubprocessExec("true", { stdin: PIPE });
    await quiet.wait();
    quiet.stdin.write(bytes("too late"));
    const error = await assertRejects(async () => await quiet.stdin.drain());
    assertInstanceOf(error, Deno.errors.ConnectionReset);
  });
});

Deno.test("a slow reader holds a fast child back", async () => {
  await run(async () => {
    await using yes = await createSubprocessExec("sh", {
      args: ["-c", "trap 'exit 0' PIPE; while echo y; do :; done"],
      stdout: PIPE,
      limit: 1024,
    });
    const line = await yes.stdout.readExactly(2);
    assertEquals(text(line), "y\n");
    await sleep(0.02);
    assertEquals(yes.returncode, null);
  });
});

Deno.test("kill() and terminate() of a process that has ended say so", async () => {
  await run(async () => {
    const quiet = await createSubprocessExec("true");
    assertEquals(await quiet.wait(), 0);
    for (const call of [() => quiet.kill(), () => quiet.terminate()]) {
      assertThrows(call, Deno.errors.NotFound, "it has ended");
    }
  });
});

Deno.test("await using asks a process to end, and waits for that", async () => {
  await run(async () => {
    let process: Process;
    {
      await using child = await createSubprocessExec("sleep", { args: ["100"] });
      process = child;
    }
    assertEquals(process.returncode, -15);
    assertEquals(await exists(process.pid), false);
  });
});

Deno.test("await using kills a process that does not end within the grace period", async () => {
  await run(async () => {
    let process: Process;
    {
      const line = "trap '' TERM; echo ready; while :; do read x; done";
      await using shell = await createSubprocessExec("sh", {
        args: ["-c", line],
        stdin: DEVNULL,
        stdout: PIPE,
        grace: 0.05,
      });
      await shell.stdout.readLine();
      process = shell;
    }
    assertEquals(process.returncode, -9);
  });
});

Deno.test("await using leaves a process alone that has ended", async () => {
  await run(async () => {
    let process: Process;
    {
      await using child = await createSubprocessExec("true", { stdout: PIPE });
      await child.wait();
      process = child;
    }
    assertEquals(process.returncode, 0);
  });
});

Deno.test("await using kills at once when the wait for the end is cancelled", async () => {
  await run(async () => {
    let process: Process | null = null;
    const line = "trap '' TERM; echo ready; while :; do read x; done";
    const task = createTask(async () => {
      await using shell = await createSubprocessExec("sh", {
        args: ["-c", line],
        stdin: DEVNULL,
        stdout: PIPE,
        grace: 100,
      });
      await shell.stdout.readLine();
      process = shell;
    });
    while (process === null) await sleep(0.001);
    await sleep(0);
    task.cancel();
    await assertRejects(() => task, CancelledError);
    assertEquals((process as Process).returncode, -9);
  });
});

Deno.test("await using ends the children of a child that leads a session", async () => {
  await run(async () => {
    let grandchild = 0;
    {
      await using shell = await createSubprocessExec("sh", {
        args: ["-c", "sleep 100 & echo $!; wait"],
        stdout: PIPE,
        startNewSession: true,
      });
      grandchild = Number(text(await shell.stdout.readLine()));
    }
    // It has its signal, and is gone soon, or waits as a zombie for the init process.
    let state = "";
    while (!["gone", "Z"].includes(state)) {
      const line = `cut -d' ' -f3 /proc/${grandchild}/stat 2>/dev/null || echo gone`;
      const status = await createSubprocessShell(line, { stdout: PIPE });
      const [output] = await status.communicate();
      state = text(output).trim();
    }
  });
});

Deno.test("a process that has its pipes unread does not keep await using from ending", async () => {
  await run(async () => {
    const line = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2";
    await using shell = await createSubprocessShell(line, { stdout: PIPE, stderr: PIPE });
    await shell.stdout.readExactly(1);
  });
});

Deno.test("100 processes run at once", async () => {
  await run(async () => {
    const outputs = await gather(
      Array.from({ length: 100 }, (_, index) => async () => {
        const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE, stderr: PIPE });
        const [output] = await cat.communicate(bytes(`${index}`));
        return text(output);
      }),
    );
    assertEquals(outputs, Array.from({ length: 100 }, (_, index) => `${index}`));
  });
});

Deno.test("300 processes one after the other leave no descriptor behind", async () => {
  const count = async () => {
    const line = "ls /proc/$PPID/fd | wc -l";
    const [output] = await (await createSubprocessShell(line, { stdout: PIPE })).communicate();
    return Number(text(output));
  };
  await run(async () => {
    const before = await count();
    for (let round = 0; round < 300; round += 1) {
      const options = { stdin: PIPE, stdout: PIPE, stderr: PIPE } as const;
      const process = await createSubprocessExec("true", options);
      if (round % 2 === 0) await process.communicate();
      else assertEquals(await process.wait(), 0);
    }
    const after = await count();
    assert(after <= before + 2, `${before} descriptors became ${after}`);
  });
});

Deno.test("32 MiB go through cat and back, in memory bounded by the marks", async () => {
  await run(async () => {
    const size = 32 << 20;
    const chunk = Uint8Array.from({ length: 65_521 }, (_, index) => index * 31 >> 3);
    const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
    const { stdin, stdout } = cat;
    assert(stdin !== null && stdout !== null);
    let largest = 0;
    const writing = createTask(async () => {
      for (let sent = 0; sent < size; sent += chunk.length) {
        stdin.write(chunk.subarray(0, Math.min(chunk.length, size - sent)));
        largest = Math.max(largest, stdin.transport.getWriteBufferSize());
        await stdin.drain();
      }
      stdin.close();
    });
    let received = 0;
    for (let data = await stdout.read(65_536); data.length > 0; data = await stdout.read(65_536)) {
      for (let index = 0; index < data.length; index += 509) {
        if (data[index] !== chunk[(received + index) % chunk.length]) {
          throw new Error(`Cannot verify byte ${received + index}: it is wrong`);
        }
      }
      received += data.length;
    }
    await writing;
    assertEquals([received, await cat.wait()], [size, 0]);
    assert(largest <= 2 * 65_536, `${largest} bytes were buffered`);
  });
});

Deno.test("createSubprocessExec() belongs to the running loop", async () => {
  const { InvalidStateError } = await import("../../loop/errors/errors.ts");
  assertThrows(() => createSubprocessExec("true"), InvalidStateError, "no event loop is running");
  await run(async () => {
    const process = await createSubprocessExec("true");
    assertEquals(process.wait().getLoop(), getRunningLoop());
  });
});
