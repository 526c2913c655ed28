import { refuseTimeLimit } from "../loop/values/time_limit.ts";
import { gather } from "../loop/structure/gather.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { wait } from "../loop/structure/wait.ts";
import { destroyed } from "./end_processes.ts";
import type { StreamReader } from "../transports/streams/stream_reader.ts";
import type { StreamWriter } from "../transports/streams/stream_writer.ts";
import type { ProcessStreams } from "./_process_streams.ts";
import type { ProcessTransport } from "./_process_transport.ts";

/** Seconds that a process has to end by itself at the end of an `await using` block. */
const GRACE = 5;

/**
 * Settings of a {@linkcode Process}.
 *
 * @category Subprocesses
 */
export interface ProcessOptions {
  /**
   * Seconds between `SIGTERM` and `SIGKILL` at the end of an `await using` block; 5 by default.
   */
  grace?: number | undefined;
  /**
   * Aborting it ends the process: sends `SIGTERM`, and after the grace period `SIGKILL`, also to
   * what it has started. Before there is a process, it gives up, and throws its reason.
   */
  signal?: AbortSignal | undefined;
}

/**
 * What a process with such streams has printed; `null` for one that is no pipe.
 *
 * @category Subprocesses
 */
export type ProcessOutput<
  Stdout extends StreamReader | null = StreamReader | null,
  Stderr extends StreamReader | null = StreamReader | null,
> = [
  stdout: Stdout extends null ? null : Uint8Array,
  stderr: Stderr extends null ? null : Uint8Array,
];

/**
 * A child process with streams for its pipes. As `asyncio.subprocess.Process`. Its type says which
 * of them there are, as its options do; `Process` alone is any.
 *
 * At the end of an `await using` block a process that runs is asked to end, and killed if it has
 * not within the grace period. Created by {@linkcode createSubprocessExec}.
 *
 * @category Subprocesses
 *
 * @example A program that ends with its block
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createSubprocessExec, PIPE, run } from "@gyre/asyncio";
 *
 * const answer = await run(async () => {
 *   await using cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
 *   cat.stdin.write(new TextEncoder().encode("meow\n"));
 *   const line = await cat.stdout.readLine();
 *   return new TextDecoder().decode(line);
 * });
 * assertEquals(answer, "meow\n");
 * ```
 */
export class Process<
  Stdin extends StreamWriter | null = StreamWriter | null,
  Stdout extends StreamReader | null = StreamReader | null,
  Stderr extends StreamReader | null = StreamReader | null,
