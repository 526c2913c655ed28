/**
 * A child process and its pipes, for a protocol.
 *
 * *Theory of operation.* The process and its pipes end on their own, in any order: a process may
 * close its pipes early, and one that it started may keep them open. A transport is
 *
 * - `starting` from its creation to `connectionMade()`, which is an entry of the loop behind those
 *   of its pipes, so nothing is reported before;
 * - `running` until the process has ended;
 * - `exited` until all its pipes are closed as well;
 * - `ended`, when `connectionLost()` is called.
 *
 * Nobody tells us that the reader of stdin is gone. So when the process has ended, stdin is closed:
 * what is buffered goes to a process that has inherited the pipe, or fails as broken. Who kills the
 * process, or has waited long enough, drops the pipes.
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import { assertMove, type Moves } from "../loop/errors/assert.ts";
import { type Context, copyContext, enterContext } from "../loop/scheduling/context.ts";
import { checkArgument, type OptionKind, TEXT } from "../loop/values/check_options.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/tasks/future.ts";
import type {
  ByteChannel,
  ChildProcess,
  ProcessSink,
  Program,
  SpawnOptions,
} from "../loop/platform/platform.ts";
import {
  captureEngineContext,
  type PlatformLoop,
  runInEngineContext,
} from "../loop/platform/platform_loop.ts";
import { type OpenResource, openResources } from "../transports/core/open_resources.ts";
import { StreamTransport } from "../transports/core/stream_transport.ts";
import type { ExtraInfo, ReadTransport, WriteTransport } from "../transports/transport.ts";
import { processEnded } from "./_deno_process_ended.ts";
import { type PipeOwner, PipeProtocol } from "./_pipe_protocol.ts";
import type { SubprocessProtocolLike } from "./subprocess_protocol.ts";
import type { SubprocessTransport } from "./subprocess_transport.ts";
import { NamedFuture } from "../loop/tasks/named_future.ts";
import type { ResourceFigures } from "../loop/inspection/resource_figures.ts";

/** What a signal is called. */
const SIGNAL_NAME: OptionKind = { ...TEXT, expected: 'a name, such as "SIGTERM"' };

/** Where a transport stands; see above. */
type State = "starting" | "running" | "exited" | "ended";

/** Every legal move. Anything else is our bug, and asserts. */
const MOVES: Moves<State> = {
  starting: ["running"],
  running: ["exited"],
  exited: ["ended"],
  ended: [],
};

/** The transport of a process on any platform. */
export class ProcessTransport implements SubprocessTransport, ProcessSink, PipeOwner, OpenResource {
  readonly #loop: EventLoop;
  readonly #child: ChildProcess;
  readonly #leadsGroup: boolean;
  readonly #name: string;
  /** When it was started, by the clock of the loop. */
  readonly #since: number;
  readonly #opened: Future<void>;
  /** The context variables that callbacks see, captured here. */
  readonly #context: Context = copyContext();
  /** The foreign context that they see, likewise. */
  readonly #creator = captureEngineContext();
  /** One for each of the first three descriptors; `null` for what is no pipe. */
  readonly #pipes: readonly (StreamTransport | null)[];
  #protocol: SubprocessProtocolLike;
  #state: State = "starting";
  #closing = false;
  /** Whether we are who ends the process. */
  #isEnding = false;
  #returncode: number | null = null;
  #openPipes: number;
  /** Who waits for which state. Bounded by the number of tasks. */
  readonly #waiters: Set<{ state: State; future: Future<void> }> = new Set();

  /** Starts the program. `opened` is finished once `connectionMade` was called. */
  constructor(
    loop: PlatformLoop,
    protocol: SubprocessProtocolLike,
    program: Program,
    options: SpawnOptions,
    opened: Future<void>,
  ) {
    this.#loop = loop;
    this.#since = loop.time();
    // Without its arguments, which may be secret.
    this.#name = "command" in program ? program.command.replace(/^.*\//, "") : "shell";
    this.#protocol = protocol;
    this.#leadsGroup = options.startNewSession ?? false;
    this.#opened = opened;
    const child = this.#child = loop.platform.processes.spawn(loop, program, options, this);
    const channels = [child.stdin, child.stdout, child.stderr];
    this.#pipes = channels.map((channel, fd) => channel && this.#connect(channel, fd));
    this.#openPipes = this.#pipes.filter((pipe) => pipe !== null).length;
    // After its pipes, as the last is released first: the child is killed before it reads their end.
    openResources(loop).add(this);
    loop[inside.enqueue](this);
  }

  /** @ignore */
  [inside.inWords](): string {
    return `process ${this.getPid()} (${this.#name})`;
  }

  /** @ignore */
  [inside.figures](figures: ResourceFigures): void {
    figures.processes.push({
      id: figures.idOf(this),
      what: this[inside.inWords](),
      pid: this.getPid(),
      state: this.#state,
      returncode: this.#returncode,
      pipes: this.#openPipes,
      age: figures.now - this.#since,
    });
  }

  getPid(): number {
    return this.#child.pid;
  }

  getReturncode(): number | null {
    return this.#returncode;
  }

  getPipeTransport(fd: 0): WriteTransport | null;
  getPipeTransport(fd: 1 | 2): ReadTransport | null;
  getPipeTransport(fd: number): ReadTransport | WriteTransport | null {
    return this.#pipes[fd] ?? null;
  }

