/**
 * Serves a port by two processes. Each runs `main()` of examples/time_server.ts; `kill -HUP` replaces
 * them, one after the other, and no connection is lost. Ctrl-C or SIGTERM ends them all.
 *
 * deno run --allow-run=deno --allow-env --allow-net=127.0.0.1:8896 examples/serve_workers.ts
 *
 * Prints:
 *     Serving 127.0.0.1:8896
 *     ^C
 *
 * @module
 */
import { serveWorkers } from "@gyre/asyncio";

await serveWorkers(new URL("./time_server.ts", import.meta.url), {
  workers: 2,
  hostname: "127.0.0.1",
  port: 8896,
  grace: 1,
  onServing: ({ hostname, port }) => console.log(`Serving ${hostname}:${port}`),
});
