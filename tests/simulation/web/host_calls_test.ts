// Deno's and Node's own calls for sockets, datagrams and names, on hosts of a simulation.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import * as dns from "node:dns/promises";
import { once } from "node:events";
import { sleep } from "../../../mod.ts";
import { simulate, type Simulation } from "../../../simulation/mod.ts";
import { exploreWeb } from "../../../simulation/web/mod.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Runs `main` as the programs of a world with the web. */
function inWorld(main: (world: Simulation) => Promise<void>): Promise<void> {
  return simulate(main, { seed: 1, web: true });
}

/** Gives one connection back what it sends. */
async function echoOnce(): Promise<void> {
  using listener = Deno.listen({ port: 7 });
  using conn = await listener.accept();
  await conn.readable.pipeTo(conn.writable);
}

Deno.test("Deno.connect() and Deno.listen() talk between hosts, and half close", () =>
  inWorld(async ({ host }) => {
    host("server").run(echoOnce);
    await sleep(0.1);
    using conn = await Deno.connect({ hostname: "server", port: 7 });
    assertEquals(conn.remoteAddr.port, 7);
    assertEquals(await conn.write(utf8("hello")), 5);
    await conn.closeWrite();
    const buffer = new Uint8Array(3);
    assertEquals(await conn.read(new Uint8Array(0)), 0);
    assertEquals(await conn.read(buffer), 3);
    assertEquals(textOf(buffer), "hel");
    assertEquals(await conn.read(buffer), 2);
    assertEquals(await conn.read(buffer), null);
    await assertRejects(
      () => Deno.connect({ hostname: "server", port: 8 }),
      Deno.errors.ConnectionRefused,
    );
    await assertRejects(() => Deno.connect({ hostname: "nobody", port: 8 }));
  }));

Deno.test("a read that waits ends when its Deno.TcpConn is closed, and a closed one refuses", () =>
  inWorld(async ({ host }) => {
    host("server").run(async () => {
      using listener = Deno.listen({ port: 7 });
      using _conn = await listener.accept();
      await sleep(10);
    });
    await sleep(0.1);
    const conn = await Deno.connect({ hostname: "server", port: 7 });
    const reading = assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.Interrupted);
    await sleep(0.1);
    conn.close();
    await reading;
    assertThrows(() => conn.close());
    await assertRejects(() => conn.write(utf8("late")));
  }));

Deno.test("reads of a Deno.TcpConn come one after the other, and what is half closed takes no more", () =>
  inWorld(async ({ host }) => {
    host("server").run(echoOnce);
    await sleep(0.1);
    using conn = await Deno.connect({ hostname: "server", port: 7 });
    const buffers = [new Uint8Array(1), new Uint8Array(1)];
    const reads = buffers.map((buffer) => conn.read(buffer));
    await conn.write(utf8("ab"));
    assertEquals(await Promise.all(reads), [1, 1]);
    assertEquals(buffers.map(textOf), ["a", "b"]);
    await conn.closeWrite();
    await assertRejects(() => conn.write(utf8("late")), Deno.errors.BrokenPipe);
    await assertRejects(() => Deno.connect({ hostname: "server", port: 70_000 }), RangeError);
  }));

Deno.test("sockets of node:dgram send between hosts, to names, and know their addresses", () =>
  inWorld(async ({ host }) => {
    host("server").run(async () => {
      const server = createSocket("udp4");
      server.bind(53);
      for await (const [message, from] of dataOf(server)) {
        server.send(Buffer.concat([Buffer.from("re: "), message]), from.port, from.address);
      }
    });
    await sleep(0.1);
    const client = createSocket("udp4");
    client.bind(0);
    await once(client, "listening");
    assertEquals(client.address().family, "IPv4");
    client.setBroadcast(true);
    client.send("one", 53, "server");
    assertEquals(String((await once(client, "message"))[0]), "re: one");
    client.connect(53, "server");
    await once(client, "connect");
    assertEquals(client.remoteAddress().port, 53);
    client.send(["t", "wo"]);
    assertEquals(String((await once(client, "message"))[0]), "re: two");
    client.disconnect();
    assertThrows(() => client.remoteAddress());
    client.close();
    await once(client, "close");
  }));

