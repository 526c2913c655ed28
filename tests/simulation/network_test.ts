import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { DenoEventLoop } from "../../mod.ts";
import type { ByteChannel, DatagramChannel, Network } from "../../loop/platform/platform.ts";
import {
  CancelledError,
  createTask,
  gather,
  openConnection,
  openUnixConnection,
  Protocol,
  sleep,
  startServer,
  startUnixServer,
  timeout,
  type Transport,
} from "../../mod.ts";
import { simulate, type Simulation, type SimulationMain } from "../../simulation/mod.ts";
import { connectEcho, startEcho, utf8 } from "./_echo.ts";

function test(name: string, main: SimulationMain<void>): void {
  Deno.test(name, () => simulate(main));
}

/** Binds a datagram socket that keeps what it receives. */
async function openSocket(loop: DenoEventLoop, hostname: string, port = 0) {
  const channel = await loop.platform.network.openDatagrams(loop, { hostname, port });
  const received: string[] = [];
  channel.start({
    received: (bytes, { hostname, port }) => {
      received.push(`${new TextDecoder().decode(bytes)} from ${hostname}:${port}`);
    },
    sent: () => {},
    failed: (error) => received.push(`${error}`),
    closed: () => received.push("closed"),
  });
  return { channel, received };
}

function send(channel: DatagramChannel, text: string, hostname: string, port: number): void {
  channel.send(utf8(text), { transport: "udp", hostname, port });
}

test("every host resolves itself as localhost and the others by name", async ({ loop, host }) => {
  const { network } = loop.platform;
  const server = host("server");
  const addresses = async (network: Network, name: string) => {
    return (await network.lookup(loop, name)).map(({ hostname }) => hostname);
  };
  assertEquals(await addresses(network, "localhost"), ["127.0.0.1", "::1"]);
  assertEquals(await addresses(network, "server"), ["10.0.0.2"]);
  assertEquals(await addresses(server.loop.platform.network, "main"), ["10.0.0.1"]);
  assertEquals(await addresses(network, "192.0.2.1"), ["192.0.2.1"]);
  assertEquals(await network.reverseLookup(loop, "10.0.0.2"), "server");
  assertEquals(await network.reverseLookup(loop, "192.0.2.1"), null);
  await assertRejects(() => network.lookup(loop, "nobody"), Deno.errors.NotFound);
});

test("a program connects to itself without telling of any host", async ({ loop }) => {
  const server = await loop.createServer(() => ({}), { hostname: "localhost", port: 80 });
  const [transport] = await loop.createConnection(() => ({}), { port: 80 });
  const peer = transport.getExtraInfo("peername");
  assertEquals([peer?.hostname, peer?.port], ["127.0.0.1", 80]);
  transport.close();
  server.close();
  await server.waitClosed();
});

test("a server on all addresses is reached by each, and one on loopback by nobody else", async ({ loop, host }) => {
  const server = host("server");
  await server.run(async () => {
    await server.loop.createServer(() => ({}), { port: 80 });
    await server.loop.createServer(() => ({}), { hostname: "127.0.0.1", port: 81 });
  });
  const connect = (port: number) => {
    return loop.createConnection(() => ({}), { hostname: "10.0.0.2", port });
  };
  const [transport] = await connect(80);
  transport.close();
  await assertRejects(() => connect(81), Deno.errors.ConnectionRefused);
});

test("a port is taken until its listener closes", async ({ loop }) => {
  const listen = (hostname: string, port: number) => {
    return loop.createServer(() => ({}), { hostname, port });
  };
  const first = await listen("127.0.0.1", 80);
  await assertRejects(() => listen("127.0.0.1", 80), Deno.errors.AddrInUse);
  await assertRejects(() => listen("0.0.0.0", 80), Deno.errors.AddrInUse);
  const other = await listen("10.0.0.1", 80);
  await assertRejects(() => listen("10.0.0.9", 80), Deno.errors.AddrNotAvailable);
  first.close();
  const again = await listen("127.0.0.1", 80);
  other.close();
  again.close();
});

test("an address that nobody has is unreachable after 3 seconds", async ({ loop }) => {
  const connect = () => loop.createConnection(() => ({}), { hostname: "10.9.9.9", port: 1 });
  await assertRejects(connect, Deno.errors.NetworkUnreachable);
  assertEquals(loop.time(), 3);
});

