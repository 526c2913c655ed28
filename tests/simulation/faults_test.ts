import { assert, assertEquals, assertRejects } from "@std/assert";
import { sleep, type StreamReader, type StreamWriter, type Transport } from "../../mod.ts";
import { simulate, type Simulation } from "../../simulation/mod.ts";
import { connectEcho, startEcho, utf8 } from "./_echo.ts";

/** A client on `main` that is connected to an echo server on `server`. */
interface Stage extends Pick<Simulation, "loop" | "network"> {
  sim: Simulation;
  reader: StreamReader;
  writer: StreamWriter;
  /** Sends `text`, waits for its echo, and returns how long that took. */
  echo(text: string): Promise<number>;
}

function testFault(name: string, main: (stage: Stage) => Promise<void>): void {
  Deno.test(name, () =>
    simulate(async (sim) => {
      const { loop, network } = sim;
      Object.assign(network, { latency: 0.01, jitter: 0 });
      const server = sim.host("server");
      await startEcho(server);
      const [reader, writer] = await connectEcho(server);
      const echo = async (text: string) => {
        const start = loop.time();
        writer.write(utf8(text));
        assertEquals(new TextDecoder().decode(await reader.readExactly(text.length)), text);
        return round(loop.time() - start);
      };
      await main({ sim, loop, network, reader, writer, echo });
      writer.close();
      await writer.waitClosed().catch(() => {});
    }));
}

function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

testFault("latency is what a packet takes, each way", async ({ network, echo }) => {
  assertEquals(await echo("one"), 0.02);
  network.latency = 3;
  assertEquals(await echo("two"), 6);
});

testFault("jitter makes packets later, and a stream keeps its order", async ({ network, echo }) => {
  network.jitter = 0.1;
  const times = [await echo("one"), await echo("two"), await echo("three")];
  assert(times.every((time) => time > 0.02 && time < 0.22));
  assertEquals(new Set(times).size, 3);
});

testFault("bandwidth makes long messages later", async ({ network, echo }) => {
  network.bandwidth = 1000;
  assertEquals(await echo("x".repeat(500)), 1.02);
});

testFault("setLink() sets the conditions of one link alone", async ({ network, echo, sim }) => {
  network.setLink("main", "server", { latency: 1 });
  const other = sim.host("other");
  await startEcho(other);
  const start = sim.loop.time();
  const [, writer] = await connectEcho(other);
  assertEquals(round(sim.loop.time() - start), 0.02);
  writer.close();
  assertEquals(await echo("far"), 2);
});

testFault("loss delays a stream until TCP has sent it again", async ({ network, echo }) => {
  network.loss = 0.5;
  const times = [];
  for (let index = 0; index < 20; index += 1) times.push(await echo("text"));
  assert(times.some((time) => time === 0.02));
  assert(times.some((time) => time > 0.2));
});

testFault("partition() delays a connection until it heals", async ({ network, echo, loop }) => {
  network.partition("main", "server");
  loop.callLater(5, () => network.heal());
  const time = await echo("late");
  assert(time > 5 && time < 10, `${time}`);
  assertEquals(await echo("soon"), 0.02);
});

testFault(
  "partition() of one host cuts it off from all others",
  async ({ network, echo, loop }) => {
    network.partition("server");
    loop.callLater(1, () => network.heal("server"));
    assert(await echo("late") > 1);
  },
);

testFault("partitionOneWay() leaves the way back alone", async ({ network, echo, loop, sim }) => {
  network.partitionOneWay("server", "main");
  loop.callLater(1, () => network.heal());
  const heard: string[] = [];
  network.addRule(({ kind, from }) => {
    heard.push(`${from} ${kind}`);
    return "pass";
  });
  assert(await echo("x") > 1);
  assertEquals(heard, ["main data", "server data"]);
  assert(sim.host("server").isUp);
});

