import { delay } from "@std/async";
import { filePath } from "../../loop/platform/deno_system.ts";

/** Who does the work. */
export interface Peer {
  /** Name in the table. */
  readonly name: string;
  /** The command that does it. */
  readonly command: readonly [string, ...string[]];
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
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      return new ServerProcess(child, Number(text.trim()));
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
