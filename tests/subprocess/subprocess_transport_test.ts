import { AsyncLocalStorage } from "node:async_hooks";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ExceptionContext } from "../../loop/event_loop.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import { run } from "../../loop/mod.ts";
import { createSubprocessExec, type SubprocessTransport } from "../../subprocess/mod.ts";
import { onSystem } from "../loop/_system.ts";
import { bytes, onLoop, Recorder } from "./_recorder.ts";

function shell(line: string): { args: string[] } {
  return { args: ["-c", line] };
}

Deno.test("P01 subprocessExec() reports each event once, with the connection lost last", async () => {
  const { events, output, returncode } = await onLoop(function* (loop) {
    const line = "echo out; echo err >&2; exit 7";
    const [transport, recorder] = yield* loop.subprocessExec(
      () => new Recorder(loop),
      "sh",
      shell(line),
    );
    yield* recorder.ended;
    return { ...recorder, returncode: transport.getReturncode() };
  });

  assertEquals(output, { 1: "out\n", 2: "err\n" });
  assertEquals(returncode, 7);
  assertEquals(events[0], "made");
  assertEquals(events.at(-1), "lost");
  assertEquals(
    events.toSorted(),
    ["data 1", "data 2", "exited", "lost", "made", "pipe 0 lost", "pipe 1 lost", "pipe 2 lost"],
  );
  assert(events.indexOf("data 1") < events.indexOf("pipe 1 lost"));
  assert(events.indexOf("data 2") < events.indexOf("pipe 2 lost"));
});

for (const signal of [9, 15, 2, 40, 64]) {
  Deno.test({
    name: `P02 getReturncode() is -${signal} for a process killed by signal ${signal}`,
    // Deno keeps the resource of a child that a real-time signal has killed: its wait has failed.
    sanitizeResources: signal < 32,
    fn: () =>
      onLoop(function* (loop) {
        const factory = () => new Recorder(loop);
        const options = shell(`kill -${signal} $$`);
        const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", options);
        yield* recorder.ended;
        assertEquals(transport.getReturncode(), -signal);
      }),
  });
}

Deno.test("P02 getPipeTransport() is null for a stream that is no pipe", async () => {
  await onLoop(function* (loop) {
    const options = { stdin: "null", stderr: "inherit" } as const;
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "true", options);
    assertEquals(transport.getPipeTransport(0), null);
    assert(transport.getPipeTransport(1) !== null);
    assertEquals(transport.getPipeTransport(2), null);
    yield* recorder.ended;
    assertEquals(recorder.events.toSorted(), ["exited", "lost", "made", "pipe 1 lost"]);
  });
});

Deno.test("subprocessShell() runs a command line", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessShell(factory, "echo a | cat && exit 4");
    yield* recorder.ended;
    assertEquals([recorder.output[1], transport.getReturncode()], ["a\n", 4]);
  });
});

Deno.test("a process that the child has started keeps the pipes open after processExited", async () => {
  await onLoop(function* (loop) {
    const line = "exec 3<&0; cat <&3 & exit 3";
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", shell(line));
    transport.getPipeTransport(0)?.write(bytes("to the grandchild"));
    yield* recorder.ended;

    assertEquals(transport.getReturncode(), 3);
    assertEquals(recorder.output, { 1: "to the grandchild" });
    const { events } = recorder;
    assert(events.indexOf("exited") < events.indexOf("pipe 1 lost"));
    assertEquals(events.at(-1), "lost");
  });
});

Deno.test("a write to a child that has closed its stdin is a broken pipe, and it goes on", async () => {
  await onLoop(function* (loop) {
    const line = "exec 0<&-; echo closed; exec sleep 100";
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", shell(line));
    yield* recorder.until(() => recorder.output[1] === "closed\n");
    transport.getPipeTransport(0)?.write(bytes("too late"));
    yield* recorder.until(() => recorder.events.length === 3);

    assertEquals(recorder.events, ["made", "data 1", "pipe 0 lost: BrokenPipe"]);
    assertEquals(transport.getReturncode(), null);
    transport.kill();
    yield* recorder.ended;
  });
});

Deno.test("bytes for a child that is killed are a broken pipe; with none there is no error", async () => {
  await onLoop(function* (loop) {
    for (
      const [size, event] of [[1 << 20, "pipe 0 lost: BrokenPipe"], [0, "pipe 0 lost"]] as const
    ) {
      const options = { args: ["100"] };
      const [transport, recorder] = yield* loop.subprocessExec(
        () => new Recorder(loop),
        "sleep",
        options,
      );
      transport.getPipeTransport(0)?.write(new Uint8Array(size));
      transport.kill();
      yield* recorder.ended;
      assert(recorder.events.includes(event), recorder.events.join());
      assertEquals(recorder.events.at(-1), "lost");
    }
  });
});

