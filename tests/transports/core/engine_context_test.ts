// What foreign code keeps in an AsyncLocalStorage, in the callbacks and tasks of connections.
import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import { type Coroutine, getRunningLoop, openConnection, run, startServer } from "../../../mod.ts";

const storage = new AsyncLocalStorage<string>();
const store = () => storage.getStore() ?? "nothing";

/** Sends a line as a client that has a context of its own, and gives what comes back. */
function ask(port: number): Promise<string> {
  return storage.run("client", async () => {
    const [reader, writer] = await openConnection({ hostname: "127.0.0.1", port });
    await using _writer = writer;
    writer.write(new TextEncoder().encode("who\n"));
    const answer = new TextDecoder().decode(await reader.readLine());
    return `${answer.trim()}, ${store()}`;
  });
}

Deno.test("startServer() runs its handlers in the foreign context of who started it", async () => {
  const answers = await run(async () => {
    const server = await storage.run("server", () =>
      startServer(async (reader, writer) => {
        const before = store();
        await reader.readLine();
        writer.write(new TextEncoder().encode(`${before} ${store()}\n`));
        await writer.drain();
        writer.close();
      }, { hostname: "127.0.0.1", port: 0 }));
    await using _server = server;
    const { port } = server.address;
    return [await ask(port), await ask(port)];
  });
  assertEquals(answers, ["server server, client", "server server, client"]);
});

Deno.test("startServer() runs coroutine handlers in its context, and none without one", async () => {
  const answers = await run(async () => {
    await using server = await startServer(function* (reader, writer): Coroutine<void> {
      const before = store();
      yield* reader.readLine();
      writer.write(new TextEncoder().encode(`${before} ${store()}\n`));
      yield* writer.drain();
      writer.close();
    }, { hostname: "127.0.0.1", port: 0 });
    const { port } = server.address;
    return [await ask(port), await ask(port)];
  });
  assertEquals(answers, ["nothing nothing, client", "nothing nothing, client"]);
});

Deno.test("createServer() calls its factory in the foreign context of who created it", async () => {
  const seen: string[] = [];
  await run(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await storage.run("server", () =>
      getRunningLoop().createServer(() => {
        seen.push(store());
        return {
          connectionMade: (transport) => transport.close(),
          connectionLost: () => resolve(),
        };
      }, { hostname: "127.0.0.1", port: 0 }));
    await using _server = server;
    const { port } = server.address;
    const [, writer] = await openConnection({ hostname: "127.0.0.1", port });
    await using _writer = writer;
    await promise;
  });
  assertEquals(seen, ["server"]);
});
