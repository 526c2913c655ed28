// TLS over connections in memory, where a test decides how the bytes are cut and where they end.
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { type Coroutine, EventLoop, isConnectionError, type TlsOptions } from "../../../mod.ts";
import { DenoTlsChannel } from "../../../transports/tls/deno_tls_channel.ts";
import { StreamTransport } from "../../../transports/core/stream_transport.ts";
import type { TlsTimeouts } from "../../../transports/tls/tls_options.ts";
import { VirtualClock } from "../../loop/_virtual_clock.ts";
import { errorOf, passIterations, pattern, Recorder, sameBytes, utf8 } from "../_backend.ts";
import { host } from "../_host.ts";
import { MemoryWire } from "../_memory_wire.ts";
import { certificate, trusting } from "../_tls.ts";

/** A secured connection in memory. */
interface Connection {
  client: Recorder;
  server: Recorder;
  clientWire: MemoryWire;
  serverWire: MemoryWire;
}

const SERVER: TlsOptions = certificate("server");

function test(name: string, main: (loop: EventLoop) => Coroutine<void>): void {
  Deno.test(`DenoTlsChannel ${name}`, async () => {
    const loop = new EventLoop({ clock: new VirtualClock() });
    await loop.runUntilComplete(main(loop));
    loop.close();
  });
}

function* connect(
  loop: EventLoop,
  { chunkSize = Infinity, ...timeouts }: TlsTimeouts & { chunkSize?: number } = {},
): Coroutine<Connection> {
  const [clientWire, serverWire] = MemoryWire.pair(loop, chunkSize);
  const clientContext = host.tls.clientContext(trusting, "localhost");
  const server = new DenoTlsChannel(loop, serverWire, host.tls.serverContext(SERVER), timeouts);
  const client = new DenoTlsChannel(loop, clientWire, clientContext, timeouts);
  yield* client.secured;
  yield* server.secured;
  const recorders = { client: new Recorder(loop), server: new Recorder(loop) };
  new StreamTransport(loop, client, recorders.client);
  new StreamTransport(loop, server, recorders.server);
  yield* passIterations(2);
  return { ...recorders, clientWire, serverWire };
}

for (const chunkSize of [1, 2, 5, 6, 1000]) {
  test(`works when reads give ${chunkSize} bytes at a time`, function* (loop) {
    const { client, server } = yield* connect(loop, { chunkSize });

    client.transport?.write(utf8("hello"));
    yield* server.received(5);
    server.transport?.write(pattern(20_000));
    yield* client.received(20_000);
    client.transport?.close();
    yield* client.lost;
    yield* server.lost;

    assertEquals(server.text(), "hello");
    assert(sameBytes(client.bytes(), pattern(20_000)));
    assertEquals(client.log, ["made", "data", "lost"]);
    assertEquals(server.log, ["made", "data", "eof", "lost"]);
  });
}

test("sends writes of every size around that of records and pieces", function* (loop) {
  const { client, server } = yield* connect(loop);
  let total = 0;
  for (const base of [1, 16_384, 49_152, 65_536, 196_608, 400_000]) {
    for (const size of [base - 1, base, base + 1]) {
      client.transport?.write(pattern(size));
      total += size;
      yield* server.received(total);
      assertEquals(server.size, total);
    }
  }
  let offset = 0;
  const bytes = server.bytes();
  for (const base of [1, 16_384, 49_152, 65_536, 196_608, 400_000]) {
    for (const size of [base - 1, base, base + 1]) {
      assert(sameBytes(bytes.subarray(offset, offset + size), pattern(size)));
      offset += size;
    }
  }
  client.transport?.abort();
  yield* server.lost;
});

test("keeps what a write is given until it is sent, also if the memory changes", function* (loop) {
  const { client, server } = yield* connect(loop);
  const bytes = pattern(1_000_000).slice();
  client.transport?.write(bytes);
  bytes.fill(0);
  yield* server.received(bytes.length);
  assert(sameBytes(server.bytes(), pattern(1_000_000)));
  client.transport?.abort();
  yield* server.lost;
});

test("takes a peer that goes without a word as one that has ended", function* (loop) {
  const { client, server, serverWire } = yield* connect(loop);
  server.transport?.write(utf8("last words"));
  serverWire.transmit(null);
  assertEquals(yield* client.lost, null);
  assertEquals(client.log, ["made", "data", "eof", "lost"]);
  server.transport?.abort();
  yield* server.lost;
});

test("fails with UnexpectedEof when the peer goes in the middle of a record", function* (loop) {
  const { client, server, clientWire, serverWire } = yield* connect(loop);
  serverWire.transmit = (bytes) => {
    clientWire.arrive(bytes?.subarray(0, bytes.length - 1) ?? null);
    clientWire.arrive(null);
  };
  client.transport?.pauseReading();
  server.transport?.write(utf8("cut"));
  yield* passIterations(5);
  assertEquals(client.log, ["made"]);

  client.transport?.resumeReading();
  const error = yield* client.lost;
  assertInstanceOf(error, Deno.errors.UnexpectedEof);
  assertEquals(isConnectionError(error), true);
  assertStringIncludes(error.message, "the peer has gone in the middle of a record");
  assertEquals(client.log, ["made", "lost"]);
  server.transport?.abort();
  yield* server.lost;
});

