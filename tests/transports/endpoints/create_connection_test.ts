// What can go wrong when connecting, on real sockets. Nothing may be left open: sanitizers are on,
// and each server waits for its connections.
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  type DenoEventLoop,
  type Future,
  type ProtocolLike,
} from "../../../mod.ts";
import {
  cancelAtEachIteration,
  errorOf,
  neverCalled,
  passIterations,
  Recorder,
  runOn,
  type Stage,
  utf8,
} from "../_backend.ts";
import { tcp } from "../_tcp.ts";

function test(name: string, main: (stage: Stage) => Coroutine<void>): void {
  Deno.test(`createConnection() ${name}`, () => runOn(tcp, main));
}

/** Returns a port that nothing listens on. */
function* findClosedPort(loop: DenoEventLoop): Coroutine<number> {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const port = server.address.port;
  server.close();
  yield* server.waitClosed();
  return port;
}

test("X17 says which port is closed, and creates no protocol", function* ({ loop }) {
  const port = yield* findClosedPort(loop);

  const error = yield* errorOf(loop.createConnection(neverCalled, { port }));

  assertInstanceOf(error, Deno.errors.ConnectionRefused);
  assertStringIncludes(error.message, `Cannot connect to "127.0.0.1:${port}": connection refused`);
  assertEquals((error as { code?: string }).code, "ECONNREFUSED");
});

test("X17 says which name does not resolve", function* ({ loop }) {
  const options = { hostname: "no-such.invalid", port: 80 };

  const error = yield* errorOf(loop.createConnection(neverCalled, options));

  assertInstanceOf(error, Deno.errors.NotFound);
  assertEquals(
    error.message,
    'Cannot connect to "no-such.invalid:80": the name does not resolve',
  );
});

test("passes on Deno's error when the permission is missing", function* ({ loop }) {
  const options = { hostname: "127.0.0.2", port: 80 };

  const error = yield* errorOf(loop.createConnection(neverCalled, options));

  assertInstanceOf(error, Deno.errors.NotCapable);
  assertStringIncludes(error.message, "127.0.0.2:80");
});

test(
  "refuses a port that is none, both kinds of target, and a factory that is none",
  function* ({ loop }) {
    const outOfRange = yield* errorOf(loop.createConnection(neverCalled, { port: 65_536 }));
    assertInstanceOf(outOfRange, RangeError);
    const neither = yield* errorOf(loop.createConnection(neverCalled, {}));
    assertInstanceOf(neither, TypeError);
    assertEquals(
      neither.message,
      "Cannot create a connection: expected either a port or a sock, got neither",
    );
    let wrong: unknown;
    try {
      loop.createConnection({} as () => ProtocolLike, { port: 1 });
    } catch (error) {
      wrong = error;
    }
    assertInstanceOf(wrong, TypeError);
  },
);

test("closes the connection when the factory throws", function* ({ loop }) {
  const accepted = loop.createFuture<Recorder>();
  const server = yield* loop.createServer(() => {
    accepted.setResult(new Recorder(loop));
    return accepted.result();
  }, { hostname: "127.0.0.1" });

  const failing = loop.createConnection(neverCalled, { port: server.address.port });

  assertEquals((yield* errorOf(failing)).message, "The factory was called");
  yield* (yield* accepted).lost;
  server.close();
  yield* server.waitClosed();
});

test("closes the connection when the factory returns no object", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const factory = () => 7 as unknown as ProtocolLike;

  const error = yield* errorOf(loop.createConnection(factory, { port: server.address.port }));

  assertInstanceOf(error, TypeError);
  server.close();
  yield* server.waitClosed();
});

test("X17 leaves nothing open, whenever it is cancelled", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const port = server.address.port;
  const connect = (factory: () => ProtocolLike) => loop.createConnection(factory, { port });
  const connected = yield* cancelAtEachIteration(loop, 40, connect);
  assert(connected < 40);
  server.close();
  yield* server.waitClosed();
});

test("can be cancelled while the server does not answer", function* ({ loop }) {
  using silent = Deno.listen(
    { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 } as Deno.ListenOptions,
  );
  const { port } = silent.addr;
  const attempts = Array.from({ length: 8 }, () => loop.createConnection(() => ({}), { port }));
  const last = attempts.at(-1) as Future<unknown>;
  yield* attempts[0] as Future<unknown>;
  assertEquals(last.done(), false);

  last.cancel();
  assertInstanceOf(yield* errorOf(last), CancelledError);
  for (const attempt of attempts) attempt.cancel();
  for (const attempt of attempts) if (attempt.cancelled()) yield* errorOf(attempt);
});

