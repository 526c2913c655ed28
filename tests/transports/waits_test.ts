// What a snapshot says that tasks wait for of connections that are real; the simulated ones are in
// tests/simulation/snapshot_test.ts.
import {
  createTask,
  Event,
  type Future,
  openConnection,
  run,
  type Server,
  startServer,
} from "../../mod.ts";
import { assertWaits } from "./_waits.ts";

/** Starts a server that says nothing, and aborts its connections once `event` is set. */
function startSilentServer(event: Event): Future<Server<Deno.NetAddr>> {
  return startServer(async (_reader, writer) => {
    await event.wait();
    writer.transport.abort();
  }, { hostname: "127.0.0.1", port: 0 });
}

Deno.test("snapshot() says that tasks wait for what a real connection reads, writes, and ends", () =>
  run(async () => {
    const event = new Event();
    await using server = await startSilentServer(event);
    const place = `127\\.0\\.0\\.1:${server.address.port}`;
    const [reader, writer] = await openConnection(server.address);
    await assertWaits(() => reader.readLine(), new RegExp(`^readLine from ${place}$`));
    await assertWaits(() => reader.readExactly(5), new RegExp(`^readExactly from ${place}$`));
    writer.write(new Uint8Array(64 << 20));
    await assertWaits(() => writer.drain(), new RegExp(`^drain to ${place}$`));
    await assertWaits(
      () => writer.waitClosed(),
      new RegExp(`^waitClosed of connection to ${place}$`),
    );
    event.set();
    writer.transport.abort();
  }));

Deno.test("snapshot() says that tasks wait for a real connection, and for a server", () =>
  run(async () => {
    const event = new Event();
    await using server = await startSilentServer(event);
    const { port } = server.address;
    // The server is no TLS server, and says nothing.
    await assertWaits(
      () => openConnection({ hostname: "127.0.0.1", port, tls: true }),
      new RegExp(`^connect to 127\\.0\\.0\\.1:${port}$`),
    );
    const serving = createTask(() => server.waitClosed());
    await assertWaits(() => server.waitClosed(), /^waitClosed of server on 127\.0\.0\.1:\d+$/);
    serving.cancel();
    event.set();
  }));
