import { delay } from "@std/async";
import { filePath } from "../../loop/platform/deno_system.ts";

/** Who does the work. */
export interface Peer {
  /** Name in the table. */
  readonly name: string;
  /** The command that does it. */
  readonly command: readonly [string, ...string[]];
  /** The command that makes its program, where it is not there as it is. */
  readonly build?: readonly [string, ...string[]];
}

/** Work that every peer does. */
export interface Workload {
  /** Name in the table. */
  readonly name: string;
  /** What is measured, less being better. */
  readonly unit: string;
  /** Who does it; the first is this package. */
  readonly peers: readonly Peer[];
  /** Lets one peer do it once; gives a number for each metric. */
  measure(peer: Peer): Promise<Record<string, number>>;
}

/** Whether this is only to see that the bench works: numbers too small to mean anything. */
export const isQuick: boolean = Deno.args.includes("--quick");

/** Where the peers' programs are. */
export const FOLDER: string = filePath(new URL("./", import.meta.url));

/** The Pythons to compare with. Debian's has uvloop. */
export const PYTHON = "/usr/bin/python3";

/** Runs a command to its end, and gives what it printed. */
export async function output(command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  const { stdout, success } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`Cannot finish a bench: ${command.join(" ")} failed`);
  return text;
}

/** Gives the program of a peer that this machine lacks. */
export function findMissing({ command, build }: Peer): string | undefined {
  const [program] = build ?? command;
  const { success } = new Deno.Command("which", { args: [program], stdout: "null" }).outputSync();
  return success ? undefined : program;
}

/** Puts `command` on one core, where there are several. */
export function onCore(core: number, command: readonly string[]): string[] {
  if (navigator.hardwareConcurrency < 2) return [...command];
  return ["taskset", "-c", String(core), ...command];
}

/** A running server, whose output is its port and whose CPU time is counted. */
export class ServerProcess {
  readonly #child: Deno.ChildProcess;
  /** The port it printed. */
  readonly port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts `command` on the first core and waits for its port. */
  static async start(command: readonly string[]): Promise<ServerProcess> {
    const [program = "", ...args] = onCore(0, command);
    const child = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
    let text = "";
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part; // Python may write the number and the end of the line one after the other
      if (text.endsWith("\n")) return new ServerProcess(child, Number(text));
    }
    throw new Error(`Cannot bench ${command.join(" ")}: it ended without a port`);
  }

  /** Returns the seconds of CPU time it has used. */
  async cpuSeconds(): Promise<number> {
    // Of /proc/<pid>/stat, user and system time in ticks of 10 ms; the name may hold spaces.
    const text = await output(["cat", `/proc/${this.#child.pid}/stat`]);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Returns its resident memory in KiB. */
  async residentKiB(): Promise<number> {
    const text = await output(["cat", `/proc/${this.#child.pid}/status`]);
    return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]);
  }

  /** Kills it. */
  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await delay(50);
  }
}

/** What a load found out. */
export interface LoadResult {
  /** Messages that came back. */
  readonly messages: number;
  /** Half of the messages took less, in milliseconds. */
  readonly p50: number;
  /** How many messages the slowest connection had. */
  readonly slowest: number;
  /** How many messages the median connection had. */
  readonly median: number;
}

/** Puts a load on `server` for some seconds; gives the CPU time that it took there, and the load's own words. */
export async function measureLoad(
  server: ServerProcess,
  load: readonly string[],
  connections: number,
  bytes: number,
  seconds: number,
): Promise<LoadResult & { cpuSeconds: number }> {
  const [program = "", ...args] = onCore(1, [
    ...load,
    ...[server.port, connections, bytes, seconds].map(String),
  ]);
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
  let before = 0;
  let cpuSeconds = 0;
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (chunk.includes("measuring")) before = await server.cpuSeconds();
    if (chunk.includes("measured")) cpuSeconds = await server.cpuSeconds() - before;
    text += chunk;
  }
  await child.status;
  const result: LoadResult = JSON.parse(text.trim().split("\n").at(-1) ?? "{}");
  return { ...result, cpuSeconds };
}
