import { createSubprocessExec, type Process } from "@gyre/asyncio";
import type { JobBroker } from "@gyre/asyncio/queue";
import type { Server } from "../../engines/_server.ts";
import { filePath } from "../../../loop/platform/deno_system.ts";

/** An engine that runs for one test. */
export interface Engine extends AsyncDisposable {
  /** What `--broker` of the worker takes. */
  readonly url: string;
  /** What `--queue` takes. */
  readonly queue: string;
  /** The folder of the test. */
  readonly folder: string;
  /** Seconds of the leases. */
  readonly lease: number;
  /** Creates a broker for one more user of the queue. */
  broker(): JobBroker;
  /** Fails unless the engine keeps nothing of the queue. */
  assertEmpty(): Promise<void>;
}

/** What starts an engine. */
export interface EngineKind {
  /** The class of its brokers. */
  readonly name: string;
  /** The program that serves it; missing where there is none. */
  readonly command?: string;
  /** Starts that program. */
  startServer?(): Promise<Server>;
  /** Where there is none. */
  readonly nowhere?: { readonly url: string; broker(): JobBroker };
  /** Creates an empty queue with leases of so many seconds, on `server` if there is one. */
  start(lease: number, server?: Server): Promise<Engine>;
}

const WORKER = filePath(new URL("../../../executor/queue/deno_worker.ts", import.meta.url));
const JOBS = filePath(new URL("./_jobs.ts", import.meta.url));

/** Starts a worker as a program. */
export function startWorker(
  engine: Pick<Engine, "url" | "queue" | "lease">,
  ...args: string[]
): Promise<Process> {
  const flags = ["--allow-read", "--allow-write=/tmp", "--allow-run=deno"];
  flags.push("--allow-net=127.0.0.1", "--allow-env", "--allow-sys");
  return createSubprocessExec("deno", {
    args: [
      ...["run", "--no-prompt", "--no-check", ...flags, WORKER],
      ...["--jobs", JOBS, "--broker", engine.url, "--queue", engine.queue],
      ...["--lease", String(engine.lease)],
      ...["--permissions", JSON.stringify({ read: true, write: ["/tmp"] }), ...args],
    ],
    stdin: "null",
  });
}

/** Returns how often `line` is in a file. */
export async function countLines(file: string, line: string): Promise<number> {
  let text = "";
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return text.split("\n").filter((each) => each === line).length;
}