test("fails with InvalidData when a record was changed on its way", function* (loop) {
  const { client, server, clientWire, serverWire } = yield* connect(loop);
  serverWire.transmit = (bytes) => {
    if (bytes !== null) clientWire.arrive(bytes.with(10, (bytes[10] ?? 0) ^ 1));
  };
  server.transport?.write(utf8("forged"));
  assertInstanceOf(yield* client.lost, Deno.errors.InvalidData);
  assertEquals(client.log, ["made", "lost"]);
  assertEquals(client.size, 0);
  server.transport?.abort();
  yield* server.lost;
});

test("gives up a handshake after its time", function* (loop) {
  const [wire] = MemoryWire.pair(loop);
  const context = host.tls.clientContext(trusting, "localhost");
  const start = loop.time();
  const channel = new DenoTlsChannel(loop, wire, context);
  const error = yield* errorOf(channel.secured);
  assertInstanceOf(error, Deno.errors.ConnectionAborted);
  assertEquals(error.message, "Cannot secure a connection: it took over 60 seconds");
  assertEquals(loop.time() - start, 60);
  assertEquals(wire.isOver, true);
});

test(
  "waits for the peer to confirm the end, and cuts the connection after a time",
  function* (loop) {
    const { client, server, serverWire } = yield* connect(loop, { tlsShutdownTimeout: 5 });
    server.transport?.pauseReading();
    const start = loop.time();
    client.transport?.close();
    assertEquals(yield* client.lost, null);
    assertEquals(loop.time() - start, 5);
    assertEquals(serverWire.isOver, false);

    server.transport?.resumeReading();
    yield* server.lost;
    assertEquals(server.log, ["made", "eof", "lost"]);
  },
);

test("drops what comes after close(), and ends with the peer's confirmation", function* (loop) {
  const { client, server } = yield* connect(loop);
  const start = loop.time();
  server.transport?.write(utf8("too late"));
  client.transport?.close();
  yield* client.lost;
  yield* server.lost;
  assertEquals(client.log, ["made", "lost"]);
  assertEquals(loop.time(), start);
});

test(
  "reports what came before the end, one after the other, when reading resumes",
  function* (loop) {
    const { client, server } = yield* connect(loop);
    client.transport?.pauseReading();
    for (const text of ["one ", "two ", "three"]) server.transport?.write(utf8(text));
    server.transport?.close();
    yield* passIterations(10);
    assertEquals(client.log, ["made"]);
    client.transport?.resumeReading();
    yield* client.lost;
    assertEquals(client.text(), "one two three");
    assertEquals(client.log, ["made", "data", "eof", "lost"]);
    yield* server.lost;
  },
);

test("fails a handshake with InvalidData when no TLS comes, and leaves nothing", function* (loop) {
  for (const side of ["client", "server"] as const) {
    const [wire, other] = MemoryWire.pair(loop);
    const context = side === "client"
      ? host.tls.clientContext(trusting, "localhost")
      : host.tls.serverContext(SERVER);
    const channel = new DenoTlsChannel(loop, wire, context);
    other.transmit(utf8("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assertInstanceOf(yield* errorOf(channel.secured), Deno.errors.InvalidData, side);
    assertEquals(wire.isOver, true);
  }
});

test("fails a handshake with UnexpectedEof when the peer goes, wherever it goes", function* (loop) {
  for (const count of [0, 1, 4, 5, 6, 100, 200, 300, 500, 700]) {
    const [clientWire, serverWire] = MemoryWire.pair(loop);
    let left = count;
    serverWire.transmit = (bytes) => {
      clientWire.arrive(bytes?.subarray(0, left) ?? null);
      left -= bytes?.length ?? 0;
      if (left <= 0) clientWire.arrive(null);
    };
    const server = new DenoTlsChannel(loop, serverWire, host.tls.serverContext(SERVER));
    const client = new DenoTlsChannel(
      loop,
      clientWire,
      host.tls.clientContext(trusting, "localhost"),
    );
    const error = yield* errorOf(client.secured);
    assertInstanceOf(error, Deno.errors.UnexpectedEof, `after ${count} bytes`);
    assertEquals(isConnectionError(error), true);
    client.abort();
    server.abort();
    server.secured.cancel();
    yield* passIterations(3);
  }
});

test("passes on what its wire fails with, in the handshake and after", function* (loop) {
  const reset = new Deno.errors.ConnectionReset("reset");
  const [wire] = MemoryWire.pair(loop);
  const channel = new DenoTlsChannel(loop, wire, host.tls.clientContext(trusting, "localhost"));
  wire.fail(reset);
  assertEquals(yield* errorOf(channel.secured), reset);
  assertEquals(wire.isOver, true);

  const { client, server, clientWire } = yield* connect(loop);
  clientWire.fail(reset);
  assertEquals(yield* client.lost, reset);
  assertEquals(client.log, ["made", "lost"]);
  yield* server.lost;
});

test(
  "ends at once when its wire fails while it waits for the peer's confirmation",
  function* (loop) {
    const { client, server, clientWire } = yield* connect(loop);
    server.transport?.pauseReading();
    client.transport?.close();
    clientWire.fail(new Deno.errors.ConnectionReset("reset"));
    assertEquals(yield* client.lost, null);
    server.transport?.abort();
    yield* server.lost;
  },
);