Deno.test("sendSignal(), terminate() and kill() end a process by their signals", async () => {
  await onLoop(function* (loop) {
    for (
      const [signal, returncode] of [["SIGTERM", -15], ["SIGKILL", -9], ["SIGUSR1", -10]] as const
    ) {
      const options = { args: ["100"] };
      const factory = () => new Recorder(loop);
      const [transport, recorder] = yield* loop.subprocessExec(factory, "sleep", options);
      if (signal === "SIGTERM") transport.terminate();
      else if (signal === "SIGKILL") transport.kill();
      else transport.sendSignal(signal);
      yield* recorder.ended;
      assertEquals(transport.getReturncode(), returncode);
    }
  });
});

Deno.test("sendSignal() of a process that has ended, or of no signal, says so", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "cat");
    assertThrows(() => transport.sendSignal("SIGBOGUS" as Deno.Signal), TypeError, "SIGBOGUS");
    for (const signal of [9, 0, null, undefined, {}]) {
      assertThrows(
        () => transport.sendSignal(signal as unknown as Deno.Signal),
        TypeError,
        "Cannot send a signal: the signal must be",
      );
    }
    transport.close();
    yield* recorder.ended;
    for (const call of [() => transport.kill(), () => transport.terminate()]) {
      assertThrows(call, Deno.errors.NotFound, `to process ${transport.getPid()}: it has ended`);
    }
  });
});

Deno.test("P04 close() kills the process and closes its pipes", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "cat");
    assertEquals(transport.getReturncode(), null);
    transport.close();
    transport.close();
    assert(transport.isClosing());
    yield* recorder.ended;
    assertEquals(transport.getReturncode(), -9);
    assertEquals(
      recorder.events.toSorted(),
      ["exited", "lost", "made", "pipe 0 lost", "pipe 1 lost", "pipe 2 lost"],
    );
  });
});

Deno.test("close() ends the transport of a child whose grandchild holds the pipes", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const line = "sleep 100 & echo $!; exit 0";
    const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", shell(line));
    yield* recorder.until(() =>
      recorder.events.includes("exited") && recorder.output[1] !== undefined
    );
    transport.close();
    yield* recorder.ended;
    assertEquals(transport.getReturncode(), 0);
    const pid = recorder.output[1]?.trim() ?? "";
    new Deno.Command("kill", { args: [pid] }).outputSync();
  });
});

Deno.test("what a protocol throws goes to the exception handler, and the process goes on", async () => {
  await onLoop(function* (loop) {
    const contexts: ExceptionContext[] = [];
    loop.setExceptionHandler((_loop, context) => contexts.push(context));
    const ended = loop.createFuture<void>();
    const fail = () => {
      throw new Error("mine");
    };
    const protocol = {
      connectionMade: fail,
      pipeDataReceived: fail,
      pipeConnectionLost: fail,
      processExited: fail,
      connectionLost: () => {
        ended.setResult();
        fail();
      },
    };
    const options = { args: ["hello"], stdin: "null", stderr: "null" } as const;
    const [transport] = yield* loop.subprocessExec(() => protocol, "echo", options);
    yield* ended;

    const expected = [
      "connectionLost",
      "connectionMade",
      "pipeConnectionLost",
      "pipeDataReceived",
      "processExited",
    ];
    const message = (method: string) => `Exception in protocol.${method}()`;
    assertEquals(contexts.map((context) => context.message).toSorted(), expected.map(message));
    assert(contexts.every((context) => context.transport === transport));
    assertEquals(transport.getReturncode(), 0);
  });
});

Deno.test("a paused stdout stops the child, and then stdin; resuming lets all bytes through", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "cat");
    const stdout = transport.getPipeTransport(1);
    const stdin = transport.getPipeTransport(0);
    stdout?.pauseReading();
    stdin?.write(bytes("x".repeat(1 << 20)));
    assertEquals(recorder.events, ["made", "pause"]);
    assertEquals(stdin?.getWriteBufferSize(), 1 << 20);

    stdout?.resumeReading();
    yield* recorder.until(() => recorder.events.includes("resume"));
    stdin?.writeEof();
    yield* recorder.ended;
    assertEquals(recorder.output[1]?.length, 1 << 20);
    assertEquals(transport.getReturncode(), 0);
  });
});

Deno.test("killGroup() reaches the children of the child, if it leads a session", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const options = { ...shell("sleep 100 & exec sleep 100"), startNewSession: true };
    const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", options);
    transport.killGroup("SIGTERM");
    yield* recorder.ended;
    // The pipes are closed, so nobody holds them any more.
    assertEquals(transport.getReturncode(), -15);
  });
});

Deno.test("killGroup() is refused on Windows, and the end of a block ends the process alone", () =>
  run(async () => {
    const options = { args: ["60"], startNewSession: true };
    const child = await createSubprocessExec("sleep", options);
    await onSystem("windows", async () => {
      await using process = child;
      assertThrows(
        () => process.killGroup(),
        Deno.errors.NotSupported,
        `Cannot send SIGKILL to process group ${process.pid}: Deno has no process groups on Windows`,
      );
    });
    assertEquals(child.returncode, -15);
  }));

