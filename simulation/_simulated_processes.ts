import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import { describeThrown } from "../loop/values/describe.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type {
  ByteChannel,
  ByteSink,
  ChildProcess,
  Platform,
  Processes,
  ProcessSink,
  Program,
  SpawnOptions,
} from "../loop/platform/platform.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { StreamReader } from "../transports/streams/stream_reader.ts";
import { StreamReaderProtocol } from "../transports/streams/stream_reader_protocol.ts";
import { StreamTransport } from "../transports/core/stream_transport.ts";
import { StreamWriter } from "../transports/streams/stream_writer.ts";
import { createNetworkError } from "./_deno_errors.ts";
import { createPipe, type Pipe } from "./_pipe.ts";
import { isFatal, signalNumber } from "./_signal_numbers.ts";
import { SimulatedSignals } from "./_signals.ts";
import { SimulatedProcess } from "./_simulated_process.ts";
import type { Stack, Wire } from "./_wire.ts";
import type { World } from "./_world.ts";
import type { SimulatedProgram } from "./simulated_program.ts";

/** What a shell says of a program that it does not find. */
const NOT_FOUND = 127;

/** What a child needs of the world around it. */
export interface ProcessSurroundings {
  readonly world: World;
  /** The host that it runs on. */
  readonly stack: Stack;
  /** What carries its pipes. */
  readonly wire: Wire;
  /** Programs by name. */
  readonly programs: ReadonlyMap<string, SimulatedProgram>;
  /** Returns the platform of a child that gets `signals`. */
  createPlatform(signals: SimulatedSignals): Platform;
}

/** Child processes of one simulated host. They run programs that the simulation was given. */
export class SimulatedProcesses implements Processes {
  /** What runs command lines; it splits them at spaces, and knows nothing else of a shell. */
  readonly shell = "sh";
  readonly #surroundings: ProcessSurroundings;
  /** Those that have not ended. */
  readonly #running: Set<SimulatedProcess> = new Set();

