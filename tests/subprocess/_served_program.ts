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
    pid: parseInt(await read()),
    async say(line) {
      await connection.write(new TextEncoder().encode(`${line}\n`));
      return await read();
    },
    [Symbol.dispose]: () => connection.close(),
  };
}
