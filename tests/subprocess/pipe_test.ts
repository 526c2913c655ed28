import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DenoEventLoop, ExceptionContext, Future } from "../../loop/mod.ts";
import { createSubprocessExec, PIPE } from "../../subprocess/mod.ts";
import { Protocol, type ReadablePipe } from "../../transports/mod.ts";
import { run } from "../../loop/runner.ts";
import { bytes, onLoop, text } from "./_recorder.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** Writes down what a pipe transport calls. */
class PipeRecorder extends Protocol {
  readonly events: string[] = [];
  readonly ended: Future<void>;
  output = "";

  constructor(loop: DenoEventLoop) {
    super();
    this.ended = loop.createFuture();
  }

  override connectionMade(): void {
    this.events.push("made");
  }

  override dataReceived(data: Uint8Array): void {
    this.output += text(data);
    if (this.events.at(-1) !== "data") this.events.push("data");
  }

  override eofReceived(): boolean {
    this.events.push("eof");
    return true;
  }

  override pauseWriting(): void {
    this.events.push("pause");
  }

  override resumeWriting(): void {
    this.events.push("resume");
  }

  override connectionLost(error: Error | null): void {
    this.events.push(error === null ? "lost" : `lost: ${error.name}`);
    this.ended.setResult();
  }
}

/** Reads `open()` to its end with a protocol. */
function readPipe(open: () => ReadablePipe): Promise<PipeRecorder> {
  return onLoop(function* (loop) {
    const [, recorder] = yield* loop.connectReadPipe(() => new PipeRecorder(loop), open());
    yield* recorder.ended;
    return recorder;
  });
}

function chunks(...list: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(list.map(bytes));
}

function shell(line: string, stdin: "null" | "piped" = "null"): Deno.ChildProcess {
  return new Deno.Command("sh", { args: ["-c", line], stdin, stdout: "piped" }).spawn();
}

Deno.test("I01 connectReadPipe() reports made, data, eof and lost, and closes at the end", async () => {
  const child = shell("echo hello");
  const { events, output } = await readPipe(() => child.stdout);
  assertEquals([events, output], [["made", "data", "eof", "lost"], "hello\n"]);
  await child.status;
});

Deno.test("I01 connectReadPipe() reads streams of the Web, of bytes and of chunks", async () => {
  for (const stream of [() => chunks("a", "", "bc"), () => new Blob(["abc"]).stream()]) {
    const { events, output } = await readPipe(stream);
    assertEquals([events, output], [["made", "data", "eof", "lost"], "abc"]);
  }
});

Deno.test("connectReadPipe() reads files", async () => {
  const path = Deno.makeTempFileSync({ dir: "/tmp" });
  Deno.writeTextFileSync(path, "x".repeat(200_000));
  const file = Deno.openSync(path);
  const { events, output } = await readPipe(() => file);
  assertEquals([events, output.length], [["made", "data", "eof", "lost"], 200_000]);
  Deno.removeSync(path);
});

Deno.test("connectReadPipe() and connectWritePipe() meet in a FIFO", async () => {
  const folder = Deno.makeTempDirSync({ dir: "/tmp" });
  const path = `${folder}/fifo`;
  await new Deno.Command("sh", { args: ["-c", `mkfifo ${path}`] }).output();
  await onLoop(function* (loop) {
    const [reading, writing] = [Deno.open(path), Deno.open(path, { write: true })];
    const files = loop.createFuture<Deno.FsFile[]>();
    Promise.all([reading, writing]).then((both) => files.setResult(both));
    const [reader, writer] = yield* files;
    assert(reader !== undefined && writer !== undefined);

    const [, recorder] = yield* loop.connectReadPipe(() => new PipeRecorder(loop), reader);
    const [transport] = yield* loop.connectWritePipe(() => new PipeRecorder(loop), writer);
    transport.write(bytes("through the fifo"));
    transport.close();
    yield* recorder.ended;
    assertEquals(recorder.output, "through the fifo");
  });
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("pauseReading() stops a pipe, and holds what one read had taken", async () => {
  await onLoop(function* (loop) {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes(`${pulled++ % 10}`)),
    }, { highWaterMark: 0 });
    const [transport, recorder] = yield* loop.connectReadPipe(
      () => new PipeRecorder(loop),
      endless,
    );
    while (recorder.output.length < 3) yield;
    transport.pauseReading();
    assert(!transport.isReading());
    const { length } = recorder.output;
    for (let turn = 0; turn < 20; turn += 1) yield;
    assertEquals(recorder.output.length, length);
    assert(pulled <= length + 1, `${pulled} chunks were read for ${length}`);

    transport.resumeReading();
    while (recorder.output.length < length + 3) yield;
    transport.close();
    yield* recorder.ended;
    assert("0123456789".repeat(100).startsWith(recorder.output));
    assertEquals(recorder.events, ["made", "data", "lost"]);
  });
});

Deno.test("an error of a stream is what its pipe is lost by", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: () => {
      throw new RangeError("mine");
    },
  });
  assertEquals((await readPipe(() => broken)).events, ["made", "lost: RangeError"]);

  const noBytes = ReadableStream.from(["text"]) as unknown as ReadableStream<Uint8Array>;
  assertEquals((await readPipe(() => noBytes)).events, ["made", "lost: TypeError"]);
});

