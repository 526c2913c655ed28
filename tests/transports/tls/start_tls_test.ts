// Connections that are secured when they are open already.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  type DenoEventLoop,
  InvalidStateError,
  openConnection,
  type ProtocolLike,
  startServer,
  type Transport,
} from "../../../mod.ts";
import {
  connectPair,
  errorOf,
  type Pair,
  passIterations,
  pattern,
  Recorder,
  runOn,
  sameBytes,
  type Stage,
  utf8,
} from "../_backend.ts";
import { testStartTls } from "../_start_tls_suite.ts";
import { tcp } from "../_tcp.ts";
import { certificate, tls, trusting } from "../_tls.ts";

type RecordedPair = Pair<Recorder, Recorder>;

function test(name: string, main: (stage: Stage) => Coroutine<void>, backend = tcp): void {
  Deno.test(name, () => runOn(backend, main));
}

function connect(loop: DenoEventLoop, backend = tcp): Coroutine<RecordedPair> {
  return connectPair(backend, loop, new Recorder(loop), new Recorder(loop));
}

/** Starts TLS on both ends; gives their new transports. */
function* secure(
  loop: DenoEventLoop,
  pair: RecordedPair,
): Coroutine<{ client: Transport; peer: Transport }> {
  const serving = loop.startTls(pair.peer, pair.peerProtocol, {
    tls: certificate("server"),
    serverSide: true,
  });
  const client = yield* loop.startTls(pair.client, pair.clientProtocol, {
    tls: trusting,
    serverHostname: "localhost",
  });
  return { client, peer: yield* serving };
}

/** Closes `client` and waits until all is over. */
function* finish(pair: RecordedPair, client: Transport): Coroutine<void> {
  client.close();
  yield* pair.clientProtocol.lost;
  yield* pair.peerProtocol.lost;
  yield* pair.server.waitClosed();
}

testStartTls(tcp);

for (const backend of [tcp, tls]) {
  test(
    `${backend.name}: startTls() secures a connection that was reading on both sides`,
    function* ({ loop }) {
      const pair = yield* connect(loop, backend);
      pair.client.write(utf8("plain "));
      yield* pair.peerProtocol.received(6);
      const { client, peer } = yield* secure(loop, pair);

      client.write(utf8("secret"));
      yield* pair.peerProtocol.received(12);
      peer.write(pattern(300_000));
      yield* pair.clientProtocol.received(300_000);

      assertEquals(pair.peerProtocol.text(), "plain secret");
      assert(sameBytes(pair.clientProtocol.bytes(), pattern(300_000)));
      assertEquals(client.getExtraInfo("tls")?.version, "TLSv1.3");
      assertEquals(client.getExtraInfo("peername"), peer.getExtraInfo("sockname"));
      assertEquals(client.canWriteEof(), false);
      yield* finish(pair, client);
      // connectionMade() and connectionLost() came once for the whole connection.
      assertEquals(pair.clientProtocol.log, ["made", "data", "lost"]);
      const calls = pair.peerProtocol.log.filter((call) => !["pause", "resume"].includes(call));
      assertEquals(calls, ["made", "data", "eof", "lost"]);
    },
    backend,
  );
}

test("startTls() makes the former transport useless, and keeps the protocol", function* ({ loop }) {
  const pair = yield* connect(loop);
  const { client } = yield* secure(loop, pair);
  assertEquals(pair.client.isClosing(), true);
  assertEquals(pair.client.isReading(), false);
  assertEquals(client.getProtocol(), pair.clientProtocol);
  assertThrows(() => pair.client.write(utf8("lost")), InvalidStateError, "TLS has taken");
  assertThrows(() => pair.client.writeEof(), InvalidStateError, "TLS has taken");
  pair.client.resumeReading();
  pair.client.close();
  pair.client.abort();
  yield* passIterations(3);
  client.write(utf8("heard"));
  yield* pair.peerProtocol.received(5);
  assertEquals(pair.peerProtocol.text(), "heard");
  yield* finish(pair, client);
});

test("startTls() sends what is buffered first, as it is", function* ({ loop }) {
  const pair = yield* connect(loop);
  pair.peer.pauseReading();
  const bytes = pattern(tcp.capacity);
  pair.client.setWriteBufferLimits({ high: tcp.capacity * 2 });
  pair.client.write(bytes);
  const securing = loop.startTls(pair.client, pair.clientProtocol, {
    tls: trusting,
    serverHostname: "localhost",
  });
  yield* passIterations(3);
  assertEquals(securing.done(), false);

  pair.peer.resumeReading();
  yield* pair.peerProtocol.received(bytes.length + 1);
  const received = pair.peerProtocol.bytes();
  assert(sameBytes(received.subarray(0, bytes.length), bytes));
  // The first record of a handshake.
  assertEquals(received[bytes.length], 22);
  pair.peer.close();
  assertInstanceOf(yield* errorOf(securing), Error);
  yield* pair.clientProtocol.lost;
});

