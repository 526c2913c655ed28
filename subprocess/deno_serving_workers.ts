/**
 * Workers of `serveWorkers()`: one more Deno each, or a thread.
 *
 * *Theory of operation.* A worker runs this package's `deno_serving_worker.ts` and the module of the
 * program in one isolate, so that both have the same package. In a process the program is the main
 * module, so that Deno finds the `deno.json` that belongs to it, and a module that is loaded before
 * calls its `main()`. The socket goes to a process over Node's channel between processes, which keeps
 * it here; to a thread as the number of a further descriptor.
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import type { ChildProcess } from "node:child_process";
import type { Worker as NodeWorker } from "node:worker_threads";
import { isNotCapable, nameMissingFlag } from "../loop/errors/deno_not_capable.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { permissionFlags } from "../loop/permissions/permission_flags.ts";
import { checkRunsDeno, denoCommand } from "../loop/platform/deno_command.ts";
import type { SocketAddress, WorkerPermissions } from "../loop/platform/platform.ts";
import { Step } from "../loop/scheduling/step.ts";
import { messageOf } from "../loop/values/describe.ts";
import { formatAddress } from "../loop/values/format_address.ts";
import { bindSocket, type BoundSocket } from "../transports/deno/deno_bind_socket.ts";
import type { Command, Notice } from "./_deno_serving_messages.ts";
import type { ServingLink, ServingSink, WorkerHost } from "./_supervisor.ts";

/** What all workers of a host have in common. */
export interface ServingOptions {
  /** The module of the program. */
  readonly url: string;
  /** Where the program asks to listen; its port may be 0. */
  readonly asked: SocketAddress;
  /** The numeric address of that. */
  readonly address: SocketAddress;
  readonly grace: number;
  readonly threads: boolean;
  readonly args: readonly string[];
  readonly permissions: WorkerPermissions;
}

/** Binds the socket, and returns what starts workers that serve it. */
export async function openServingHost(
  loop: EventLoop,
  options: ServingOptions,
): Promise<DenoServingHost> {
  // Node tells of that later, and elsewhere.
  if (!options.threads) checkRunsDeno("start a worker");
  const socket = await bindSocket(options.address);
  return new DenoServingHost(
    loop,
    options,
    socket,
    await import("node:child_process"),
    await import("node:worker_threads"),
  );
}

/** Starts workers that share a socket. */
export class DenoServingHost implements WorkerHost {
  /** Where the workers listen. */
  readonly address: SocketAddress;
  readonly #loop: EventLoop;
  readonly #options: ServingOptions;
  readonly #socket: BoundSocket;
  readonly #processes: typeof import("node:child_process");
  readonly #threads: typeof import("node:worker_threads");
  #threadCount = 0;
  #isClosed = false;

  constructor(
    loop: EventLoop,
    options: ServingOptions,
    socket: BoundSocket,
    processes: typeof import("node:child_process"),
    threads: typeof import("node:worker_threads"),
  ) {
    this.#loop = loop;
    this.#options = options;
    this.#socket = socket;
    this.#processes = processes;
    this.#threads = threads;
    this.address = socket.address;
  }

  start(index: number, sink: ServingSink): ServingLink {
    const onLoop = inLoop(this.#loop, sink);
    return this.#options.threads
      ? this.#startThread(index, onLoop)
      : this.#startProcess(index, onLoop);
  }

  /** Lets go of the socket: when the workers have too, connecting is refused. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.handle.close();
  }

  #startProcess(index: number, sink: ServingSink): ServingLink {
    const { url, args, permissions } = this.#options;
    const flags = permissionFlags(this.#granted(permissions));
    if (permissions.import === false) flags.push("--deny-import");
    const child = namingFlags(() =>
      this.#processes.spawn(
        denoCommand(),
        ["run", "--no-prompt", ...flags, "--preload", entry(url, "workInProcess"), url, ...args],
        { stdio: ["ignore", "inherit", "inherit", "ipc"] },
      )
    );
    child.on(
      "message",
      ((notice: Notice) => {
        if (notice === "serving") return sink.serving();
        // It has been asked to end.
        if (this.#isClosed) return;
        // The parent keeps its own end.
        const options = { keepOpen: true };
        child.send(this.#order(index), this.#socket.handle as never, options, ignore);
      }) as never,
    );
    followProcess(child, sink);
    return new ProcessLink(child);
  }

  #startThread(index: number, sink: ServingSink): ServingLink {
    const { url, args } = this.#options;
    const thread = new this.#threads.Worker(new URL(entry(url, "workInThread")), {
      argv: [...args],
    });
    this.#threadCount += 1;
    thread.on("message", (notice: Notice) => {
      if (notice === "serving") return sink.serving();
      if (!this.#isClosed) thread.postMessage(this.#order(index, this.#socket.handle.fdForIpc()));
    });
    let failure = "";
    thread.on("error", (error: unknown) => {
      const [line] = messageOf(error).split("\n");
      failure = ` ("${line}")`;
    });
    thread.on("exit", (code: number) => sink.ended(`exited with code ${code}${failure}`));
    return new ThreadLink(thread, this.#threadCount);
  }

  #order(index: number, descriptor?: number): Command {
    const { asked, grace } = this.#options;
    const listen = { hostname: asked.hostname, port: this.address.port };
    return { command: "serve", asked: listen, bound: this.address, index, grace, descriptor };
  }

  /** What a worker listens on it may. */
  #granted(permissions: WorkerPermissions): WorkerPermissions {
    const { net } = permissions;
    if (net === true) return permissions;
    return { ...permissions, net: [formatAddress(this.address), ...Array.isArray(net) ? net : []] };
  }
}

class ProcessLink implements ServingLink {
  readonly name: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.name = `Process ${child.pid}`;
  }

  stop(): void {
    if (this.#child.connected) this.#child.send({ command: "stop" } satisfies Command, ignore);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

class ThreadLink implements ServingLink {
  readonly name: string;
  readonly #thread: NodeWorker;

  constructor(thread: NodeWorker, number: number) {
    this.#thread = thread;
    this.name = `Thread ${number}`;
  }

  stop(): void {
    this.#thread.postMessage({ command: "stop" } satisfies Command);
  }

  kill(): void {
    void this.#thread.terminate();
  }
}

/** Returns a module that calls `work` with the module of the program. */
function entry(url: string, work: "workInProcess" | "workInThread"): string {
  const worker = new URL("./deno_serving_worker.ts", import.meta.url).href;
  const source = `import * as program from ${JSON.stringify(url)};
import { ${work} } from ${JSON.stringify(worker)};
void ${work}(program, ${JSON.stringify(url)});`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

function followProcess(child: ChildProcess, sink: ServingSink): void {
  child.once("error", (error: Error) => sink.ended(`could not be started ("${error.message}")`));
  child.once("exit", (code: number | null, signal: string | null) => {
    sink.ended(signal === null ? `exited with code ${code}` : `was ended by signal ${signal}`);
  });
}

/** Reports to `sink` from entries of the loop, its end once. */
function inLoop(loop: EventLoop, sink: ServingSink): ServingSink {
  let hasEnded = false;
  const enter = (work: () => void) => loop[inside.enter](new Step(work));
  return {
    serving: () => enter(() => sink.serving()),
    ended(how) {
      if (hasEnded) return;
      hasEnded = true;
      enter(() => sink.ended(how));
    },
  };
}

function namingFlags<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw isNotCapable(error) ? nameMissingFlag(error as Error, "start a worker") : error;
  }
}

/** The end of a worker is reported by its exit. */
function ignore(): void {}
