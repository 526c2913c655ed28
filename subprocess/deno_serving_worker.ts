/**
 * The inside of a worker of `serveWorkers()`. What starts the worker imports this file and the
 * program, and calls {@linkcode workInProcess} or {@linkcode workInThread} with the latter.
 *
 * @module
 */
import { CancelledError } from "../loop/errors/errors.ts";
import { exitProgram } from "../loop/platform/deno_program.ts";
import { run } from "../loop/runner.ts";
import { offerSocket } from "../transports/deno/deno_shared_sockets.ts";
import { type Command, FAILED, type Notice } from "./_deno_serving_messages.ts";
import type { ServedMain } from "./serve_workers.ts";

/** The module of the program, with its URL. */
type Program = { readonly main?: unknown };

/** What a worker says to its supervisor, and how it hears of it. */
interface SupervisorPort {
  post(notice: Notice): void;
  /** Calls `callback` for each command, with the socket if one came along. */
  receive(callback: (command: Command, handle: unknown) => void): void;
}

/** Works in a process that was started with a channel to its supervisor. */
export async function workInProcess(program: Program, url: string): Promise<void> {
  const { default: process } = await import("node:process");
  // Of the terminal: the supervisor decides what becomes of its workers.
  for (const signal of ["SIGHUP", "SIGINT"] as const) Deno.addSignalListener(signal, () => {});
  const stop = work(program, url, {
    post: (notice) => void process.send?.(notice),
    receive: (callback) =>
      process.on(
        "message",
        ((command: Command, handle: unknown) => callback(command, handle)) as never,
      ),
  });
  process.on("disconnect", stop);
  Deno.addSignalListener("SIGTERM", stop);
}

/** Works in a thread. */
export async function workInThread(program: Program, url: string): Promise<void> {
  const { parentPort } = await import("node:worker_threads");
  work(program, url, {
    post: (notice) => parentPort?.postMessage(notice),
    receive: (callback) =>
      parentPort?.on(
        "message",
        (command: Command) =>
          callback(command, command.command === "serve" ? { fd: command.descriptor } : null),
      ),
  });
}

/** Does what the supervisor says. Returns what asks the worker to end. */
function work(program: Program, url: string, port: SupervisorPort): () => void {
  const stopping = new AbortController();
  let isServing = false;
  const stop = () => {
    if (!isServing) exitProgram(0);
    stopping.abort(new DOMException("The worker was asked to end", "AbortError"));
  };
  port.receive((command, handle) => {
    if (command.command === "stop") return stop();
    isServing = true;
    const { asked, bound } = command;
    offerSocket({ asked, bound, handle, onServing: () => port.post("serving") });
    void serve(program, url, command, stopping.signal);
  });
  port.post("ready");
  return stop;
}

async function serve(
  { main }: Program,
  url: string,
  { asked, index, grace }: Command & { command: "serve" },
  signal: AbortSignal,
): Promise<void> {
  try {
    if (typeof main !== "function") {
      throw new TypeError(`Cannot serve by workers: "${url}" exports no function main()`);
    }
    const start = () => (main as ServedMain)(asked, { index, grace, signal });
    await run(start, { signals: [], signal, grace });
    exitProgram();
  } catch (error) {
    if (error instanceof CancelledError && signal.aborted) exitProgram();
    console.error(error);
    exitProgram(FAILED);
  }
}
