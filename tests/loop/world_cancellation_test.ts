// Where a cancellation meets each kind of wait for what comes from outside, a process, a client of a
// server, a job: what CPython 3.13 does, as cancellation_table.py has recorded it. Nothing outside is
// real, so that it ends at the very turn that the table says.
import {
  type Coroutine,
  createSubprocessExec,
  DenoEventLoop,
  PIPE,
  ProcessPoolExecutor,
  Protocol,
  Server,
  sleep,
  WorkerPoolExecutor,
} from "../../mod.ts";
import * as inside from "../../loop/inside.ts";
import type {
  Acceptor,
  ByteChannel,
  ChildProcess,
  Listener,
  Processes,
  ProcessSink,
} from "../../loop/platform/platform.ts";
import type { WorkerLink, WorkerSink } from "../../loop/platform/worker_platform.ts";
import { MemoryWire } from "../transports/_memory_wire.ts";
import { bodyOf, type Row, runCell, testTable } from "./_cancellation_table.ts";
import type { Kind } from "./_outcome.ts";
import { VirtualClock } from "./_virtual_clock.ts";

/** A loop in virtual time, and all that it sees of the world. */
class Outside {
  readonly loop: DenoEventLoop;
  /** The last process that was started. */
  child: Child | null = null;
  /** Workers, in the order of their starts. */
  readonly workers: Worker[] = [];

  constructor() {
    const host = new DenoEventLoop();
    host.close();
    const { workers } = host.platform;
    const start = (_source: string, _options: unknown, sink: WorkerSink) => {
      const worker = new Worker(sink);
      this.workers.push(worker);
      return worker;
    };
    const processes: Processes = {
      shell: "sh",
      spawn: (loop, _program, { stdout }, sink) =>
        this.child = new Child(loop as DenoEventLoop, sink, stdout === "piped"),
    };
    this.loop = new DenoEventLoop({
      platform: {
        ...host.platform,
        clock: new VirtualClock(),
        processes,
        workers: { ...workers, hardwareConcurrency: 1, start, errorClass: workers.errorClass },
        workerProcesses: { start },
      },
    });
  }
}

/** A process that prints `output` and exits with 3, when it is told to. */
class Child implements ChildProcess {
  readonly pid = 42;
  readonly stdin: null = null;
  readonly stdout: MemoryWire | null;
  readonly stderr: null = null;
  readonly handle: null = null;
  readonly #loop: DenoEventLoop;
  readonly #sink: ProcessSink;
  #hasEnded = false;

  constructor(loop: DenoEventLoop, sink: ProcessSink, isPiped: boolean) {
    this.#loop = loop;
    this.#sink = sink;
    this.stdout = isPiped ? new MemoryWire(loop) : null;
  }

  exit(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.stdout?.arrive(new TextEncoder().encode("output"));
    this.stdout?.arrive(null);
    this.#loop[inside.enter]({ [inside.run]: () => this.#sink.exited(3) });
  }

  kill(): void {}
  killGroup(): void {}
  noteDescendants(): void {}
  destroy(): void {}
}

/** A worker that ends its jobs when it is told to. */
class Worker implements WorkerLink {
  readonly #sink: WorkerSink;
  #job: unknown = null;

  constructor(sink: WorkerSink) {
    this.#sink = sink;
  }

  post(message: unknown): void {
    this.#job = (message as unknown[])[0];
  }

  terminate(): void {
    this.#job = null;
    this.#sink.ended("was terminated", undefined);
  }

  /** Ends the job that it has. */
  finish(): void {
    const job = this.#job;
    this.#job = null;
    if (job !== null) this.#sink.received([job, "finished", "value"]);
  }
}

/** A listener to which clients come when a test says so. */
class MemoryListener implements Listener {
  readonly address: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  #acceptor: Acceptor | null = null;

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
  }

  close(): void {
    this.#acceptor?.closed();
  }

  connect(channel: ByteChannel): void {
    this.#acceptor?.accepted(channel);
  }
}

function* processRow(outside: Outside, name: string, kind: Kind): Coroutine<Row> {
  if (name === "Process.wait") {
    const process = yield* createSubprocessExec("child");
    return { wait: () => process.wait(), trigger: () => outside.child?.exit(), turns: 2 };
  }
  const process = yield* createSubprocessExec("child", { stdout: PIPE });
  const communicate = bodyOf(kind, function* () {
    const [output, errors] = yield* process.communicate();
    return [new TextDecoder().decode(output), errors];
  }, async () => {
    const [output, errors] = await process.communicate();
    return [new TextDecoder().decode(output), errors];
  });
  return { wait: communicate, trigger: () => outside.child?.exit(), turns: 5 };
}

function* serverRow(outside: Outside, name: string): Coroutine<Row> {
  const { loop } = outside;
  const listener = new MemoryListener();
  const server = new Server(loop, [listener], () => new Protocol());
  yield* server.startServing();
  const [wire, far] = MemoryWire.pair(loop);
  if (name === "Server.serveForever") {
    return { wait: () => server.serveForever(), trigger: () => server.close() };
  }
  listener.connect(wire);
  if (name === "Server.waitClosed") {
    server.close();
    return { wait: () => server.waitClosed(), trigger: () => far.closeWrite(), turns: 2 };
  }
  return {
    wait: () => server.serveForever(),
    trigger: () => {
      far.closeWrite();
      server.close();
    },
  };
}

function* jobRow(outside: Outside, name: string): Coroutine<Row> {
  const { loop, workers } = outside;
  const pool = name.endsWith("process")
    ? new ProcessPoolExecutor({ maxWorkers: 1 })
    : new WorkerPoolExecutor({ maxWorkers: 1 });
  const isBehind = name.includes("behind");
  if (isBehind) loop.runInExecutor(pool, () => "first");
  yield* sleep(0);
  return {
    wait: () => loop.runInExecutor(pool, () => "value"),
    trigger: () => {
      for (const worker of [...workers]) worker.finish();
      if (isBehind) workers[0]?.finish();
    },
    turns: 1,
  };
}

/** What each wait is. */
const ROWS: Readonly<
  Record<string, (outside: Outside, name: string, kind: Kind) => Coroutine<Row>>
> = { Process: processRow, Server: serverRow, runInExecutor: jobRow };

testTable("world", async (name, moment, kind) => {
  const outside = new Outside();
  const { loop } = outside;
  const row = ROWS[/^\w+/.exec(name)?.[0] as string] as typeof ROWS[string];
  try {
    return await loop.runUntilComplete(function* () {
      return yield* runCell(loop, yield* row(outside, name, kind), moment, kind);
    });
  } finally {
    loop.close();
  }
});