test("ends with the reason of a signal that aborts", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const port = server.address.port;
  const reason = new Error("no longer wanted");

  const early = loop.createConnection(neverCalled, { port, signal: AbortSignal.abort(reason) });
  assertEquals(yield* errorOf(early), reason);

  const controller = new AbortController();
  const late = loop.createConnection(neverCalled, { port, signal: controller.signal });
  controller.abort(reason);
  assertEquals(yield* errorOf(late), reason);

  // Once connected, the signal has no part in it any more.
  const after = new AbortController();
  const recorder = new Recorder(loop);
  yield* loop.createConnection(() => recorder, { port, signal: after.signal });
  after.abort(reason);
  yield* passIterations(3);
  assertEquals(recorder.log, ["made"]);
  recorder.transport?.abort();
  yield* recorder.lost;
  server.close();
  yield* server.waitClosed();
});

test("takes over a connection that exists", function* ({ loop }) {
  const peer = new Recorder(loop);
  const server = yield* loop.createServer(() => peer, { hostname: "127.0.0.1" });
  const opened = loop.createFuture<Deno.Conn>();
  Deno.connect({ hostname: "127.0.0.1", port: server.address.port })
    .then((connection) => opened.setResult(connection));

  const sock = yield* opened;
  const [transport] = yield* loop.createConnection(() => ({}), { sock });
  assertEquals(transport.getExtraInfo("socket"), sock);
  transport.write(utf8("hello"));
  transport.close();
  yield* peer.lost;

  assertEquals(peer.text(), "hello");
  server.close();
  yield* server.waitClosed();
});

test("tries every address of a name", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const recorder = new Recorder(loop);
  const options = { hostname: "localhost", port: server.address.port };
  yield* loop.createConnection(() => recorder, options);
  recorder.transport?.close();
  yield* recorder.lost;
  server.close();
  yield* server.waitClosed();
});

/** What the host has for a connection of `loop`. */
function* socketOf(loop: DenoEventLoop): Coroutine<unknown> {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const [transport] = yield* loop.createConnection(() => ({}), { port: server.address.port });
  const socket = transport.getExtraInfo("socket");
  transport.abort();
  server.close();
  yield* server.waitClosed();
  return socket;
}

/** What any socket of the kind of `socket` was told of keep-alive while `steps` run. */
function* watchKeepAlive(
  socket: unknown,
  steps: () => Coroutine<void>,
): Coroutine<unknown[]> {
  const prototype: Deno.TcpConn = Object.getPrototypeOf(socket);
  const { setKeepAlive } = prototype;
  const told: unknown[] = [];
  prototype.setKeepAlive = function (isOn) {
    told.push(isOn);
    setKeepAlive.call(this, isOn);
  };
  try {
    yield* steps();
  } finally {
    prototype.setKeepAlive = setKeepAlive;
  }
  return told;
}

test(
  "has the system probe silent connections as keepAlive says, on either side",
  function* ({ loop }) {
    for (const keepAlive of [true, false, undefined]) {
      const told = yield* watchKeepAlive(yield* socketOf(loop), function* () {
        const peer = new Recorder(loop);
        const where = { hostname: "127.0.0.1", keepAlive };
        const server = yield* loop.createServer(() => peer, where);
        const port = server.address.port;
        const [transport] = yield* loop.createConnection(() => ({}), { ...where, port });
        transport.write(utf8("hello"));
        transport.close();
        yield* peer.lost;
        server.close();
        yield* server.waitClosed();
      });
      assertEquals(told, keepAlive === undefined ? [] : [keepAlive, keepAlive]);
    }
  },
);

test("keeps connections alive that come from a chosen address or exist", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const port = server.address.port;
  const localAddress = { hostname: "127.0.0.1", port: 0 };
  const bound = yield* loop.createConnection(() => ({}), { port, localAddress, keepAlive: true });
  bound[0].abort();
  const opened = loop.createFuture<Deno.Conn>();
  Deno.connect({ hostname: "127.0.0.1", port }).then((sock) => opened.setResult(sock));
  const sock = yield* opened;
  const told = yield* watchKeepAlive(sock, function* () {
    const [transport] = yield* loop.createConnection(() => ({}), { sock, keepAlive: true });
    transport.abort();
  });
  assertEquals(told, [true]);
  server.close();
  server.abortClients();
  yield* server.waitClosed();
});

test("looks a name up as its flags say", function* ({ loop }) {
  const flags = ["numericHost"] as const;
  const listening = loop.createServer(() => ({}), { hostname: "localhost", flags });
  assertInstanceOf(yield* errorOf(listening), Deno.errors.NotFound);
  const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1", flags });
  const port = server.address.port;
  const named = loop.createConnection(neverCalled, { hostname: "localhost", port, flags });
  assertInstanceOf(yield* errorOf(named), Deno.errors.NotFound);
  const datagrams = { localAddress: { hostname: "localhost", port: 0 }, flags };
  assertInstanceOf(
    yield* errorOf(loop.createDatagramEndpoint(() => ({}), datagrams)),
    Deno.errors.NotFound,
  );

  const options = { hostname: "127.0.0.1", port, flags, proto: "tcp" } as const;
  const [transport] = yield* loop.createConnection(() => ({}), options);
  transport.close();
  server.close();
  yield* server.waitClosed();
});
