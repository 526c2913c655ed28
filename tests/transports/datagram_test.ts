// The rows D01 to D03. What D03 says of a refused datagram has no counterpart: Deno tells nobody.
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async";
import { DenoEventLoop } from "../../loop/deno_event_loop.ts";
import { type Coroutine, type ExceptionContext, sleep } from "../../loop/mod.ts";
import {
  type DatagramAddress,
  DatagramProtocol,
  type DatagramTransport,
  type EndpointProtocol,
} from "../../transports/mod.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

class Echo extends DatagramProtocol {
  transport: DatagramTransport | null = null;

  override connectionMade(transport: DatagramTransport): void {
    this.transport = transport;
  }

  override datagramReceived(data: Uint8Array, address: DatagramAddress): void {
    this.transport?.sendto(data, address);
  }
}

/** Collects what comes, and lets a coroutine wait for it. */
class Collector extends DatagramProtocol {
  readonly log: string[] = [];
  readonly received: [number[], DatagramAddress][] = [];
  #loop: DenoEventLoop;
  #changed: ReturnType<DenoEventLoop["createFuture"]> | null = null;

  constructor(loop: DenoEventLoop) {
    super();
    this.#loop = loop;
  }

  *until(count: number): Coroutine<void> {
    while (this.received.length < count) {
      this.#changed = this.#loop.createFuture();
      yield* this.#changed;
    }
  }

  override connectionMade(): void {
    this.log.push("made");
  }