/** Gives what a socket receives. */
async function* dataOf(
  socket: Socket,
): AsyncGenerator<[message: Buffer, from: { address: string; port: number }]> {
  for (;;) yield await once(socket, "message") as [Buffer, { address: string; port: number }];
}

Deno.test("names of hosts are what Deno.resolveDns() and node:dns find, and no others", () =>
  inWorld(async ({ host }) => {
    host("server").run(() => sleep(100));
    const { address, family } = await dns.lookup("server");
    assertEquals(family, address.includes(":") ? 6 : 4);
    const all = await dns.lookup("server", { all: true });
    assertEquals(all.some((one) => one.address === address), true);
    assertEquals((await dns.lookupService(address, 80)).hostname, "server");
    assertEquals(await dns.reverse(address), ["server"]);
    assertEquals(await Deno.resolveDns("server", "A"), await dns.resolve4("server"));
    await assertRejects(() => dns.lookup("nobody"), Error, "ENOTFOUND");
    await assertRejects(() => dns.resolve4("nobody"), Error, "ENOTFOUND");
    await assertRejects(() => Deno.resolveDns("nobody", "A"));
  }));

Deno.test("a WebHost ends, stands still, and runs again what it ran", async () => {
  await exploreWeb(async ({ host }) => {
    const server = host("server");
    let lives = 0;
    server.run(async () => {
      lives += 1;
      await sleep(1000);
    });
    await sleep(1);
    assertEquals([server.isUp, lives], [true, 1]);
    server.kill();
    assertEquals(server.isUp, false);
    void server.restart();
    await sleep(1);
    const { loop } = server;
    server.pause(5);
    server.crash();
    void server.restart();
    await sleep(1);
    assertEquals([server.isUp, lives, server.loop === loop], [true, 3, false]);
  }, { runs: 1 });
});

Deno.test("a Deno.Listener is iterated until it is closed, and closes what nobody has taken", () =>
  inWorld(async ({ host }) => {
    const ended: string[] = [];
    host("server").run(async () => {
      const listener = Deno.listen({ port: 7 });
      for await (const conn of listener) {
        await conn.write(utf8("one"));
        conn.close();
        listener.close();
      }
      ended.push("iterator");
      assertThrows(() => listener.close(), Deno.errors.BadResource);
      await assertRejects(() => listener.accept(), Deno.errors.BadResource);
    });
    await sleep(0.1);
    using conn = await Deno.connect({ hostname: "server", port: 7 });
    assertEquals(textOf(await new Response(conn.readable).bytes()), "one");
    await sleep(1);
    assertEquals(ended, ["iterator"]);
  }));

Deno.test("Deno.connect() ends with its signal, whenever that aborts", () =>
  inWorld(async ({ host, network }) => {
    host("server").run(() => sleep(100));
    network.partition("main", "server");
    const reason = new Error("enough");
    const options = { hostname: "server", port: 7 };
    const connecting = Deno.connect({ ...options, signal: abortAfter(1, reason) } as never);
    assertEquals(await assertRejects(() => connecting), reason);
    const aborted = { ...options, signal: AbortSignal.abort(reason) } as never;
    assertEquals(await assertRejects(() => Deno.connect(aborted)), reason);
  }));

/** A signal that aborts in simulated time. */
function abortAfter(seconds: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), seconds * 1000);
  return controller.signal;
}

Deno.test("what the simulated network does not serve is refused by name", () =>
  inWorld(async ({ host }) => {
    host("server").run(() => sleep(100));
    const [address = ""] = await Deno.resolveDns("server", "A");
    assertEquals(await Deno.resolveDns(address, "PTR"), ["server"]);
    await assertRejects(() => Deno.resolveDns("10.9.9.9", "PTR"), Deno.errors.NotFound);
    await assertRejects(async () => await Deno.resolveDns("server", "MX"), Error, "MX");
  }));