test("a connect that is cancelled leaves nothing behind", async ({ loop, host, network }) => {
  const server = host("server");
  await startEcho(server);
  network.latency = 1;
  const connecting = connectEcho(server);
  await sleep(1.5);
  connecting.cancel();
  await connecting.catch(() => {});
  await sleep(10);
  const [reader, writer] = await connectEcho(server);
  writer.write(utf8("on"));
  assertEquals(await reader.readExactly(2), utf8("on"));
  writer.close();
  assert(loop.time() < 20);
});

test("half a connection goes on after the other half has ended", async ({ host }) => {
  const server = host("server");
  await startEcho(server);
  const [reader, writer] = await connectEcho(server);
  writer.write(utf8("last words"));
  writer.writeEof();
  assertEquals(await reader.read(), utf8("last words"));
  writer.close();
});

test("a Unix socket is known to its host alone, by its path", async ({ loop, host }) => {
  const { network } = loop.platform;
  const listener = await network.listenUnix(loop, "/run/app.sock");
  const accepted = loop.createFuture<ByteChannel>();
  listener.start({
    accepted: (channel) => accepted.setResult(channel),
    failed: () => {},
    closed: () => {},
  });
  await assertRejects(() => network.listenUnix(loop, "/run/app.sock"), Deno.errors.AddrInUse);
  await assertRejects(() => network.connectUnix(loop, "/run/other.sock"), Deno.errors.NotFound);
  const elsewhere = host("server").loop.platform.network;
  await assertRejects(() => elsewhere.connectUnix(loop, "/run/app.sock"), Deno.errors.NotFound);

  const channel = await network.connectUnix(loop, "/run/app.sock");
  assertEquals(channel.getExtraInfo("peername"), { transport: "unix", path: "/run/app.sock" });
  const peer = await accepted;
  assertEquals(loop.time(), 0);
  channel.abort();
  peer.abort();
  listener.close();
  await assertRejects(() => network.connectUnix(loop, "/run/app.sock"), Deno.errors.NotFound);
});

test("a datagram arrives with the address that it came from", async ({ loop, host }) => {
  const server = host("server");
  const there = await openSocket(server.loop, "0.0.0.0", 53);
  await server.run(() => {});
  const here = await openSocket(loop, "0.0.0.0", 5300);
  send(here.channel, "question", "10.0.0.2", 53);
  await sleep(1);
  assertEquals(there.received, ["question from 10.0.0.1:5300"]);
  send(there.channel, "answer", "10.0.0.1", 5300);
  send(there.channel, "to nobody", "10.0.0.1", 9999);
  send(here.channel, "to myself", "127.0.0.1", 5300);
  await sleep(1);
  assertEquals(here.received.toSorted(), [
    "answer from 10.0.0.2:53",
    "to myself from 127.0.0.1:5300",
  ]);
  here.channel.close();
  await sleep(1);
  assertEquals(here.received.at(-1), "closed");
});

test("a datagram that is too long fails, and the socket goes on", async ({ loop }) => {
  const { channel, received } = await openSocket(loop, "127.0.0.1", 53);
  channel.send(new Uint8Array(70_000), channel.address);
  send(channel, "short", "127.0.0.1", 53);
  await sleep(1);
  assert(received[0]?.includes("message too long"));
  assertEquals(received.slice(1), ["short from 127.0.0.1:53"]);
  channel.close();
});

/** What becomes of a datagram from main, at 127.0.0.1 or any address, as on a real network. */
const DESTINATIONS: [from: string, to: string, port: "its" | number, outcome: string][] = [
  ["127.0.0.1", "127.0.0.1", "its", "arrived"],
  ["127.0.0.1", "localhost", "its", "arrived"],
  ["127.0.0.1", "127.1", "its", "arrived"],
  ["127.0.0.1", "0.0.0.0", "its", "arrived"],
  ["127.0.0.1", "no-such.invalid", 9, "error NotFound"],
  ["127.0.0.1", "::1", 9, "error Error"],
  ["127.0.0.1", "127.0.0.1", 0, "error TypeError"],
  ["127.0.0.1", "255.255.255.255", 9, "error PermissionDenied"],
  ["127.0.0.1", "127.0.0.1", 9, "nothing"],
  ["0.0.0.0", "10.9.9.9", 9, "nothing"],
  ["0.0.0.0", "main", "its", "arrived"],
  ["0.0.0.0", "server", 9, "nothing"],
];