test("startTls() takes what has come while reading was paused", function* ({ loop }) {
  const pair = yield* connect(loop);
  pair.peer.pauseReading();
  const securing = loop.startTls(pair.client, pair.clientProtocol, {
    tls: trusting,
    serverHostname: "localhost",
  });
  // The hello of the client is read, and held by the transport.
  yield* passIterations(20);
  const serving = loop.startTls(pair.peer, pair.peerProtocol, {
    tls: certificate("server"),
    serverSide: true,
  });
  const client = yield* securing;
  yield* serving;
  yield* finish(pair, client);
});

test("startTls() ends the connection when the peer cannot be trusted", function* ({ loop }) {
  const pair = yield* connect(loop);
  const serving = loop.startTls(pair.peer, pair.peerProtocol, {
    tls: certificate("server"),
    serverSide: true,
  });
  const error = yield* errorOf(loop.startTls(pair.client, pair.clientProtocol, {
    tls: true,
    serverHostname: "localhost",
  }));
  assertInstanceOf(error, Deno.errors.InvalidData);
  assertEquals(yield* pair.clientProtocol.lost, error);
  const other = yield* errorOf(serving);
  assertInstanceOf(other, Error);
  assertEquals(yield* pair.peerProtocol.lost, other);
  assertEquals(pair.clientProtocol.log, ["made", "lost"]);
  yield* pair.server.waitClosed();
});

test("startTls() can be cancelled, and ends the connection", function* ({ loop }) {
  for (const isBuffered of [false, true]) {
    const pair = yield* connect(loop);
    if (isBuffered) {
      pair.peer.pauseReading();
      pair.client.write(new Uint8Array(tcp.capacity));
    }
    const securing = loop.startTls(pair.client, pair.clientProtocol, {
      tls: trusting,
      serverHostname: "localhost",
    });
    yield* passIterations(3);
    securing.cancel();
    assertInstanceOf(yield* errorOf(securing), CancelledError);
    assertEquals(yield* pair.clientProtocol.lost, null);
    pair.peer.abort();
    yield* pair.peerProtocol.lost;
    yield* pair.server.waitClosed();
  }
});

test("startTls() fails when the connection is lost before it begins", function* ({ loop }) {
  const pair = yield* connect(loop);
  pair.peer.pauseReading();
  pair.client.write(new Uint8Array(tcp.capacity));
  const securing = loop.startTls(pair.client, pair.clientProtocol, {
    tls: trusting,
    serverHostname: "localhost",
  });
  yield* passIterations(3);
  pair.client.abort();
  assertInstanceOf(yield* errorOf(securing), InvalidStateError);
  assertEquals(yield* pair.clientProtocol.lost, null);
  pair.peer.abort();
  yield* pair.peerProtocol.lost;
});

test("startTls() needs a transport that is open both ways, and options", function* ({ loop }) {
  const pair = yield* connect(loop);
  const options = { tls: trusting, serverHostname: "localhost" };
  const wrong = {} as Transport;
  assertInstanceOf(yield* errorOf(loop.startTls(wrong, {}, options)), TypeError);
  const missing = loop.startTls(pair.client, pair.clientProtocol, {} as typeof options);
  assertInstanceOf(yield* errorOf(missing), TypeError);
  for (const none of [null, 5, Promise.resolve({}), () => {}]) {
    const securing = loop.startTls(pair.client, none as ProtocolLike, options);
    assertInstanceOf(yield* errorOf(securing), TypeError);
  }
  const nameless = loop.startTls(pair.client, pair.clientProtocol, { tls: true });
  assertStringIncludes((yield* errorOf(nameless)).message, "serverHostname is missing");
  // Nothing of it has touched the connection.
  pair.client.write(utf8("still"));
  yield* pair.peerProtocol.received(5);

  pair.client.writeEof();
  const halfOpen = loop.startTls(pair.client, pair.clientProtocol, options);
  assertInstanceOf(yield* errorOf(halfOpen), InvalidStateError);
  pair.client.abort();
  const closing = loop.startTls(pair.client, pair.clientProtocol, options);
  assertInstanceOf(yield* errorOf(closing), InvalidStateError);
  yield* pair.peerProtocol.lost;
});

test("startTls() in connectionMade() comes before any data", function* ({ loop }) {
  const heard = loop.createFuture<string>();
  const protocol: ProtocolLike = {
    connectionMade(transport) {
      loop.startTls(transport, protocol, { tls: certificate("server"), serverSide: true });
    },
    dataReceived: (data) => heard.setResult(new TextDecoder().decode(data)),
  };
  const server = yield* loop.createServer(() => protocol, { hostname: "127.0.0.1" });
  const [transport] = yield* loop.createConnection(() => ({}), {
    port: server.address.port,
    tls: trusting,
  });
  transport.write(utf8("hello"));
  assertEquals(yield* heard, "hello");
  transport.close();
  server.close();
  yield* server.waitClosed();
});

