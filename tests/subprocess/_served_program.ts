import { filePath } from "../../loop/platform/deno_system.ts";
import {
  createSubprocessExec,
  PIPE,
  type Process,
  type ServeWorkersOptions,
  type StreamReader,
} from "@gyre/asyncio";

const PROGRAM = filePath(new URL("./programs/serve.ts", import.meta.url));

/** A supervisor that runs. */
export interface ServedProgram extends AsyncDisposable {
  readonly port: number;
  readonly process: Process<null, StreamReader, StreamReader>;
}

/** Starts a supervisor; `app` is a file in programs/. */
export function startSupervisor(
  app: string,
  options: ServeWorkersOptions,
): Promise<Process<null, StreamReader, StreamReader>> {
  const args = ["run", "--no-prompt", "--no-check", "--allow-run=deno", "--allow-env"];
  // Threads read their modules themselves.
  args.push("--allow-read=.", "--allow-net=127.0.0.1", PROGRAM, app, JSON.stringify(options));
  return createSubprocessExec("deno", { args, stdin: "null", stdout: PIPE, stderr: PIPE });
}

/** Starts a supervisor, and waits until it serves. */
export async function serveProgram(
  app: string,
  options: ServeWorkersOptions,
): Promise<ServedProgram> {
  const process = await startSupervisor(app, options);
  const line = await process.stdout.readLine();
  const port = Number(new TextDecoder().decode(line));
  if (!(port > 0)) throw new Error(new TextDecoder().decode(await process.stderr.read()));
  return {
    port,
    process,
    [Symbol.asyncDispose]: () => Promise.resolve(process[Symbol.asyncDispose]()),
  };
}

/** One connection to a greeting app. */
export interface Visit extends Disposable {
  /** The process that serves it. */
  readonly pid: number;
  /** Sends a line, and returns the answer. */
  say(line: string): Promise<string>;
}

/** Connects to a greeting app, and waits for the greeting. */
export async function visit(port: number): Promise<Visit> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const read = async () => {
    const bytes = new Uint8Array(64);
    const count = await connection.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, count)).trim();
  };
  return {
    pid: Number(await read()),
    async say(line) {
      await connection.write(new TextEncoder().encode(`${line}\n`));
      return await read();
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

/** What became of the visits of a load. */
export interface LoadCounts {
  answered: number;
  /** No connection was made. */
  refused: number;
  /** The connection broke before a worker had greeted. */
  unserved: number;
  /** It broke after that: its worker had begun. */
  broken: number;
  /** The processes that have greeted. */
  readonly pids: Set<number>;
}

/** Visits `port` again and again, by `clients` at a time, until `signal` aborts. */
export async function load(
  port: number,
  clients: number,
  signal: AbortSignal,
): Promise<LoadCounts> {
  const counts = { answered: 0, refused: 0, unserved: 0, broken: 0, pids: new Set<number>() };
  const count = async () => {
    while (!signal.aborted) await visitOnce(port, counts);
  };
  await Promise.all(Array.from({ length: clients }, count));
  return counts;
}

async function visitOnce(port: number, counts: LoadCounts): Promise<void> {
  let stage: "refused" | "unserved" | "broken" = "refused";
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    stage = "unserved";
    const bytes = new Uint8Array(64);
    const count = await connection.read(bytes);
    if (count === null) return void (counts.unserved += 1);
    stage = "broken";
    counts.pids.add(Number(new TextDecoder().decode(bytes.subarray(0, count))));
    await connection.write(bytes.subarray(0, count));
    const answered = await connection.read(bytes);
    if (answered === null) counts.broken += 1;
    else counts.answered += 1;
  } catch {
    counts[stage] += 1;
  }
}
