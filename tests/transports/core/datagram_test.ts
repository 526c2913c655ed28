// The rows D01 to D03. What D03 says of a refused datagram has no counterpart: Deno tells nobody.
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async";
import type { DenoEventLoop } from "../../../loop/deno_event_loop.ts";
import { newEventLoop } from "../../../loop/policy.ts";
import { host } from "../_host.ts";
import {
  type Coroutine,
  type ExceptionContext,
  sleep,
  type SocketAddress,
} from "../../../loop/mod.ts";
import {
  DatagramProtocol,
  type DatagramProtocolLike,
  type DatagramTransport,
} from "../../../transports/mod.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

class Echo extends DatagramProtocol {
  transport: DatagramTransport | null = null;

  override connectionMade(transport: DatagramTransport): void {
    this.transport = transport;
  }

  override datagramReceived(data: Uint8Array, address: SocketAddress): void {
    this.transport?.sendto(data, address);
  }
}

/** Collects what comes, and lets a coroutine wait for it. */
class Collector extends DatagramProtocol {
  readonly log: string[] = [];
  readonly received: [number[], SocketAddress][] = [];
  #loop: DenoEventLoop;
  #changed: ReturnType<DenoEventLoop["createFuture"]> | null = null;

  constructor(loop: DenoEventLoop) {
    super();
    this.#loop = loop;
  }

  *until(count: number): Coroutine<void> {
    while (this.received.length < count) yield* this.next();
  }

  /** Waits until something has come. */
  *next(): Coroutine<void> {
    this.#changed = this.#loop.createFuture();
    yield* this.#changed;
  }

  override connectionMade(): void {
    this.log.push("made");
  }

  override datagramReceived(data: Uint8Array, address: SocketAddress): void {
    this.received.push([[...data], address]);
    this.#wake();
  }

  override errorReceived(error: Error): void {
    this.log.push(`error ${error.constructor.name}`);
    this.#wake();
  }

  override connectionLost(error: Error | null): void {
    this.log.push(`lost ${error?.message ?? null}`);
    this.#wake();
  }

  #wake(): void {
    if (this.#changed?.done() === false) this.#changed.setResult(undefined);
  }
}

function onLoop<T>(work: (loop: DenoEventLoop) => Coroutine<T>): Promise<T> {
  const loop = newEventLoop();
  return loop.runUntilComplete(() => work(loop)).finally(() => loop.close());
}

