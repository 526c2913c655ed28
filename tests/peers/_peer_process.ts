/** A program that talks to a test in lines. It is killed at the end of an `await using` block. */
export class PeerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  #unread = "";

  constructor(command: string, ...args: string[]) {
    const options: Deno.CommandOptions = {
      args,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
    };
    this.#process = new Deno.Command(command, options).spawn();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Returns the next line of its output. */
  async readLine(): Promise<string> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`Cannot read a line: the program has ended: ${this.#unread}`);
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }

  /** Writes `text` to its input and ends that. Returns the rest of its output when it has ended. */
  async finish(text = ""): Promise<string> {
    const input = this.#process.stdin.getWriter();
    await input.write(new TextEncoder().encode(text));
    await input.close();
    return await this.#readAll();
  }

  /** Sends it `signal`, and returns the rest of its output when it has ended. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<string> {
    this.#process.kill(signal);
    return await this.#readAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    if (!this.#process.stdin.locked) await this.#process.stdin.close().catch(() => {});
    await this.#readAll();
    await this.#process.status;
  }

  async #readAll(): Promise<string> {
    for (let read = await this.#output.read(); !read.done; read = await this.#output.read()) {
      this.#unread += read.value;
    }
    const text = this.#unread;
    this.#unread = "";
    return text;
  }
}

/** Whether there is a program `command` here. */
export function hasCommand(command: string, ...args: string[]): boolean {
  try {
    new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Returns a port of 127.0.0.1 that nothing uses. */
export function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
