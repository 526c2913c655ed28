// What foreign code keeps in an AsyncLocalStorage, in the callbacks and tasks of connections.
import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import {
  type Coroutine,
  DatagramProtocol,
  type DatagramTransport,
  EventLoop,
  getRunningLoop,
  openConnection,
  run,
  startServer,
} from "../../../mod.ts";
import { StreamTransport } from "../../../transports/core/stream_transport.ts";
import type { ByteSink } from "../../../loop/platform/platform.ts";
import { VirtualClock } from "../../loop/_virtual_clock.ts";
import { MemoryWire } from "../_memory_wire.ts";

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

Deno.test("a datagram endpoint calls its protocol in the foreign context of who created it", async () => {
  const seen: string[] = [];
  let arrived = Promise.withResolvers<void>();
  class Watcher extends DatagramProtocol {
    readonly lost = Promise.withResolvers<void>();
    override connectionMade(): void {
      seen.push(`made ${store()}`);
    }
    override datagramReceived(): void {
      seen.push(`datagram ${store()}`);
      arrived.resolve();
    }
    override errorReceived(): void {
      seen.push(`error ${store()}`);
      arrived.resolve();
    }
    override connectionLost(): void {
      seen.push(`lost ${store()}`);
      this.lost.resolve();
    }
  }
  await run(async () => {
    const loop = getRunningLoop();
    const open = () =>
      loop.createDatagramEndpoint(() => new Watcher(), {
        localAddress: { hostname: "127.0.0.1", port: 0 },
      });
    const [ours, protocol] = await storage.run("ours", open);
    const [theirs, other] = await open();
    const port = (transport: DatagramTransport) => transport.getExtraInfo("sockname")?.port ?? 0;
    const send = (transport: DatagramTransport, to: number) =>
      transport.sendto(new Uint8Array(1), { hostname: "127.0.0.1", port: to });
    storage.run("sender", () => send(theirs, port(ours)));
    await arrived.promise;
    arrived = Promise.withResolvers();
    storage.run("sender", () => send(ours, 0));
    await arrived.promise;
    for (const transport of [ours, theirs]) transport.close();
    await Promise.all([protocol.lost.promise, other.lost.promise]);
  });
  assertEquals(
    seen.toSorted(),
    ["datagram ours", "error ours", "lost nothing", "lost ours", "made nothing", "made ours"],
  );
});

Deno.test("a transport stands between channel and protocol alone where no foreign context differs", async () => {
  const sinks: ByteSink[] = [];
  class WatchedWire extends MemoryWire {
    override attach(sink: ByteSink): void {
      sinks.push(sink);
      super.attach(sink);
    }
  }
  const loop = new EventLoop({ clock: new VirtualClock() });
  const create = () => new StreamTransport(loop, new WatchedWire(loop), {});
  const main = function* (...more: StreamTransport[]): Coroutine<void> {
    const transports = [create(), ...more];
    for (let turn = 0; turn < 3; turn += 1) yield;
    for (const transport of transports) transport.abort();
    for (let turn = 0; turn < 3; turn += 1) yield;
  };
  await loop.runUntilComplete(() => main());
  await storage.run("A", () => loop.runUntilComplete(() => main()));
  assertEquals(sinks.length, 2);
  // One that was created elsewhere has something between, which changes the context.
  await loop.runUntilComplete(() => main(storage.run("A", create)));
  assertEquals(sinks.length, 5);
  loop.close();
});