test("Server.waitClosed() waits for a connection whose TLS came later", function* ({ loop }) {
  const pair = yield* connect(loop);
  const { client, peer } = yield* secure(loop, pair);
  const closed = pair.server.waitClosed();
  yield* passIterations(5);
  assertEquals(closed.done(), false);
  pair.server.closeClients();
  yield* closed;
  assertEquals(peer.isClosing(), true);
  assertEquals(yield* pair.clientProtocol.lost, null);
  client.close();
});

test("StreamWriter.startTls() secures streams on both sides", function* () {
  const served: (string | undefined)[] = [];
  const server = yield* startServer(function* (reader, writer) {
    served.push(new TextDecoder().decode(yield* reader.readLine()));
    writer.write(utf8("go ahead\n"));
    yield* writer.startTls({ tls: certificate("server") });
    served.push(writer.getExtraInfo("tls")?.version);
    for (;;) {
      const line = yield* reader.readLine();
      if (line.length === 0) break;
      writer.write(line);
    }
    writer.close();
    yield* writer.waitClosed();
    served.push("closed");
  }, { hostname: "127.0.0.1" });
  const port = server.address.port;

  const [reader, writer] = yield* openConnection({ port });
  writer.write(utf8("STARTTLS\n"));
  assertEquals(new TextDecoder().decode(yield* reader.readLine()), "go ahead\n");
  yield* writer.startTls({ tls: trusting, serverHostname: "localhost" });
  writer.write(utf8("secret\n"));
  assertEquals(new TextDecoder().decode(yield* reader.readLine()), "secret\n");
  assertEquals(writer.canWriteEof(), false);
  writer.close();
  yield* writer.waitClosed();
  server.close();
  yield* server.waitClosed();
  yield* passIterations(5);
  assertEquals(served, ["STARTTLS\n", "TLSv1.3", "closed"]);
});

test("openConnection() and startServer() take the options of TLS", function* () {
  const server = yield* startServer(function* (reader, writer) {
    writer.write(yield* reader.read());
    writer.close();
  }, { hostname: "127.0.0.1", tls: certificate("server") });
  const port = server.address.port;
  const [reader, writer] = yield* openConnection({ port, tls: trusting });
  writer.write(utf8("hello"));
  writer.close();
  assertEquals(yield* reader.read(), new Uint8Array(0));
  server.close();
  yield* server.waitClosed();
});

test("startTls(), write(), close() in one turn sends what was written, on both sides", function* (
  { loop },
) {
  const pair = yield* connect(loop);
  const serving = loop.startTls(pair.peer, pair.peerProtocol, {
    tls: certificate("server"),
    serverSide: true,
  });
  serving.addDoneCallback(() => {
    const transport = serving.result();
    transport.write(utf8("bye"));
    transport.close();
    assertEquals(transport.isClosing(), true);
  });
  const client = yield* loop.startTls(pair.client, pair.clientProtocol, {
    tls: trusting,
    serverHostname: "localhost",
  });
  client.write(utf8("hello"));
  client.close();
  assertEquals(yield* pair.clientProtocol.lost, null);
  assertEquals(yield* pair.peerProtocol.lost, null);
  yield* pair.server.waitClosed();
});

test("startTls() may follow startTls() at once: TLS in TLS", function* ({ loop }) {
  const pair = yield* connect(loop);
  const { client, peer } = yield* secure(loop, pair);
  const inner = yield* secure(loop, { ...pair, client, peer });
  inner.client.write(utf8("inside"));
  yield* pair.peerProtocol.received(6);
  assertEquals(pair.peerProtocol.text(), "inside");
  assertThrows(() => client.write(utf8("outside")), InvalidStateError, "TLS has taken");
  yield* finish(pair, inner.client);
});

test("startTls() gives up a handshake after tlsHandshakeTimeout", function* ({ loop }) {
  const pair = yield* connect(loop);
  const error = yield* errorOf(loop.startTls(pair.client, pair.clientProtocol, {
    tls: trusting,
    serverHostname: "localhost",
    tlsHandshakeTimeout: 0.001,
  }));
  assertInstanceOf(error, Deno.errors.ConnectionAborted);
  assertStringIncludes(error.message, "it took over 0.001 seconds");
  yield* pair.peerProtocol.lost;
});

test("startTls() that is refused leaves one that goes on alone", function* ({ loop }) {
  const pair = yield* connect(loop);
  const options = { tls: trusting, serverHostname: "localhost" };
  const securing = loop.startTls(pair.client, pair.clientProtocol, options);
  yield* passIterations(2);
  const again = yield* errorOf(loop.startTls(pair.client, pair.clientProtocol, options));
  assertInstanceOf(again, InvalidStateError);
  assertStringIncludes(again.message, "TLS has taken its connection");
  const serving = loop.startTls(pair.peer, pair.peerProtocol, {
    tls: certificate("server"),
    serverSide: true,
    // The client has begun already.
    unread: pair.peerProtocol.bytes(),
  });
  const client = yield* securing;
  yield* serving;
  yield* finish(pair, client);
});
