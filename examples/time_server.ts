/**
 * A server that tells the time, and ends each connection. It is a program of its own, and the module
 * that each worker of examples/serve_workers.ts runs.
 *
 * deno run --allow-net=127.0.0.1:8895 examples/time_server.ts
 *
 * Prints:
 *     Listening on 127.0.0.1:8895
 *     ^C
 *
 * @module
 */
import { runMain, type ServedAddress, startServer } from "@gyre/asyncio";

export async function main(listen: ServedAddress, { grace }: { grace: number }): Promise<void> {
  await using server = await startServer(async (_reader, writer) => {
    await using output = writer;
    output.write(new TextEncoder().encode(`${new Date().toISOString()}\n`));
  }, listen);
  if (import.meta.main) console.log(`Listening on ${listen.hostname}:${listen.port}`);
  await server.serveForever({ grace: grace });
}

if (import.meta.main) {
  await runMain(() => main({ hostname: "127.0.0.1", port: 8895 }, { grace: 1 }));
}