for (const [from, to, port, outcome] of DESTINATIONS) {
  test(`sendto() of ${to} port ${port} from ${from} is ${outcome}`, async ({ loop, host }) => {
    host("server");
    let seen = "nothing";
    const localAddress = { hostname: from, port: 0 };
    const [receiver] = await loop.createDatagramEndpoint(() => ({
      datagramReceived: () => void (seen = "arrived"),
    }), { localAddress });
    const [sender] = await loop.createDatagramEndpoint(() => ({
      errorReceived: (error: Error) => void (seen = `error ${error.constructor.name}`),
    }), { localAddress });
    const own = receiver.getExtraInfo("sockname");
    assert(own !== undefined);
    sender.sendto(utf8("x"), { hostname: to, port: port === "its" ? own.port : port });
    await sleep(1);
    assertEquals(seen, outcome);
    assertEquals(sender.getWriteBufferSize(), 0);
    sender.close();
    receiver.close();
  });
}

test("allowBroadcast lets a datagram reach every host", async ({ loop, host }) => {
  const heard: string[] = [];
  for (const name of ["one", "two"]) {
    const { loop } = host(name);
    await host(name).run(() =>
      loop.createDatagramEndpoint(() => ({ datagramReceived: () => void heard.push(name) }), {
        localAddress: { hostname: "0.0.0.0", port: 9 },
      })
    );
  }
  const [sender] = await loop.createDatagramEndpoint(() => ({}), {
    localAddress: { hostname: "0.0.0.0", port: 0 },
    allowBroadcast: true,
  });
  sender.sendto(utf8("x"), { hostname: "255.255.255.255", port: 9 });
  await sleep(1);
  assertEquals(heard.sort(), ["one", "two"]);
  sender.close();
});

/** Sends 200 datagrams, one each second, and returns those that arrive. */
async function sendMany({ loop, network }: Simulation, conditions: object): Promise<number[]> {
  Object.assign(network, conditions);
  const { channel, received } = await openSocket(loop, "127.0.0.1", 53);
  for (let index = 0; index < 200; index += 1) {
    send(channel, String(index), "127.0.0.1", 53);
    await sleep(0.001);
  }
  await sleep(1);
  channel.close();
  await sleep(1);
  return received.slice(0, -1).map((line) => parseInt(line));
}

const inOrder = Array.from({ length: 200 }, (_, index) => index);

test("datagrams are lost with the probability of the network", async (sim) => {
  const arrived = await sendMany(sim, { loss: 0.2 });
  assert(arrived.length > 120 && arrived.length < 190);
  assertEquals(arrived, arrived.toSorted((a, b) => a - b));
});

test("datagrams are duplicated with the probability of the network", async (sim) => {
  const arrived = await sendMany(sim, { duplicate: 0.2 });
  assert(arrived.length > 210 && arrived.length < 280);
  assertEquals([...new Set(arrived)], inOrder);
});

test("datagrams are reordered with the probability of the network", async (sim) => {
  const arrived = await sendMany(sim, { reorder: 0.2 });
  assert(arrived.some((value, index) => value !== index));
  assertEquals(arrived.toSorted((a, b) => a - b), inOrder);
});

/** Answers whatever comes at once, and counts. */
class Answering extends Protocol {
  answers = 0;
  #transport: Transport | null = null;

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  override dataReceived(data: Uint8Array): void {
    this.answers += 1;
    this.#transport?.write(data);
  }
}

for (const kind of ["Unix sockets", "TCP without latency"]) {
  test(`timers fire while two ends answer each other at once over ${kind}`, async (sim) => {
    const { loop, network } = sim;
    network.latency = network.jitter = 0;
    const one = new Answering();
    const other = new Answering();
    const isUnix = kind === "Unix sockets";
    const at = { path: "/run/echo.sock" };
    const server = isUnix
      ? await loop.createUnixServer(() => one, at)
      : await loop.createServer(() => one, { hostname: "127.0.0.1", port: 80 });
    const [transport] = isUnix
      ? await loop.createUnixConnection(() => other, at)
      : await loop.createConnection(() => other, { port: 80 });

    transport.write(utf8("ping"));
    await sleep(0);
    assertEquals(loop.time(), 0);
    await sleep(0.1);

    assert(one.answers > 100 && Math.abs(one.answers - other.answers) < 2);
    transport.abort();
    server.close();
    await server.waitClosed();
  });
}

