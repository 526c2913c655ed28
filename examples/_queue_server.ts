/** Starts the server of an engine, for examples that are to need no setting up; yours runs already. */
export async function startQueueServer(
  command: string,
  args: readonly string[],
  port: number,
): Promise<Deno.ChildProcess> {
  const output = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const server = new Deno.Command(command, { args: [...args], ...output }).spawn();
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return server;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