  constructor(surroundings: ProcessSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Ends all children where they stand, and tells nobody. */
  killAll(): void {
    for (const process of this.#running) process.kill();
    this.#running.clear();
  }

  /** Lets nothing run in any child until `time`. */
  pauseAll(time: number): void {
    for (const process of this.#running) process.pause(time);
  }

  spawn(loop: EventLoop, program: Program, options: SpawnOptions, sink: ProcessSink): ChildProcess {
    const isLine = !("command" in program);
    const [command = "", ...args] = isLine
      ? program.commandLine.trim().split(/\s+/)
      : [program.command, ...program.args];
    const main = this.#surroundings.programs.get(command);
    if (main === undefined && !isLine) {
      throw createNetworkError("notFound", `spawn "${command}"`);
    }
    const name = command === "" ? "sh" : command;
    const request = { name, args, options, sink, running: this.#running };
    return new Child(this.#surroundings, loop, request, main ?? notFound);
  }
}

function notFound(): number {
  return NOT_FOUND;
}

/** What was asked for. */
interface SpawnRequest {
  readonly name: string;
  readonly args: readonly string[];
  readonly options: SpawnOptions;
  readonly sink: ProcessSink;
  /** Where it is listed until it ends. */
  readonly running: Set<SimulatedProcess>;
}

class Child implements ChildProcess {
  readonly pid: number;
  readonly stdin: ByteChannel | null;
  readonly stdout: ByteChannel | null;
  readonly stderr: ByteChannel | null;
  readonly handle: null = null;
  readonly #surroundings: ProcessSurroundings;
  readonly #loop: EventLoop;
  readonly #request: SpawnRequest;
  readonly #signals = new SimulatedSignals();
  readonly #process: SimulatedProcess;
  readonly #pipes: { readonly stdin: Pipe; readonly stdout: Pipe; readonly stderr: Pipe };
  #hasExited = false;

  constructor(
    surroundings: ProcessSurroundings,
    loop: EventLoop,
    request: SpawnRequest,
    main: SimulatedProgram,
  ) {
    const { world, stack } = surroundings;
    const { options } = request;
    this.#surroundings = surroundings;
    this.#loop = loop;
    this.#request = request;
    this.pid = world.takePid();
    const name = `${stack.name}/${request.name}.${this.pid}`;
    this.#process = new SimulatedProcess(world, name, surroundings.createPlatform(this.#signals));
    const stdout = this.#createPipe();
    const stderr = options.stderr === "stdout" ? stdout : this.#createPipe();
    this.#pipes = { stdin: this.#createPipe(), stdout, stderr };
    this.stdin = this.#endOf(this.#pipes.stdin, options.stdin);
    this.stdout = this.#endOf(stdout, options.stdout);
    this.stderr = this.#endOf(stderr, options.stderr);
    if (this.stdin === null) this.#pipes.stdin.near.closeWrite();
    request.running.add(this.#process);
    this.#process.start();
    const { place, loop: ownLoop } = this.#process;
    place.run(() => ownLoop.createTask(() => this.#run(main), { name: request.name }));
  }

  kill(signal: Deno.Signal): void {
    if (this.#hasExited) return;
    signalNumber(signal);
    const { clock } = this.#surroundings.world;
    clock.schedule(clock.now(), () => this.#receive(signal));
  }

  killGroup(signal: Deno.Signal): void {
    if (this.#hasExited) throw createNetworkError("notFound", `signal process ${this.pid}`);
    this.kill(signal);
  }

  /** What simulated programs start ends with the host. */
  noteDescendants(): void {}

  destroy(): void {
    this.kill("SIGKILL");
  }

  #createPipe(): Pipe {
    const { wire, stack } = this.#surroundings;
    return createPipe(wire, stack, this.#loop, this.#process.loop);
  }

  /** Returns our end of `pipe`, if we are to have it; else what comes out is dropped. */
  #endOf(pipe: Pipe, target: SpawnOptions["stderr"]): ByteChannel | null {
    if (target === "piped") return pipe.near;
    pipe.near.attach(createDrain());
    pipe.near.resume();
    return null;
  }

  *#run(main: SimulatedProgram): Coroutine<void> {
    const { loop } = this.#process;
    const { stdin, stdout, stderr } = this.#pipes;
    const output = openPipe(loop, stdout);
    const errors = stderr === stdout ? output : openPipe(loop, stderr);
    const child = {
      pid: this.pid,
      args: this.#request.args,
      env: this.#request.options.env ?? {},
      stdin: openPipe(loop, stdin).reader,
      stdout: output.writer,
      stderr: errors.writer,
      onSignal: (signal: Deno.Signal, callback: () => void) => this.#signals.add(signal, callback),
    };
    let code = 0;
    try {
      const ended = yield* loop.createTask(() => main(child), { name: "main" });
      code = typeof ended === "number" ? ended : 0;
    } catch (error) {
      errors.writer.write(new TextEncoder().encode(`${describeThrown(error)}\n`));
      code = 1;
    }
    for (const { writer } of new Set([output, errors])) yield* closeQuietly(writer);
    this.#exit(code);
  }

  #receive(signal: Deno.Signal): void {
    if (this.#hasExited || (signal !== "SIGKILL" && this.#signals.send(signal))) return;
    const number = signalNumber(signal);
    if (isFatal(number)) this.#exit(-number);
  }

  /** The process ends; the kernel closes what it has open, and tells its parent. */
  #exit(returncode: number): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    const { world, stack } = this.#surroundings;
    world.note(stack.name, `exit ${this.#request.name}.${this.pid} ${returncode}`);
    this.#process.kill();
    this.#request.running.delete(this.#process);
    for (const { far } of Object.values(this.#pipes)) far.abort();
    world.clock.schedule(world.clock.now(), () => {
      this.#loop[inside.enter](new Step(() => this.#request.sink.exited(returncode)));
    });
  }
}

/** Returns the streams of the child's end of `pipe`. */
function openPipe(
  loop: EventLoop,
  { far }: Pipe,
): { reader: StreamReader; writer: StreamWriter } {
  const reader = new StreamReader({ loop });
  const protocol = new StreamReaderProtocol(reader, { loop });
  const transport = new StreamTransport(loop, far, protocol);
  return { reader, writer: new StreamWriter(transport, protocol, { reader }) };
}

/** Sends what is buffered. The parent may be gone. */
function* closeQuietly(writer: StreamWriter): Coroutine<void> {
  writer.close();
  try {
    yield* writer.waitClosed();
  } catch {
    // Nobody reads it: that is no error of a program that has ended.
  }
}

/** Creates a sink for output that nobody wants. */
function createDrain(): ByteSink {
  const buffer = new Uint8Array(4096);
  return {
    buffer: () => buffer,
    received: () => {},
    ended: () => {},
    failed: () => {},
    sent: () => {},
    closed: () => {},
  };
}