for (const half of ["after its end", "without its end"]) {
  test(`a write that a forgotten connection breaks ${half} fails as a kernel says it`, async (sim) => {
    const { loop, network, host } = sim;
    const server = host("server");
    const accepted = loop.createFuture<Transport>();
    await server.run(() =>
      server.loop.createServer(() => ({
        connectionMade: (transport) => accepted.setResult(transport),
      }), { port: 80 })
    );
    const lost = loop.createFuture<Error | null>();
    const [transport] = await loop.createConnection(() => ({
      eofReceived: () => true,
      connectionLost: (error) => lost.setResult(error),
    }), { hostname: "server", port: 80 });
    const peer = await accepted;
    if (half === "after its end") peer.abort();
    else network.halfOpen("server");
    await sleep(1);
    // More than the kernels hold: it waits, and is what the refusal meets.
    transport.write(new Uint8Array(1_000_000));

    const error = await lost;
    assertInstanceOf(
      error,
      half === "after its end" ? Deno.errors.BrokenPipe : Deno.errors.ConnectionReset,
    );
  });
}

test("the address of a server that is closed can be listened on in the same turn", async () => {
  for (const hostname of ["127.0.0.1", ["127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "localhost"]]) {
    const server = await startServer(() => {}, { hostname, port: 80 });
    assertEquals(server.addresses.length, typeof hostname === "string" ? 1 : 2);
    server.close();
    await assertRejects(() => openConnection({ port: 80 }), Deno.errors.ConnectionRefused);
  }
});

test("a Unix socket stays at its path with cleanupSocket, and keeps to its backlog", async () => {
  const path = "/run/app.sock";
  const server = await startUnixServer(() => {}, {
    path,
    backlog: 1,
    cleanupSocket: false,
    startServing: false,
  });
  const [, writer] = await openUnixConnection({ path });
  await assertRejects(() => timeout(1, () => openUnixConnection({ path })));
  writer.transport.abort();
  server.close();
  await assertRejects(() => openUnixConnection({ path }), Deno.errors.ConnectionRefused);
  const second = await startUnixServer(() => {}, { path });
  second.close();
  await assertRejects(() => openUnixConnection({ path }), Deno.errors.NotFound);
});

test("shutdown() ends a crowd in time: 200 talk, 50 are silent, 10 never read", async ({ loop, host }) => {
  let cancelled = 0;
  const server = await host("server").run(() =>
    startServer(async (reader, writer) => {
      try {
        for (;;) {
          const data = await reader.readLine();
          writer.write(data[0] === 0x2e ? new Uint8Array(1024 * 1024) : data);
          await writer.drain();
        }
      } catch (error) {
        if (error instanceof CancelledError) cancelled += 1;
        throw error;
      }
    }, { port: 80 })
  );
  const talk = async () => {
    const [reader, writer] = await openConnection({ hostname: "server", port: 80 });
    await using output = writer;
    for (;;) {
      output.write(utf8("hello\n"));
      if ((await reader.readLine()).length === 0) return;
      await sleep(0.1);
    }
  };
  const stay = async (word: string) => {
    const [, writer] = await openConnection({ hostname: "server", port: 80 });
    writer.write(utf8(word));
    return writer;
  };
  const talking = Array.from({ length: 200 }, () => createTask(talk));
  const others = await gather(
    Array.from({ length: 60 }, (_, index) => createTask(() => stay(index < 50 ? "" : ".\n"))),
  );
  await sleep(0.5);
  const start = loop.time();
  await host("server").run(() => server.shutdown({ grace: 1 }));
  assert(loop.time() - start <= 1.13, `${loop.time() - start}`);
  assertEquals(cancelled, 260);
  await gather(talking, { returnExceptions: true });
  for (const writer of others) writer.transport.abort();
});

test("an error ends a block with a server in bounded time, and stays itself", async ({ loop }) => {
  const failure = new Error("the block");
  const error = await assertRejects(async () => {
    await using _server = await startServer((reader) => reader.read(), { port: 80 });
    await openConnection({ port: 80 });
    throw failure;
  });
  assertEquals(error, failure);
  assert(loop.time() <= 0.51, `${loop.time()}`);
});
