import { isNotCapable, nameMissingFlag } from "../loop/errors/deno_not_capable.ts";
import { nameTooManyFiles } from "../loop/errors/deno_too_many_files.ts";
import { permissionFlags } from "../loop/permissions/permission_flags.ts";
import { denoCommand } from "../loop/platform/deno_command.ts";
import type {
  WorkerLink,
  WorkerPermissions,
  WorkerPort,
  WorkerProcesses,
  WorkerProcessOptions,
  WorkerSink,
} from "../loop/platform/worker_platform.ts";
import { type JobScopes, trackJobs } from "./_deno_job_scopes.ts";
import { frame, FrameReader, MARK_SIZE, MAX_PAYLOAD } from "./_frames.ts";

/**
 * Worker processes: one more Deno each, which runs the source text from a `data:` URL.
 *
 * *Theory of operation.* Messages are frames on the child's stdin and stdout, serialised by
 * `node:v8`. A frame begins with a mark, random for each child. What else comes from its stdout,
 * such as the output of `console.log()` in a job, is passed on to our stdout. A child whose
 * stdin ends exits by itself; one that is in an endless loop is killed when this program ends.
 *
 * @module
 */

/** Loaded with the first process. */
let v8: typeof import("node:v8") | null = null;

/** Every child that runs, to be killed when the program ends without having shut down. */
const running: Set<Deno.ChildProcess> = new Set();

/** Seconds, in milliseconds, that output may take to arrive after the exit of a child. */
const LAST_OUTPUT_MS = 100;

/** Processes that run JavaScript, on Deno. */
export const denoWorkerProcesses: WorkerProcesses = Object.freeze<WorkerProcesses>({
  start: (source, options, sink) => new DenoProcessLink(source, options, sink),
});

class DenoProcessLink implements WorkerLink {
  readonly #sink: WorkerSink;
  readonly #mark: Uint8Array = crypto.getRandomValues(new Uint8Array(MARK_SIZE));
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: ReadableStreamDefaultReader<Uint8Array>;
  /** Messages posted before `node:v8` was loaded. */
  #waiting: unknown[] = [];
  #ended = false;
  #terminated = false;

