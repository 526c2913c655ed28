import type { Program, Trace } from "./program.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const SCRIPT = filePath(new URL("run_on_cpython.py", import.meta.url));

/** A CPython that runs programs, one after the other. */
export class CPython implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts it. */
  constructor(command = "python3") {
    const options: Deno.CommandOptions = { args: [SCRIPT], stdin: "piped", stdout: "piped" };
    this.#process = new Deno.Command(command, options).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(lineSplitter())
      .getReader();
  }

  /** Returns the trace of each program, `null` where CPython itself cannot run it. */
  async run(programs: Program[]): Promise<(Trace | null)[]> {
    const sent = this.#writer.write(
      new TextEncoder().encode(programs.map((each) => JSON.stringify(each) + "\n").join("")),
    );
    const traces: (Trace | null)[] = [];
    while (traces.length < programs.length) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("Cannot read a trace: CPython has ended");
      traces.push(JSON.parse(value));
    }
    await sent;
    return traces;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    while (!(await this.#lines.read()).done);
    await this.#process.status;
  }
}

/** Returns 13 for CPython 3.13, 0 if there is none. */
export async function minorVersion(command = "python3"): Promise<number> {
  try {
    const args = ["-c", "import sys; print(sys.version_info.minor)"];
    const { stdout } = await new Deno.Command(command, { args }).output();
    return Number(new TextDecoder().decode(stdout));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function lineSplitter(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