function addressOf(transport: DatagramTransport): Deno.NetAddr {
  const address = transport.getExtraInfo("sockname");
  assert(address !== undefined);
  return address;
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

/** Values that say nothing of themselves, or throw when they are asked. */
function oddValues(): [name: string, value: unknown][] {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return [
    ["an error", new Error("planted")],
    ["an object without a prototype", Object.create(null)],
    ["an object without a text", { toString: null, valueOf: null }],
    ["a symbol", Symbol("planted")],
    ["a promise", Promise.resolve()],
    ["a revoked proxy", proxy],
    ["a function", () => {}],
    ["undefined", undefined],
  ];
}

for (const how of ["throws", "rejects with"]) {
  for (const [name, value] of oddValues()) {
    Deno.test(`an endpoint stays open when its protocol ${how} ${name}, in any method`, async () => {
      const reports: ExceptionContext[] = [];
      const planted = (): void => {
        if (how === "throws") throw value;
        return Promise.reject(value) as unknown as void;
      };
      await onLoop(function* (loop) {
        loop.setExceptionHandler((_loop, context) => void reports.push(context));
        const heard = loop.createFuture<void>();
        const resumed = loop.createFuture<void>();
        const failed = loop.createFuture<void>();
        const lost = loop.createFuture<void>();
        const protocol: DatagramProtocolLike = {
          connectionMade: planted,
          datagramReceived(data) {
            if (data.length === 2) heard.setResult();
            return planted();
          },
          errorReceived() {
            failed.setResult();
            return planted();
          },
          pauseWriting: planted,
          resumeWriting() {
            resumed.setResult();
            return planted();
          },
          connectionLost() {
            lost.setResult();
            return planted();
          },
        };
        const [server] = yield* loop.createDatagramEndpoint(() => protocol, {
          localAddress: LOCAL,
        });
        const remoteAddress = addressOf(server);
        const [client] = yield* loop.createDatagramEndpoint(() => ({}), { remoteAddress });
        client.sendto(new Uint8Array(1));
        client.sendto(new Uint8Array(2));
        yield* heard;
        server.setWriteBufferLimits({ high: 0 });
        // What no system sends is buffered until the loop comes to it.
        server.sendto(new Uint8Array(1), { hostname: "127.0.0.1", port: 0 });
        yield* failed;
        yield* resumed;
        assertEquals(server.isClosing(), false);
        server.close();
        yield* lost;
        yield* sleep(0);
      });
      const methods = [
        "connectionMade",
        "datagramReceived",
        "datagramReceived",
        "pauseWriting",
        "errorReceived",
        "resumeWriting",
        "connectionLost",
      ];
      assertEquals(
        reports.map(({ message }) => message),
        methods.map((method) => `Exception in protocol.${method}()`),
      );
      assert(reports.every(({ exception }) => exception === value));
    });
  }
}

Deno.test("what a protocol's methods return is ignored, whatever it is", async () => {
  const reports: ExceptionContext[] = [];
  await onLoop(function* (loop) {
    loop.setExceptionHandler((_loop, context) => void reports.push(context));
    for (const [, value] of oddValues()) {
      const heard = loop.createFuture<void>();
      const protocol: DatagramProtocolLike = {
        datagramReceived() {
          heard.setResult();
          return value as void;
        },
      };
      const [server] = yield* loop.createDatagramEndpoint(() => protocol, { localAddress: LOCAL });
      server.sendto(new Uint8Array(1), addressOf(server));
      yield* heard;
      assertEquals(server.isClosing(), false);
    }
  });
  // Asking a revoked proxy whether it is a promise is the only thing that fails.
  assertEquals(reports.map(({ exception }) => (exception as Error).name), ["TypeError"]);
});

/** Addresses that are none, with the error that `sendto()` throws. */
const NO_ADDRESSES: [address: unknown, expected: typeof TypeError | typeof RangeError][] = [
  [null, TypeError],
  ["127.0.0.1:9", TypeError],
  [{}, TypeError],
  [{ hostname: "", port: 9 }, TypeError],
  [{ hostname: null, port: 9 }, TypeError],
  [{ hostname: "127.0.0.1", port: "53" }, TypeError],
  [{ hostname: "127.0.0.1", port: 53n }, TypeError],
  [{ hostname: "127.0.0.1" }, TypeError],
  [{ hostname: "127.0.0.1", port: -1 }, RangeError],
  [{ hostname: "127.0.0.1", port: 65_536 }, RangeError],
  [{ hostname: "127.0.0.1", port: 1.5 }, RangeError],
  [{ hostname: "127.0.0.1", port: NaN }, RangeError],
  [{ hostname: "127.0.0.1", port: Infinity }, RangeError],
];

Deno.test("sendto() throws for what is no address, and the endpoint goes on", async () => {
  await onLoop(function* (loop) {
    const collector = new Collector(loop);
    const [server] = yield* loop.createDatagramEndpoint(() => collector, { localAddress: LOCAL });
    for (const [address, expected] of NO_ADDRESSES) {
      const send = () => server.sendto(new Uint8Array(1), address as SocketAddress);
      assertThrows(send, expected, "Cannot send a datagram");
    }
    assertEquals(server.getWriteBufferSize(), 0);
    server.sendto(new Uint8Array([7]), addressOf(server));
    yield* collector.until(1);
    assertEquals(collector.log, ["made"]);
  });
});

/** Where no datagram can go, with the error that `errorReceived()` gets. */
const NO_DESTINATIONS: [address: SocketAddress, error: string][] = [
  [{ hostname: "127.0.0.1", port: 0 }, "error TypeError"],
  [{ hostname: "::1", port: 9 }, "error Error"],
  [{ hostname: "255.255.255.255", port: 9 }, "error PermissionDenied"],
  [{ hostname: "no-such.invalid", port: 9 }, "error NotFound"],
  [{ hostname: "192.0.2.1", port: 9 }, "error NotCapable"],
];

for (const [address, error] of NO_DESTINATIONS) {
  const { hostname, port } = address;
  Deno.test(`a datagram to ${hostname} port ${port} is ${error}, and the endpoint goes on`, async () => {
    const collector = await onLoop(function* (loop) {
      const collector = new Collector(loop);
      const [server] = yield* loop.createDatagramEndpoint(() => collector, { localAddress: LOCAL });
      server.sendto(new Uint8Array([1]), addressOf(server));
      server.sendto(new Uint8Array([2]), address);
      server.sendto(new Uint8Array([3]), addressOf(server));
      yield* collector.until(2);
      while (collector.log.length < 2) yield* collector.next();
      assertEquals(server.getWriteBufferSize(), 0);
      server.close();
      while (collector.log.length < 3) yield* collector.next();
      return collector;
    });
    assertEquals(collector.received.map(([[byte]]) => byte), [1, 3]);
    assertEquals(collector.log, ["made", error, "lost null"]);
  });
}

Deno.test("close() right after a datagram that cannot be sent ends, after errorReceived", async () => {
  await onLoop(function* (loop) {
    const collector = new Collector(loop);
    const [server] = yield* loop.createDatagramEndpoint(() => collector, { localAddress: LOCAL });
    server.sendto(new Uint8Array([1]), { hostname: "127.0.0.1", port: 0 });
    server.close();
    while (collector.log.length < 3) yield* collector.next();
    assertEquals(collector.log, ["made", "error TypeError", "lost null"]);
  });
});

Deno.test("a datagram whose memory was transferred before its turn is told, and no other is lost", async () => {
  await onLoop(function* (loop) {
    const collector = new Collector(loop);
    const [server] = yield* loop.createDatagramEndpoint(() => collector, { localAddress: LOCAL });
    const to = addressOf(server);
    const [first, second] = [new Uint8Array([1]), new Uint8Array([2])];
    for (const data of [first, second, new Uint8Array([3])]) server.sendto(data, to);
    first.buffer.transfer();
    second.buffer.transfer();
    const [bytes, log] = host.isNative
      ? [[1, 2, 3], ["made"]]
      : [[1, 3], ["made", "error TypeError"]];
    yield* collector.until(bytes.length);
    while (collector.log.length < log.length) yield* collector.next();
    assertEquals(collector.received.map(([[byte]]) => byte), bytes);
    assertEquals(collector.log, log);
    assertEquals(server.getWriteBufferSize(), 0);
  });
});

Deno.test("sendto() takes the address as it is at the call", async () => {
  await onLoop(function* (loop) {
    const collector = new Collector(loop);
    const [server] = yield* loop.createDatagramEndpoint(() => collector, { localAddress: LOCAL });
    const to = { ...addressOf(server) };
    server.sendto(new Uint8Array([1]), to);
    server.sendto(new Uint8Array([2]), to);
    to.port = 0;
    yield* collector.until(2);
    assertEquals(collector.log, ["made"]);
  });
});

Deno.test("a remote address is the same peer however it is written", async () => {
  const spellings = [
    ["::1", "::1"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["::1", "0::0001"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["127.0.0.1", "localhost"],
    ["::", "::ffff:127.0.0.1"],
    ["::", "::FFFF:7f00:1"],
  ] as const;
  for (const [local, remote] of spellings) {
    await onLoop(function* (loop) {
      const localAddress = { hostname: local, port: 0 };
      const [server] = yield* loop.createDatagramEndpoint(() => new Echo(), { localAddress });
      const remoteAddress = { hostname: remote, port: addressOf(server).port };
      const collector = new Collector(loop);
      const [client] = yield* loop.createDatagramEndpoint(() => collector, {
        remoteAddress,
        ...remote === "localhost" ? { localAddress: LOCAL } : {},
      });
      client.sendto(new Uint8Array([4]));
      const given = { hostname: remote === "::" ? "::1" : remote, port: remoteAddress.port };
      if (remote !== "localhost" && remote !== "0.0.0.0") client.sendto(new Uint8Array([4]), given);
      else client.sendto(new Uint8Array([4]));
      yield* collector.until(2);
      assertEquals(collector.received.map(([data]) => data), [[4], [4]], `${local} ${remote}`);
    });
  }
});

/** Opens an endpoint that is not to be opened. */
function refused(options: object): Promise<unknown> {
  return onLoop(function* (loop) {
    const given = { localAddress: LOCAL, ...options };
    const [transport] = yield* loop.createDatagramEndpoint(() => ({}), given);
    transport.close();
  });
}

Deno.test("createDatagramEndpoint() refuses addresses without a family in common", async () => {
  const remoteAddress = { hostname: "::1", port: 9 };
  await assertRejects(() => refused({ remoteAddress }), TypeError, "no family in common");
});

Deno.test("createDatagramEndpoint() refuses reusePort where the host cannot do it", async () => {
  if (host.isNative) await refused({ reusePort: true });
  else await assertRejects(() => refused({ reusePort: true }), TypeError, "SO_REUSEPORT");
  await refused({ reusePort: false });
});

Deno.test("createDatagramEndpoint() refuses a sock that is none", async () => {
  for (const sock of [null, 5, {}, "sock"]) {
    await assertRejects(() => refused({ sock }), TypeError, "expected a Deno.DatagramConn");
  }
});

Deno.test("createDatagramEndpoint() on another machine's address is AddrNotAvailable", async () => {
  const localAddress = { hostname: "203.0.113.9", port: 0 };
  await assertRejects(() => refused({ localAddress }), Deno.errors.AddrNotAvailable, "203.0.113.9");
});

Deno.test("setProtocol() changes who is called, and refuses what is no object", async () => {
  await onLoop(function* (loop) {
    const [first, second] = [new Collector(loop), new Collector(loop)];
    const [server] = yield* loop.createDatagramEndpoint(() => first, { localAddress: LOCAL });
    assertEquals(server.getProtocol(), first);
    server.setProtocol(second);
    assertEquals(server.getProtocol(), second);
    for (const wrong of [null, undefined, 5, "text", () => {}, Promise.resolve({})]) {
      assertThrows(
        () => server.setProtocol(wrong as DatagramProtocolLike),
        TypeError,
        "set a protocol",
      );
    }
    server.sendto(new Uint8Array([1]), addressOf(server));
    yield* second.until(1);
    server.close();
    while (second.log.length < 1) yield* second.next();
    assertEquals([first.log, second.log], [["made"], ["lost null"]]);
  });
});

Deno.test("pauseWriting and resumeWriting follow the marks of an endpoint", async () => {
  await onLoop(function* (loop) {
    const log: string[] = [];
    const resumed = loop.createFuture<void>();
    const [server] = yield* loop.createDatagramEndpoint(() => ({}), { localAddress: LOCAL });
    const protocol: DatagramProtocolLike = {
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
    if (host.isNative) {
      return assertEquals([log, client.getWriteBufferSize()], [[], 0]);
    }
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
      assertInstanceOf(error, Deno.errors.AddrInUse);
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
  const loop = newEventLoop();
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

/** A socket of the program's own, of which only what an endpoint calls is there. */
class OwnSocket {
  readonly addr: Deno.Addr = { transport: "udp", ...LOCAL };
  readonly #closing = Promise.withResolvers<never>();
  #open = true;

  receive(): Promise<[Uint8Array, Deno.Addr]> {
    return this.#open
      ? this.#closing.promise
      : Promise.reject(new Deno.errors.BadResource("closed"));
  }

  close(): void {
    if (!this.#open) throw new Deno.errors.BadResource("closed");
    this.#open = false;
    this.#closing.reject(new Deno.errors.Interrupted("operation canceled"));
  }
}

Deno.test("an endpoint whose socket the program closes is lost, with that error", async () => {
  await onLoop(function* (loop) {
    const sock = new OwnSocket();
    const collector = new Collector(loop);
    const [endpoint] = yield* loop.createDatagramEndpoint(() => collector, {
      sock: sock as unknown as Deno.DatagramConn,
    });
    sock.close();
    while (collector.log.length < 2) yield* collector.next();
    assertEquals(collector.log, ["made", "lost operation canceled"]);
    assert(endpoint.isClosing());
    endpoint.close();
    endpoint.abort();
  });
});

Deno.test("close() of an endpoint whose socket the program has closed ends well", async () => {
  await onLoop(function* (loop) {
    const sock = new OwnSocket();
    const collector = new Collector(loop);
    const [endpoint] = yield* loop.createDatagramEndpoint(() => collector, {
      sock: sock as unknown as Deno.DatagramConn,
    });
    sock.close();
    endpoint.close();
    while (collector.log.length < 2) yield* collector.next();
    assertEquals(collector.log, ["made", "lost null"]);
  });
});

Deno.test("what datagramReceived() is given can be transferred, and takes nothing from others", async () => {
  const loop = newEventLoop();
  await loop.runUntilComplete(function* () {
    const receiver = new Collector(loop);
    receiver.datagramReceived = (data, address) => {
      Collector.prototype.datagramReceived.call(receiver, data, address);
      assertEquals(data.buffer.byteLength, data.length);
      structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    };
    const [endpoint] = yield* loop.createDatagramEndpoint(() => receiver, { localAddress: LOCAL });
    const remoteAddress = endpoint.getExtraInfo("sockname");
    const [sender] = yield* loop.createDatagramEndpoint(() => ({}), { remoteAddress });
    for (let size = 1; size < 5000; size *= 3) sender.sendto(new Uint8Array(size).fill(7));
    yield* receiver.until(8);
    for (const [bytes] of receiver.received) assert(bytes.every((byte) => byte === 7));
    assertEquals(receiver.received.map(([bytes]) => bytes.length), [
      1,
      3,
      9,
      27,
      81,
      243,
      729,
      2187,
    ]);
    endpoint.close();
    sender.close();
    yield;
    yield;
  });
  loop.close();
});
