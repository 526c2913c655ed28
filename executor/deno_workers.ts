import type { Worker as NodeWorker } from "node:worker_threads";
import { outsideOfTasks } from "../loop/platform/platform_loop.ts";
import type {
  WorkerLink,
  Workers,
  WorkerSink,
  WorkerThreadOptions,
} from "../loop/platform/worker_platform.ts";
import { trackJobs } from "./_deno_job_scopes.ts";
import { pack, type Parcel } from "./_parcel.ts";

/**
 * Threads of Deno.
 *
 * *Theory of operation.* Deno offers its worker threads under two names: `Worker` of the web and
 * `Worker` of `node:worker_threads`. A thread, its isolate, its globals and its messages are the
 * same; what the host is told differs. This file uses the second, because of what was measured on
 * Deno 2.9.6 with the first: a program never exits once a worker is in an endless loop, also when
 * it was terminated; `self.close()` and `Deno.exit()` in the worker are invisible outside; a
 * worker out of memory aborts the program. The price: it starts in 23 ms instead of 10.
 *
 * A thread out of memory has its current callback ended, and not always says so: one that was in a
 * microtask just goes on, without the job. So the thread looks at its heap limit, which has grown
 * by then, and exits.
 *
 * What a thread posts begins with a mark, random for each thread, so that a job cannot answer for
 * another one with a message of its own.
 *
 * Neither can stop a thread that is in an endless loop: `terminate()` lets go of it, and it ends
 * with the program.
 *
 * @module
 */

/** Loaded with the first thread: it costs the start of a program 7 ms. */
let threads: typeof import("node:worker_threads") | null = null;

/** The exit code of a thread that has found itself out of memory. */
const OUT_OF_MEMORY = 1_000_001;
/** How often a thread looks. */
const HEAP_CHECK_MS = 250;

/** Threads that run JavaScript, on Deno. All loops share it: none may change it. */
export const denoWorkers: Workers = Object.freeze<Workers>({
  get hardwareConcurrency() {
    return navigator.hardwareConcurrency;
  },
  start: (source, options, sink) => new DenoWorkerLink(threadSource(source), options, sink),
  errorClass(name) {
    const classes = Deno.errors as Record<string, abstract new (message?: string) => Error>;
    return Object.hasOwn(classes, name) ? classes[name] ?? null : null;
  },
});

/** Returns the module that a thread runs: it makes the port and calls `source` with it. */
function threadSource(source: string): URL {
  // `globalThis` carries the messages; importing `parentPort` keeps the thread alive for them.
  const module = `import { parentPort } from "node:worker_threads";
import { getHeapStatistics } from "node:v8";
import { AsyncLocalStorage } from "node:async_hooks";
globalThis.self ??= globalThis;
const heapLimit = getHeapStatistics().heap_size_limit;
setInterval(() => {
  if (getHeapStatistics().heap_size_limit > heapLimit) Deno.exit(${OUT_OF_MEMORY});
}, ${HEAP_CHECK_MS});
const { report, runAs, onStray } = (${trackJobs})(new AsyncLocalStorage());
const post = parentPort.postMessage.bind(parentPort);
globalThis.postMessage = parentPort.postMessage = () =>
  report(new TypeError("Cannot post a message from a job: it has no port of its own"));
globalThis.addEventListener("message", ({ data: mark }) => (${source})({
  post: (message, transfer) =>
    transfer === undefined ? post([mark, message]) : post([mark, message], transfer),
  receive: (callback) => globalThis.addEventListener("message", (event) => callback(event.data)),
  runAs,
  onStray,
}), { once: true });`;
  return new URL(`data:text/javascript,${encodeURIComponent(module)}`);
}

class DenoWorkerLink implements WorkerLink {
  readonly #source: URL;
  readonly #options: WorkerThreadOptions;
  readonly #sink: WorkerSink;
  readonly #mark: string = crypto.randomUUID();
  #worker: NodeWorker | null = null;
  /** Messages posted before the thread was created. */
  #waiting: Parcel[] = [];
  #ended = false;
  #error: unknown = undefined;

  constructor(source: URL, options: WorkerThreadOptions, sink: WorkerSink) {
    this.#source = source;
    this.#options = options;
    this.#sink = sink;
    // The thread outlives the task that needed it first: its events are part of none.
    outsideOfTasks(() => {
      if (threads !== null) this.#start(threads);
      else void import("node:worker_threads").then((module) => this.#start(threads = module));
    });
  }

  post(message: unknown, transfer: Transferable[] = []): void {
    if (this.#ended) return;
    if (this.#worker === null) this.#waiting.push(pack(message, transfer));
    else if (transfer.length === 0) this.#worker.postMessage(message);
    else this.#worker.postMessage(message, transfer as never);
  }

  terminate(): void {
    if (this.#ended) return;
    void this.#worker?.terminate();
    this.#end("was terminated");
  }

  #start(module: typeof import("node:worker_threads")): void {
    if (this.#ended) return;
    const { name, heapLimitMb } = this.#options;
    const worker = new module.Worker(this.#source, {
      name,
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMb },
    });
    worker.unref();
    worker.on("message", (message: unknown) => this.#ended || this.#receive(message));
    worker.on("messageerror", (error: unknown) => this.#ended || this.#sink.garbled(error));
    worker.on("error", (error: unknown) => this.#error = error);
    worker.on("exit", (code: number) => this.#end(this.#describeExit(code)));
    this.#worker = worker;
    worker.postMessage(this.#mark);
    for (const { message, transfer } of this.#waiting) this.post(message, transfer);
    this.#waiting = [];
  }

  #receive(message: unknown): void {
    if (Array.isArray(message) && message[0] === this.#mark) this.#sink.received(message[1]);
    else this.#sink.garbled(undefined);
  }

  #describeExit(code: number): string {
    const errorCode = (this.#error as { code?: unknown } | undefined)?.code;
    if (errorCode === "ERR_WORKER_OUT_OF_MEMORY" || code === OUT_OF_MEMORY) {
      return "ran out of memory";
    }
    return this.#error === undefined ? `exited with code ${code}` : "failed";
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#sink.ended(reason, this.#error);
  }
}