> implements AsyncDisposable {
  /** Writes to its stdin; `null` if that is no pipe. */
  readonly stdin: Stdin;
  /** Reads its stdout; `null` if that is no pipe. */
  readonly stdout: Stdout;
  /** Reads its stderr; `null` if that is no pipe. */
  readonly stderr: Stderr;
  /** Its number. */
  readonly pid: number;
  readonly #loop: PlatformLoop;
  readonly #transport: ProcessTransport;
  readonly #grace: number;

  /** @ignore */
  constructor(
    loop: PlatformLoop,
    transport: ProcessTransport,
    streams: ProcessStreams,
    options: ProcessOptions = {},
  ) {
    this.#loop = loop;
    this.#transport = transport;
    this.#grace = options.grace ?? GRACE;
    this.pid = transport.getPid();
    // Who creates it says by the types which of them are pipes.
    this.stdin = streams.stdin as Stdin;
    this.stdout = streams.stdout as Stdout;
    this.stderr = streams.stderr as Stderr;
    if (options.signal !== undefined) this.#follow(options.signal);
  }

  /** How it has ended: its exit code, or minus the number of the signal; `null` as it runs. */
  get returncode(): number | null {
    return this.#transport.getReturncode();
  }

  /**
   * Waits until it has ended and its pipes are closed; does not wait if it is known to have ended.
   *
   * With `"piped"` output that nobody reads, a process that prints more than fits never ends: use
   * {@linkcode communicate}.
   *
   * @returns The {@linkcode returncode}.
   */
  wait(): Future<number> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "process.wait()");
    return startOperation(this.#loop, this.#waitSteps(), "process.wait of", this.#transport);
  }

  /**
   * Sends `input` to its stdin and closes that, reads its output to the end, and waits for it. A
   * process that ends before it has read all of `input` is no error.
   *
   * @param input What to send; nothing by default.
   * @returns What it printed, as `[stdout, stderr]`.
   * @throws {TypeError} If there is input, and stdin is no pipe.
   */
  communicate(input?: Uint8Array | null): Future<ProcessOutput<Stdout, Stderr>> {
    return startOperation(
      this.#loop,
      this.#communicateSteps(input ?? null),
      "process.communicate with",
      this.#transport,
    );
  }

  /**
   * Sends `signal` to it.
   *
   * @throws {Deno.errors.NotFound} If it has ended.
   * @throws {TypeError} If the system has no such signal, or cannot send it.
   */
  sendSignal(signal: Deno.Signal): void {
    this.#transport.sendSignal(signal);
  }

  /**
   * Asks it to end: sends `SIGTERM`. Throws as {@linkcode sendSignal}. As in asyncio what it has
   * started, such as the command of a shell, hears nothing of it and may go on.
   */
  terminate(): void {
    this.#transport.terminate();
  }

  /**
   * Ends it: sends `SIGKILL`. Throws as {@linkcode sendSignal}. As in asyncio what it has started,
   * such as the command of a shell, hears nothing of it and may go on: {@linkcode killGroup}, or the
   * end of an `await using` block, ends that too.
   */
  kill(): void {
    this.#transport.kill();
  }

  /**
   * Sends `signal`, by default `SIGKILL`, to it and those that it started, also when it has ended
   * and they have not. It must have been started with `startNewSession`. The grant for `/bin/sh` does
   * as well.
   *
   * @permissions allow-run=kill
   * @throws {InvalidStateError} If it has no session of its own.
   * @throws {Deno.errors.NotFound} If none of them is left.
   * @throws {Deno.errors.NotSupported} On Windows.
   */
  killGroup(signal?: Deno.Signal): void {
    this.#transport.killGroup(signal);
  }

  /**
   * Ends it: sends `SIGTERM` if it runs, and `SIGKILL` when it has not ended within the grace
   * period, or when the wait is cancelled; then to its whole session too, if it has one, or else to
   * what it has started, where that can be known: on Linux, with `--allow-run=/bin/sh`. Closes the
   * pipes. What is buffered for its stdin is dropped, and when it has ended already that is given
   * the grace period to go to who else reads it.
   */
  [Symbol.asyncDispose](): Future<void> {
    return startOperation(this.#loop, this.#endSteps(), "end of", this.#transport);
  }

  #follow(signal: AbortSignal): void {
    const onAbort = () => void startOperation(this.#loop, this.#abortSteps());
    signal.addEventListener("abort", onAbort);
    const ended = this.#transport.waitFor("ended");
    ended.addDoneCallback(() => signal.removeEventListener("abort", onAbort));
  }

  /** Who reads its output gets what it prints at its end. */
  *#abortSteps(): Coroutine<void> {
    const transport = this.#transport;
    if (this.returncode === null) transport.askToEnd();
    yield* wait([transport.waitFor("ended")], { timeout: this.#grace });
    if (!transport.isEnded()) yield* destroyed(this.#loop, [transport]);
  }

  *#waitSteps(): Coroutine<number> {
    if (this.returncode === null) yield* this.#transport.waitFor("ended");
    return this.returncode as number;
  }

  *#communicateSteps(input: Uint8Array | null): Coroutine<ProcessOutput<Stdout, Stderr>> {
    const { stdin, stdout, stderr } = this;
    if (stdin === null && input !== null) {
      throw new TypeError(`Cannot send input to process ${this.pid}: its stdin is no pipe`);
    }
    const loop = this.#loop;
    const [, output, errors] = yield* gather([
      startOperation(loop, feed(stdin, input)),
      startOperation(loop, readAll(stdout)),
      startOperation(loop, readAll(stderr)),
    ]);
    yield* this.wait();
    return [output, errors] as ProcessOutput<Stdout, Stderr>;
  }

  *#endSteps(): Coroutine<void> {
    const transport = this.#transport;
    const isRunning = this.returncode === null;
    try {
      if (isRunning) transport.askToEnd();
      else transport.close();
      yield* wait([transport.waitFor(isRunning ? "exited" : "ended")], { timeout: this.#grace });
    } finally {
      if (isRunning) yield* destroyed(this.#loop, [transport]);
      else transport.dropPipes();
    }
  }
}

function* feed(stdin: StreamWriter | null, input: Uint8Array | null): Coroutine<void> {
  if (stdin === null) return;
  try {
    if (input !== null) stdin.write(input);
    yield* stdin.drain();
  } catch (error) {
    if (!isHangup(error)) throw error;
  }
  stdin.close();
}

function* readAll(stream: StreamReader | null): Coroutine<Uint8Array | null> {
  return stream === null ? null : yield* stream.read();
}

/** Whether the reader of a pipe is gone. */
function isHangup(error: unknown): boolean {
  return error instanceof Error && ["BrokenPipe", "ConnectionReset"].includes(error.name);
}