  override datagramReceived(data: Uint8Array, address: DatagramAddress): void {
    this.received.push([[...data], address]);
    if (this.#changed?.done() === false) this.#changed.setResult(undefined);
  }

  override errorReceived(error: Error): void {
    this.log.push(`error ${error.constructor.name}`);
    if (this.#changed?.done() === false) this.#changed.setResult(undefined);
  }

  override connectionLost(error: Error | null): void {
    this.log.push(`lost ${error?.message ?? null}`);
  }
}

function onLoop<T>(work: (loop: DenoEventLoop) => Coroutine<T>): Promise<T> {
  const loop = new DenoEventLoop();
  return loop.runUntilComplete(() => work(loop)).finally(() => loop.close());
}

function addressOf(transport: DatagramTransport): Deno.NetAddr {
  return transport.getExtraInfo("sockname") as Deno.NetAddr;
}

Deno.test("D01 an endpoint echoes datagrams, the empty one too, and tells where they come from", async () => {
  await onLoop(function* (loop) {
    const [server] = yield* loop.createDatagramEndpoint(() => new Echo(), { localAddress: LOCAL });
    const collector = new Collector(loop);
    const [client] = yield* loop.createDatagramEndpoint(() => collector, { localAddress: LOCAL });
    client.sendto(new Uint8Array([1, 2, 3]), addressOf(server));
    client.sendto(new Uint8Array(0), addressOf(server));
    yield* collector.until(2);
    assertEquals(collector.received.map(([data]) => data), [[1, 2, 3], []]);
    for (const [, address] of collector.received) {
      assertEquals([address.hostname, address.port], ["127.0.0.1", addressOf(server).port]);
    }
  });
});

Deno.test("D02 a connected endpoint sends to its peer only, and hears nobody else", async () => {
  await onLoop(function* (loop) {
    const [server] = yield* loop.createDatagramEndpoint(() => new Echo(), { localAddress: LOCAL });
    const collector = new Collector(loop);
    const remoteAddress = addressOf(server);
    const [client] = yield* loop.createDatagramEndpoint(() => collector, { remoteAddress });
    assertEquals(client.getExtraInfo("peername"), remoteAddress);
    const other = { hostname: "127.0.0.1", port: 9 };
    assertThrows(() => client.sendto(new Uint8Array(1), other), RangeError, "is connected to");
    const [stranger] = yield* loop.createDatagramEndpoint(() => ({}), { localAddress: LOCAL });
    stranger.sendto(new Uint8Array([9]), addressOf(client));
    client.sendto(new Uint8Array([1]));
    client.sendto(new Uint8Array([2]), remoteAddress);
    yield* collector.until(2);
    assertEquals(collector.received.map(([data]) => data), [[1], [2]]);
  });
});

Deno.test("D02 sendto() refuses what is no bytes, and a missing address", async () => {
  await onLoop(function* (loop) {
    const [transport] = yield* loop.createDatagramEndpoint(() => ({}), { localAddress: LOCAL });
    assertThrows(() => transport.sendto("text" as unknown as Uint8Array), TypeError, "Uint8Array");
    assertThrows(() => transport.sendto(new Uint8Array(1)), TypeError, "no address");
  });
});

Deno.test("D03 close() calls connectionLost(null) once, from the loop, after what was sent", async () => {
  await onLoop(function* (loop) {
    const receiver = new Collector(loop);
    const [server] = yield* loop.createDatagramEndpoint(() => receiver, { localAddress: LOCAL });
    const collector = new Collector(loop);
    const remoteAddress = addressOf(server);
    const [client] = yield* loop.createDatagramEndpoint(() => collector, { remoteAddress });
    for (let index = 0; index < 100; index += 1) client.sendto(new Uint8Array([index]));
    client.close();
    client.close();
    assert(client.isClosing());
    assertEquals(collector.log, ["made"]);
    client.sendto(new Uint8Array([1]));
    // Loopback drops nothing as long as the receiver's socket has room.
    yield* receiver.until(100);
    assertEquals(receiver.received.map(([[byte]]) => byte), [...Array(100).keys()]);
    yield* sleep(0);
    assertEquals(collector.log, ["made", "lost null"]);
  });
});

Deno.test("a datagram that is too large is reported to errorReceived, and the endpoint goes on", async () => {
  await onLoop(function* (loop) {
    const [server] = yield* loop.createDatagramEndpoint(() => new Echo(), { localAddress: LOCAL });
    const collector = new Collector(loop);
    const remoteAddress = addressOf(server);
    const [client] = yield* loop.createDatagramEndpoint(() => collector, { remoteAddress });
    client.sendto(new Uint8Array(65_508));
    client.sendto(new Uint8Array(65_507));
    yield* collector.until(1);
    assertEquals(collector.received[0]?.[0].length, 65_507);
    assertEquals(collector.log.length, 2);
    assertEquals(collector.log[1], "error Error");
    assertEquals(client.isClosing(), false);
  });
});

Deno.test("an error in datagramReceived is reported and closes the endpoint", async () => {
  const reports: ExceptionContext[] = [];
  const error = new Error("planted");
  await onLoop(function* (loop) {
    loop.setExceptionHandler((_loop, context) => void reports.push(context));
    const lost = loop.createFuture<Error | null>();
    const protocol: EndpointProtocol = {
      datagramReceived() {
        throw error;
      },
      connectionLost: (reason) => lost.setResult(reason),
    };
    const [server] = yield* loop.createDatagramEndpoint(() => protocol, { localAddress: LOCAL });
    const remoteAddress = addressOf(server);
    const [client] = yield* loop.createDatagramEndpoint(() => ({}), { remoteAddress });
    client.sendto(new Uint8Array(1));
    assertEquals(yield* lost, error);
  });
  assertEquals(reports.map(({ exception }) => exception), [error]);
  assertEquals(reports[0]?.message, "Fatal error: protocol.datagramReceived() call failed");
});

Deno.test("pauseWriting and resumeWriting follow the marks of an endpoint", async () => {
  await onLoop(function* (loop) {
    const log: string[] = [];
    const resumed = loop.createFuture<void>();
    const [server] = yield* loop.createDatagramEndpoint(() => ({}), { localAddress: LOCAL });
    const protocol: EndpointProtocol = {
      pauseWriting: () => void log.push("pause"),
      resumeWriting: () => {
        log.push("resume");
        resumed.setResult();
      },
    };
    const remoteAddress = addressOf(server);
    const [client] = yield* loop.createDatagramEndpoint(() => protocol, { remoteAddress });
    client.setWriteBufferLimits({ high: 1000, low: 100 });
    assertEquals(client.getWriteBufferLimits(), [100, 1000]);
    client.sendto(new Uint8Array(1000));
    assertEquals(log, []);
    client.sendto(new Uint8Array(1));
    assertEquals(log, ["pause"]);
    assertEquals(client.getWriteBufferSize(), 1001);
    yield* resumed;
    assertEquals(log, ["pause", "resume"]);
  });
});

Deno.test("createDatagramEndpoint() closes its socket when the factory throws", async () => {
  await assertRejects(
    () =>
      onLoop((loop) =>
        (function* (): Coroutine<void> {
          yield* loop.createDatagramEndpoint(() => {
            throw new Error("no protocol");
          }, { localAddress: LOCAL });
        })()
      ),
    Error,
    "no protocol",
  );
});

Deno.test("createDatagramEndpoint() refuses an address in use, and no address at all", async () => {
  await onLoop(function* (loop) {
    const [server] = yield* loop.createDatagramEndpoint(() => ({}), { localAddress: LOCAL });
    const { port } = addressOf(server);
    const localAddress = { hostname: "127.0.0.1", port };
    try {
      yield* loop.createDatagramEndpoint(() => ({}), { localAddress });
      assert(false, "the address is in use");
    } catch (error) {
      assertInstanceOf(error, Error);
      assertEquals((error as Error & { code: string }).code, "EADDRINUSE");
    }
    try {
      yield* loop.createDatagramEndpoint(() => ({}), {});
      assert(false, "there is no address");
    } catch (error) {
      assertInstanceOf(error, TypeError);
    }
  });
});

Deno.test("closing the loop closes what is open on it", async () => {
  const loop = new DenoEventLoop();
  const lost: unknown[] = [];
  const [transport] = await loop.runUntilComplete(() =>
    loop.createDatagramEndpoint(() => ({ connectionLost: (error) => void lost.push(error) }), {
      localAddress: LOCAL,
    })
  );
  loop.close();
  // The host frees the address a turn later.
  await delay(0);
  const { port } = addressOf(transport);
  await onLoop(function* (other) {
    yield* other.createDatagramEndpoint(() => ({}), {
      localAddress: { hostname: "127.0.0.1", port },
    });
  });
  assertEquals(lost, []);
});