  sendSignal(signal: Deno.Signal): void {
    checkArgument("send a signal", "the signal", signal, SIGNAL_NAME);
    if (this.#returncode !== null) throw processEnded(this.getPid(), signal);
    try {
      this.#child.kill(signal);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      const state = "the system does not have it, or cannot send it";
      throw new TypeError(`Cannot send ${signal} to process ${this.getPid()}: ${state}`, { cause });
    }
  }

  terminate(): void {
    this.sendSignal("SIGTERM");
  }

  kill(): void {
    this.sendSignal("SIGKILL");
  }

  killGroup(signal: Deno.Signal = "SIGKILL"): void {
    checkArgument("send a signal", "the signal", signal, SIGNAL_NAME);
    if (!this.#leadsGroup) {
      throw new InvalidStateError(
        `Cannot send ${signal} to the group of process ${this.getPid()}: it is in our own group`,
      );
    }
    this.#child.killGroup(signal);
  }

  close(): void {
    if (this.#closing) return;
    if (this.#returncode === null) return this.destroy();
    this.#closing = true;
    for (const pipe of this.#pipes) pipe?.close();
  }

  isClosing(): boolean {
    return this.#closing;
  }

  setProtocol(protocol: SubprocessProtocolLike): void {
    this.#protocol = protocol;
  }

  getProtocol(): SubprocessProtocolLike {
    return this.#protocol;
  }

  getExtraInfo<N extends keyof ExtraInfo, F = undefined>(
    name: N,
    fallback?: F,
  ): ExtraInfo[N] | F;
  getExtraInfo(name: string, fallback?: unknown): unknown;
  getExtraInfo(name: string, fallback?: unknown): unknown {
    return name === "subprocess" ? this.#child.handle : fallback;
  }

  /** Whether the process has ended and its pipes are closed. */
  isEnded(): boolean {
    return this.#state === "ended";
  }

  /** Waits until the process has ended, or with `ended` until its pipes are closed too. */
  waitFor(state: "exited" | "ended"): Future<void> {
    const future = new NamedFuture<void>(this.#loop, "process.wait of", this);
    if (this.#state === state || this.#state === "ended") future.setResult();
    else this.#waiters.add({ state, future });
    return future;
  }

  /** Asks the process to end. What it has started then ends with {@linkcode destroy}. */
  askToEnd(): void {
    this.#isEnding = true;
    this.#child.noteDescendants();
    this.terminate();
  }

  /**
   * Ends the process if it runs, with its group or what it has started, and drops its pipes: input
   * that nobody reads would be flushed for ever. One that has ended by itself is closed.
   */
  destroy(): void {
    this.#isEnding ||= this.#returncode === null;
    this.#child.destroy();
    if (this.#isEnding) this.dropPipes();
    else this.close();
  }

  /** Closes the pipes at once, without what is buffered; says so if the process ended by itself. */
  dropPipes(): void {
    this.#closing = true;
    const unsent = this.#pipes[0]?.getWriteBufferSize() ?? 0;
    if (unsent > 0 && !this.#isEnding) {
      this.#loop.callExceptionHandler({
        message:
          `Process ${this.getPid()} has ended, and ${unsent} bytes of its input are dropped: ` +
          `a process that it has started holds its stdin and does not read`,
        transport: this,
      });
    }
    for (const pipe of this.#pipes) pipe?.abort();
  }

  /** The first entry of the transport. */
  [inside.run](): void {
    this.#move("running");
    this.#call("connectionMade", () => this.#protocol.connectionMade?.(this));
    if (!this.#opened.done()) this.#opened.setResult();
  }

  [inside.release](): void {
    this.#child.destroy();
  }

  exited(returncode: number): void {
    this.#returncode = returncode;
    this.#move("exited");
    this.#call("processExited", () => this.#protocol.processExited?.());
    this.#wake("exited");
    this.#pipes[0]?.close();
    this.#endIfDone();
  }

  pipeDataReceived(fd: number, data: Uint8Array): void {
    this.#call("pipeDataReceived", () => this.#protocol.pipeDataReceived?.(fd, data));
  }

  pipeConnectionLost(fd: number, error: Error | null): void {
    this.#openPipes -= 1;
    this.#call("pipeConnectionLost", () => this.#protocol.pipeConnectionLost?.(fd, error));
    this.#endIfDone();
  }

  pauseWriting(): void {
    // From inside a write of the user's, whose context goes on after it.
    this.#try("pauseWriting", () => this.#protocol.pauseWriting?.());
  }

  resumeWriting(): void {
    this.#call("resumeWriting", () => this.#protocol.resumeWriting?.());
  }

  #connect(channel: ByteChannel, fd: number): StreamTransport {
    const direction = fd === 0 ? "write" : "read";
    return new StreamTransport(this.#loop, channel, new PipeProtocol(this, fd), { direction });
  }

  #move(state: State): void {
    assertMove("a subprocess", MOVES, this.#state, state);
    this.#state = state;
  }

  #endIfDone(): void {
    if (this.#state !== "exited" || this.#openPipes > 0) return;
    // Not within the call of the protocol that reported the last end.
    this.#loop[inside.enqueue](new Step(() => this.#end()));
  }

  #end(): void {
    this.#move("ended");
    openResources(this.#loop).delete(this);
    this.#call("connectionLost", () => this.#protocol.connectionLost?.(null));
    this.#wake("ended");
  }

  #wake(state: State): void {
    for (const waiter of this.#waiters) {
      if (waiter.state !== state) continue;
      this.#waiters.delete(waiter);
      if (!waiter.future.done()) waiter.future.setResult();
    }
  }

  #call(method: keyof SubprocessProtocolLike, call: () => void): void {
    enterContext(this.#context);
    runInEngineContext(this.#creator, () => this.#try(method, call));
  }

  /** Calls the protocol. What it throws does not concern the process. */
  #try(method: keyof SubprocessProtocolLike, call: () => void): void {
    try {
      call();
    } catch (exception) {
      this.#loop.callExceptionHandler({
        message: `Exception in protocol.${method}()`,
        exception,
        transport: this,
        protocol: this.#protocol,
      });
    }
  }
}