  constructor(source: string, options: WorkerProcessOptions, sink: WorkerSink) {
    this.#sink = sink;
    this.#child = spawn(processSource(source), options);
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdin.closed.catch(ignoreBrokenPipe);
    // Not in the source, which a job can read.
    this.#stdin.write(this.#mark).catch(ignoreBrokenPipe);
    this.#stdout = this.#child.stdout.getReader();
    this.#child.unref();
    if (running.size === 0) globalThis.addEventListener("unload", killAll);
    running.add(this.#child);
    void this.#watch();
  }

  post(message: unknown): void {
    if (this.#ended || this.#terminated) return;
    if (v8 === null) this.#waiting.push(structuredClone(message));
    else this.#stdin.write(frame(this.#mark, v8.serialize(message))).catch(ignoreBrokenPipe);
  }

  terminate(): void {
    if (this.#ended || this.#terminated) return;
    this.#terminated = true;
    kill(this.#child);
  }

  /** Follows the child from its start to its end. */
  async #watch(): Promise<void> {
    v8 ??= await import("node:v8");
    this.#postWaiting();
    const output = this.#read(v8);
    const status = await this.#child.status;
    // A process that the job started may hold the pipe open for ever.
    const timer = setTimeout(() => this.#stdout.cancel().catch(ignoreBrokenPipe), LAST_OUTPUT_MS);
    await output;
    clearTimeout(timer);
    this.#end(status);
  }

  #postWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      for (const message of waiting) this.post(message);
    } catch (error) {
      // What can be cloned for a thread, such as shared memory, may be none for a process.
      this.#sink.garbled(error);
    }
  }

  async #read({ deserialize }: typeof import("node:v8")): Promise<void> {
    const reader = new FrameReader(
      this.#mark,
      (payload) => this.#receive(payload, deserialize),
      (output) => writeAll(output),
    );
    try {
      for (;;) {
        const { done, value } = await this.#stdout.read();
        if (done) break;
        reader.push(value);
      }
      reader.end();
    } catch (error) {
      // The rest is neither an answer nor output.
      this.#stdout.cancel().catch(ignoreBrokenPipe);
      if (!this.#terminated) this.#sink.garbled(error);
    }
  }

  #receive(payload: Uint8Array, deserialize: (payload: Uint8Array) => unknown): void {
    if (this.#terminated) return;
    let message: unknown;
    try {
      message = deserialize(payload);
    } catch (error) {
      return this.#sink.garbled(error);
    }
    this.#sink.received(message);
  }

  #end(status: Deno.CommandStatus): void {
    this.#ended = true;
    running.delete(this.#child);
    if (running.size === 0) globalThis.removeEventListener("unload", killAll);
    this.#stdin.abort().catch(ignoreBrokenPipe);
    this.#sink.ended(describeExit(this.#terminated, status), undefined);
  }
}

/** Returns the module that a process runs: it makes the port and calls `source` with it. */
function processSource(source: string): string {
  const module = `import { deserialize, serialize } from "node:v8";
import { AsyncLocalStorage } from "node:async_hooks";
const scopes = (${trackJobs})(new AsyncLocalStorage());
const codec = { serialize, deserialize, markSize: ${MARK_SIZE}, maxPayload: ${MAX_PAYLOAD} };
(${servePort})((${source}), scopes, codec);`;
  return `data:text/javascript,${encodeURIComponent(module)}`;
}

/** How messages become bytes. */
interface Codec {
  readonly markSize: number;
  readonly maxPayload: number;
  serialize(message: unknown): Uint8Array;
  deserialize(payload: Uint8Array): unknown;
}

/** Runs in the child, and so uses nothing of this file. */
function servePort(
  main: (port: WorkerPort) => void,
  { runAs, onStray }: JobScopes,
  { serialize, deserialize, markSize, maxPayload }: Codec,
): void {
  const read = Deno.stdin.read.bind(Deno.stdin);
  // What comes there is for us alone: a job that took it would wait for ever, and so would the next.
  Object.defineProperties(Deno.stdin, {
    read: { value: () => Promise.resolve(null) },
    readSync: { value: () => null },
    readable: { get: () => ReadableStream.from([]) },
  });
  const writeSync = Deno.stdout.writeSync.bind(Deno.stdout);
  let callback: (message: unknown) => void = () => {};

  function post(mark: Uint8Array, message: unknown): void {
    const payload = serialize(message);
    if (payload.length > maxPayload) {
      throw new RangeError(
        `Cannot send a message: it takes ${payload.length} bytes, and may take ${maxPayload}`,
      );
    }
    const header = new Uint8Array(mark.length + 4);
    header.set(mark);
    new DataView(header.buffer).setUint32(mark.length, payload.length);
    try {
      for (const part of [header, payload]) {
        for (let sent = 0; sent < part.length;) sent += writeSync(part.subarray(sent));
      }
    } catch (error) {
      // Whoever started this process is gone, as the end of stdin is about to tell.
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
      throw error;
    }
  }

  async function readExactly(size: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(size);
    for (let filled = 0; filled < size;) {
      const count = await read(bytes.subarray(filled));
      if (count === null) return null;
      filled += count;
    }
    return bytes;
  }

  async function serve(): Promise<void> {
    const mark = await readExactly(markSize);
    if (mark !== null) {
      const receive = (receiver: typeof callback) => callback = receiver;
      main({ post: (message) => post(mark, message), receive, runAs, onStray });
    }
    while (mark !== null) {
      const header = await readExactly(markSize + 4);
      if (header === null) break;
      const size = new DataView(header.buffer).getUint32(markSize);
      const payload = await readExactly(size);
      if (payload === null) break;
      callback(deserialize(payload));
    }
    Deno.exit(0);
  }

  void serve();
}

function spawn(url: string, options: WorkerProcessOptions): Deno.ChildProcess {
  const args = [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    `--v8-flags=--max-old-space-size=${options.heapLimitMb}`,
    ...permissionFlags(options.permissions),
    ...mayImport(options.permissions) ? [] : ["--deny-import"],
    ...options.program === undefined ? [url] : ["--preload", url, options.program],
  ];
  const command = new Deno.Command(denoCommand(), { args, stdin: "piped", stdout: "piped" });
  try {
    return command.spawn();
  } catch (error) {
    const action = "start a worker process";
    throw isNotCapable(error)
      ? nameMissingFlag(error as Error, action)
      : nameTooManyFiles(error, action);
  }
}

function mayImport(permissions: WorkerPermissions): boolean {
  return permissions.import !== undefined && permissions.import !== false;
}

function describeExit(terminated: boolean, status: Deno.CommandStatus): string {
  if (terminated) return "was killed";
  return status.signal === null
    ? `exited with code ${status.code}`
    : `was ended by signal ${status.signal}`;
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // Deno says so when the child has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

function killAll(): void {
  for (const child of running) kill(child);
}

function writeAll(bytes: Uint8Array): void {
  for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
}

/** The end of the child is reported by its status. */
function ignoreBrokenPipe(): void {}
