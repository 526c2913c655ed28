/** A server of an engine: a process that keeps its files in a folder of its own. */
export class Server implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #command: (port: number, folder: string) => readonly string[];
  #process: Deno.ChildProcess | null = null;

  private constructor(command: (port: number, folder: string) => readonly string[]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
    this.folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "gyre-engine-" });
    this.#command = command;
  }

  /** Starts a program with the arguments that `command` gives for a port and a folder. */
  static async start(
    command: (port: number, folder: string) => readonly string[],
  ): Promise<Server> {
    for (let attempt = 1;; attempt += 1) {
      const server = new Server(command);
      try {
        await server.start();
        return server;
      } catch (error) {
        // Somebody else may have taken the port.
        await server[Symbol.asyncDispose]();
        if (attempt === 3) throw error;
      }
    }
  }

  /** Starts it again, and waits until it takes connections. */
  async start(): Promise<void> {
    const [program = "", ...args] = this.#command(this.port, this.folder);
    const output = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const process = this.#process = new Deno.Command(program, { args, ...output }).spawn();
    let hasEnded = false;
    void process.status.then(() => hasEnded = true);
    while (!hasEnded) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#process = null;
    throw new Error(`Cannot start ${program}: it has ended with ${(await process.status).code}`);
  }

  /** Kills it as a crash does. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.folder, { recursive: true });
  }
}
