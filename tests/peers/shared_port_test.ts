// Workers that serve one port.
import { assert, assertEquals } from "@std/assert";
import { openConnection, run } from "../../mod.ts";

const PROGRAM = new URL("programs/shared_port.ts", import.meta.url);
const CONNECTIONS = 200;

/** Starts a worker that serves `port`, or one that the system chooses. */
async function serve(port: number): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(PROGRAM, { type: "module" });
  return { worker, port: await ask(worker, port) };
}

/** Sends a worker a message, and returns its answer. */
function ask(worker: Worker, message: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(event.error);
  worker.postMessage(message);
  return promise;
}

Deno.test("createServer() with reusePort serves one port from two workers", async () => {
  const first = await serve(0);
  const second = await serve(first.port);
  assertEquals(second.port, first.port);

  await run(async () => {
    for (let count = 0; count < CONNECTIONS; count += 1) {
      const [reader, writer] = await openConnection({ port: first.port });
      assertEquals((await reader.read()).length, 0);
      writer.close();
    }
  });

  const counts = [await ask(first.worker, 0), await ask(second.worker, 0)];
  for (const { worker } of [first, second]) worker.terminate();
  assertEquals(counts.reduce((sum, count) => sum + count), CONNECTIONS);
  assert(Math.min(...counts) > CONNECTIONS / 10, `the shares are ${counts}`);
});