Deno.test("killGroup() says so when nobody is left", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const options = { startNewSession: true };
    const [transport, recorder] = yield* loop.subprocessExec(factory, "true", options);
    yield* recorder.ended;
    assertThrows(() => transport.killGroup(), Deno.errors.NotFound, "there is no such process");
  });
});

Deno.test("killGroup() of a process in our own group is refused", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "true");
    assertThrows(() => transport.killGroup(), InvalidStateError, "it is in our own group");
    yield* recorder.ended;
  });
});

Deno.test("setProtocol() changes who is called", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, first] = yield* loop.subprocessExec(factory, "cat");
    const second = new Recorder(loop);
    transport.setProtocol(second);
    transport.getPipeTransport(0)?.writeEof();
    yield* second.ended;
    assertEquals(first.events, ["made"]);
    assertEquals(transport.getProtocol(), second);
  });
});

Deno.test("getExtraInfo() knows the process and its pipes", async () => {
  await onLoop(function* (loop) {
    const factory = () => new Recorder(loop);
    const [transport, recorder] = yield* loop.subprocessExec(factory, "cat");
    const child = transport.getExtraInfo("subprocess");
    assert(child instanceof Deno.ChildProcess);
    assertEquals(child.pid, transport.getPid());
    assertEquals(transport.getPipeTransport(1)?.getExtraInfo("pipe"), child.stdout);
    assertEquals(transport.getExtraInfo("peername", "none"), "none");
    transport.close();
    yield* recorder.ended;
  });
});

Deno.test("P01 events keep their partial order in 200 processes, 20 at a time", async () => {
  const lines = [
    "echo out; echo err >&2",
    "exec 1>&-; exec 2>&-; exec 0<&-",
    "kill -9 $$",
    "cat; exit 3",
    "(sleep 0.01; echo late) & exit 2",
    "head -c 200000 /dev/zero; echo end >&2",
    "exec 0<&-; head -c 100 /dev/zero",
  ];
  await onLoop(function* (loop) {
    for (let round = 0; round < 200; round += 20) {
      const recorders: Recorder[] = [];
      for (let index = round; index < round + 20; index += 1) {
        const options = shell(lines[index % lines.length] ?? "");
        const factory = () => new Recorder(loop);
        const [transport, recorder] = yield* loop.subprocessExec(factory, "sh", options);
        const stdin = transport.getPipeTransport(0);
        stdin?.write(new Uint8Array((index % 3) * 50_000));
        if (index % 2 === 0) stdin?.close();
        else if (index % lines.length === 3) transport.close();
        recorders.push(recorder);
      }
      for (const recorder of recorders) {
        yield* recorder.ended;
        checkOrder(recorder.events.filter((event) => event !== "pause" && event !== "resume"));
      }
    }
  });
});

/** Throws unless each event came once, and none before what it follows. */
function checkOrder(events: readonly string[]): void {
  const text = events.join();
  assertEquals(events[0], "made", text);
  assertEquals(events.at(-1), "lost", text);
  assertEquals(events.filter((event) => event === "exited").length, 1, text);
  for (const fd of [0, 1, 2]) {
    const losses = events.filter((event) => event.startsWith(`pipe ${fd} lost`));
    assertEquals(losses.length, 1, text);
    const lastData = events.lastIndexOf(`data ${fd}`);
    assert(lastData < events.indexOf(losses[0] ?? ""), text);
  }
}

Deno.test("a process calls its protocol in the foreign context of who has started it", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen = new Set<string | undefined>();
  class Watcher extends Recorder {
    override connectionMade(transport: SubprocessTransport): void {
      seen.add(storage.getStore());
      super.connectionMade(transport);
    }
    override pipeDataReceived(fd: number, data: Uint8Array): void {
      seen.add(storage.getStore());
      super.pipeDataReceived(fd, data);
    }
    override pipeConnectionLost(fd: number, error: Error | null): void {
      seen.add(storage.getStore());
      super.pipeConnectionLost(fd, error);
    }
    override processExited(): void {
      seen.add(storage.getStore());
      super.processExited();
    }
    override connectionLost(error: Error | null): void {
      seen.add(storage.getStore());
      super.connectionLost(error);
    }
  }
  const events = await onLoop(function* (loop) {
    const start = () => loop.subprocessExec(() => new Watcher(loop), "sh", shell("echo out"));
    const [, recorder] = yield* storage.run("A", start);
    yield* recorder.ended;
    return recorder.events.toSorted();
  });
  assertEquals(events, ["data 1", "exited", "lost", "made", ...pipesLost()]);
  assertEquals([...seen], ["A"]);
});

function pipesLost(): string[] {
  return [0, 1, 2].map((fd) => `pipe ${fd} lost`);
}