Deno.test("I02 a write pipe is lost by a broken pipe if there were bytes left for it", async () => {
  for (const [size, event] of [[1 << 20, "lost: BrokenPipe"], [0, "lost"]] as const) {
    const child = shell("exec 0<&-; echo closed; exec sleep 100", PIPE);
    await onLoop(function* (loop) {
      const [, output] = yield* loop.connectReadPipe(() => new PipeRecorder(loop), child.stdout);
      const factory = () => new PipeRecorder(loop);
      const [transport, recorder] = yield* loop.connectWritePipe(factory, child.stdin);
      while (output.output === "") yield;
      transport.write(new Uint8Array(size));
      if (size === 0) transport.close();
      yield* recorder.ended;
      assertEquals(recorder.events.at(-1), event);
      child.kill();
      yield* output.ended;
    });
    await child.status;
  }
});

Deno.test("a slow stream pauses who writes to it, to the byte", async () => {
  await onLoop(function* (loop) {
    const taken: number[] = [];
    let take = () => {};
    const slow = new WritableStream<Uint8Array>({
      write: (chunk) =>
        new Promise<void>((resolve) => {
          take = () => {
            taken.push(chunk.length);
            take = () => {};
            resolve();
          };
        }),
    });
    const factory = () => new PipeRecorder(loop);
    const [transport, recorder] = yield* loop.connectWritePipe(factory, slow);
    transport.setWriteBufferLimits({ high: 10, low: 5 });
    for (let round = 0; round < 5; round += 1) transport.write(new Uint8Array(2));
    assertEquals(recorder.events, ["made"]);
    transport.write(new Uint8Array(1));
    assertEquals(recorder.events, ["made", "pause"]);

    transport.close();
    transport.close();
    while (!recorder.ended.done()) {
      take();
      yield;
    }
    assertEquals(taken.reduce((sum, size) => sum + size), 11);
    assertEquals(recorder.events, ["made", "pause", "resume", "lost"]);
  });
});

Deno.test("writeEof() closes a write pipe; abort() drops what is buffered", async () => {
  await onLoop(function* (loop) {
    const written: string[] = [];
    const sink = () =>
      new WritableStream<Uint8Array>({ write: (data) => void written.push(text(data)) });
    const factory = () => new PipeRecorder(loop);
    // A stream takes nothing in the turn of the host in which it is made.
    const [one, two] = [sink(), sink()];
    const [first, firstEnd] = yield* loop.connectWritePipe(factory, one);
    assert(first.canWriteEof());
    first.write(bytes("kept"));
    first.writeEof();
    assert(first.isClosing());
    yield* firstEnd.ended;

    const [second, secondEnd] = yield* loop.connectWritePipe(factory, two);
    second.write(bytes("a"));
    second.write(bytes("dropped"));
    second.abort();
    yield* secondEnd.ended;
    assertEquals(written, ["kept", "a"]);
    assertEquals(secondEnd.events, ["made", "lost"]);
  });
});

Deno.test("a stream that fails to close is reported", async () => {
  const contexts: ExceptionContext[] = [];
  await onLoop(function* (loop) {
    loop.setExceptionHandler((_loop, context) => contexts.push(context));
    const stream = new WritableStream<Uint8Array>({
      close: () => {
        throw new RangeError("mine");
      },
    });
    const factory = () => new PipeRecorder(loop);
    const [transport, recorder] = yield* loop.connectWritePipe(factory, stream);
    transport.close();
    yield* recorder.ended;
  });
  assertEquals(contexts.map(({ exception }) => String(exception)), ["RangeError: mine"]);
});

Deno.test("what is no pipe is refused", async () => {
  await onLoop(function* (loop) {
    const locked = chunks("a");
    locked.getReader();
    const factory = () => new PipeRecorder(loop);
    for (const pipe of [locked, "path", null, -1, 4096, {}]) {
      let thrown: unknown = null;
      try {
        yield* loop.connectReadPipe(factory, pipe as never);
      } catch (error) {
        thrown = error;
      }
      if (pipe === 4096) assert(thrown instanceof Error && thrown.message.includes("EBADF"));
      else assert(thrown instanceof TypeError, String(thrown));
    }
    assertThrows(() => loop.connectReadPipe(null as never, 0), TypeError, "as the factory");
    assertThrows(() => loop.connectWritePipe(null as never, 1), TypeError, "as the factory");
  });
});

for (const mode of ["descriptors", "objects"]) {
  Deno.test(`a program echoes its stdin by ${mode}`, async () => {
    const program = filePath(new URL("programs/echo_stdio.ts", import.meta.url));
    const args = ["run", "--quiet", "--no-prompt", "--no-check", program, mode];
    await run(async () => {
      await using deno = await createSubprocessExec("deno", { args, stdin: PIPE, stdout: PIPE });
      deno.stdin.write(bytes("ping\n"));
      assertEquals(text(await deno.stdout.readLine()), "ping\n");
      const [output] = await deno.communicate(new Uint8Array(1 << 20));
      assertEquals([output?.length, deno.returncode], [1 << 20, 0]);
    });
  });
}

Deno.test("a pipe whose bytes to send are transferred fails, and the program goes on", () =>
  run(async () => {
    // It does not read, so most of what is written stays here.
    const process = await createSubprocessExec("sleep", { args: ["60"], stdin: PIPE });
    const input = process.stdin;
    assert(input !== null);
    const data = new Uint8Array(1_000_000);
    input.write(data);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    input.close();
    const closed = input.waitClosed().then(() => "closed", (error) => (error as Error).message);

    process.kill();
    await process.wait();
    assertEquals(
      await closed,
      "Cannot send what was written: its memory was transferred or resized before it went out",
    );
  }));