testFault("a partition that lasts times a connection out", async (stage) => {
  const { sim, loop, network, reader, writer } = stage;
  network.partition("main", "server");
  writer.write(utf8("never"));
  const start = loop.time();
  const error = await assertRejects(() => reader.read(), Deno.errors.TimedOut);
  assertEquals((error as { code?: string }).code, "ETIMEDOUT");
  assert(loop.time() - start > 600);
  const again = loop.time();
  await assertRejects(() => connectEcho(sim.host("server")), Deno.errors.TimedOut);
  assertEquals(round(loop.time() - again), 127);
});

testFault("hold() keeps packets, and release() lets them go in order", async (stage) => {
  const { network, reader, writer, loop } = stage;
  network.hold("main", "server");
  writer.write(utf8("a"));
  await sleep(1);
  writer.write(utf8("b"));
  await sleep(60);
  const start = loop.time();
  network.release();
  assertEquals(new TextDecoder().decode(await reader.readExactly(2)), "ab");
  assertEquals(round(loop.time() - start), 0.02);
});

testFault("reset() breaks a connection for both ends", async ({ network, reader, echo }) => {
  await echo("fine");
  network.reset("main", "server");
  await assertRejects(() => reader.read(), Deno.errors.ConnectionReset);
});

testFault("halfOpen() is noticed by the other end when it sends", async (stage) => {
  const { network, reader, writer, loop } = stage;
  network.halfOpen("server");
  await sleep(100);
  assertEquals(reader.atEof(), false);
  writer.write(utf8("anybody?"));
  const start = loop.time();
  await assertRejects(() => reader.read(), Deno.errors.ConnectionReset);
  assertEquals(round(loop.time() - start), 0.02);
});

testFault("a host that has crashed answers nothing, and after a restart a reset", async (stage) => {
  const { sim, reader, writer, loop } = stage;
  const server = sim.host("server");
  server.crash();
  writer.write(utf8("anybody?"));
  await sleep(1);
  assertEquals(reader.atEof(), false);
  server.restart();
  await assertRejects(() => reader.read(), Deno.errors.ConnectionReset);
  assert(loop.time() < 3);
  const [newReader, newWriter] = await connectEcho(server);
  newWriter.write(utf8("again"));
  assertEquals(await newReader.readExactly(5), utf8("again"));
  newWriter.close();
});

testFault("addRule() drops, delays and passes packets until it is removed", async (stage) => {
  const { network, echo } = stage;
  const verdicts = ["pass", { after: 2 }, "drop"] as const;
  let index = 0;
  const remove = network.addRule(({ kind, from }) => {
    return kind === "data" && from === "main" ? verdicts[index] ?? "pass" : "pass";
  });
  assertEquals(await echo("a"), 0.02);
  index = 1;
  assertEquals(await echo("b"), 2.01);
  index = 2;
  stage.loop.callLater(1, remove);
  assert(await echo("c") > 1);
});

testFault("fragment cuts writes in two", async ({ network, reader, writer }) => {
  network.fragment = 1;
  network.jitter = 0.1;
  writer.write(utf8("0123456789"));
  const first = await reader.read(10);
  assert(first.length < 10);
  assertEquals((await reader.readExactly(10 - first.length)).length, 10 - first.length);
});

Deno.test("a full buffer of the kernels holds a writer until its reader reads", () =>
  simulate(async ({ loop, host, network }) => {
    Object.assign(network, { latency: 0.01, jitter: 0, bufferSize: 1000 });
    const server = host("server");
    const accepted = loop.createFuture<Transport>();
    await server.run(async () => {
      await server.loop.createServer(() => ({
        connectionMade(transport) {
          transport.pauseReading();
          accepted.setResult(transport);
        },
      }), { port: 80 });
    });
    const [transport] = await loop.createConnection(() => ({}), { hostname: "server", port: 80 });
    transport.write(new Uint8Array(600));
    assertEquals(transport.getWriteBufferSize(), 0);
    transport.write(new Uint8Array(1000));
    assertEquals(transport.getWriteBufferSize(), 600);
    await sleep(3600);
    const held = transport.getWriteBufferSize();
    assert(held > 0 && held <= 600);
    (await accepted).resumeReading();
    await sleep(0.1);
    assertEquals(transport.getWriteBufferSize(), 0);
    transport.close();
  }));
