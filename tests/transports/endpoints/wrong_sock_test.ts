// What a program hands in as a connection or a listener, and is none, or is used or gone.
import { assertEquals, assertInstanceOf } from "@std/assert";
import { host } from "../_host.ts";
import {
  type DenoEventLoop,
  ensureFuture,
  type Future,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  run,
} from "../../../mod.ts";
import { errorOf, neverCalled, runOn } from "../_backend.ts";
import { tcp } from "../_tcp.ts";
import { certificate, trusting } from "../_tls.ts";

type Call = (loop: DenoEventLoop, sock: unknown) => Future<unknown>;

const CONNECTING: Record<string, Call> = {
  "createConnection()": (loop, sock) =>
    loop.createConnection(neverCalled, { sock: sock as Deno.Conn }),
  "createConnection() with TLS": (loop, sock) =>
    loop.createConnection(neverCalled, {
      sock: sock as Deno.Conn,
      tls: trusting,
      serverHostname: "localhost",
    }),
  "connectAcceptedSocket()": (loop, sock) =>
    loop.connectAcceptedSocket(neverCalled, { sock: sock as Deno.Conn }),
  "connectAcceptedSocket() with TLS": (loop, sock) =>
    loop.connectAcceptedSocket(neverCalled, {
      sock: sock as Deno.Conn,
      tls: certificate("server"),
    }),
};

const LISTENING: Record<string, Call> = {
  "createServer()": (loop, sock) => loop.createServer(neverCalled, { sock: sock as Deno.Listener }),
  "createServer() with TLS": (loop, sock) =>
    loop.createServer(neverCalled, { sock: sock as Deno.Listener, tls: certificate("server") }),
};

/** Things that are neither a connection nor a listener. */
const NOTHING: Record<string, unknown> = {
  null: null,
  "a number": 7,
  "an object": {},
  "a function": () => {},
  "a revoked proxy": revokedProxy(),
};

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

async function outcomeOf(call: Call, sock: unknown): Promise<unknown> {
  const loop = newEventLoop();
  const outcome = await loop.runUntilComplete(async () => {
    return await call(loop, sock).then(() => null, (error) => error);
  });
  loop.close();
  return outcome;
}

for (const [name, call] of Object.entries({ ...CONNECTING, ...LISTENING })) {
  Deno.test(`${name} refuses a sock that is none, and the loop closes`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepting = listener.accept();
    const { port } = listener.addr;
    using connection = await Deno.connect({ port });
    using _peer = await accepting;
    const other = name in CONNECTING ? listener : connection;
    for (const [what, sock] of Object.entries({ ...NOTHING, "one of another kind": other })) {
      assertInstanceOf(await outcomeOf(call, sock), TypeError, what);
    }
  });
}

for (const [name, call] of Object.entries(CONNECTING)) {
  Deno.test(`${name} refuses a connection that is closed, or another transport has`, async () => {
    await runOn(tcp, function* ({ loop }) {
      const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
      const { port } = server.address;
      const closed = yield* ensureFuture(Deno.connect({ port }));
      closed.close();
      assertInstanceOf(yield* errorOf(call(loop, closed)), InvalidStateError);

      const [transport] = yield* loop.createConnection(() => ({}), { port });
      const sock = transport.getExtraInfo("socket");
      // What the native backend gives there is no connection.
      const expected = host.isNative ? TypeError : InvalidStateError;
      assertInstanceOf(yield* errorOf(call(loop, sock)), expected);
      assertEquals(transport.isClosing(), false);
      transport.abort();
      server.close();
      server.abortClients();
      yield* server.waitClosed();
    });
  });
}

Deno.test("createServer() refuses a listener that another server has", async () => {
  await runOn(tcp, function* ({ loop }) {
    const sock = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const server = yield* loop.createServer(() => ({}), { sock });
    const again = yield* errorOf(loop.createServer(neverCalled, { sock }));
    assertInstanceOf(again, InvalidStateError);
    server.close();
    yield* server.waitClosed();
  });
});

Deno.test("createServer() reports once that its listener was closed by others", async () => {
  await runOn(tcp, function* ({ loop, takeReports }) {
    const sock = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    sock.close();
    const server = yield* loop.createServer(neverCalled, { sock });
    const reported = loop.createFuture<void>();
    loop.callSoon(function check() {
      const [report] = takeReports();
      if (report === undefined) return void loop.callLater(0, check);
      assertInstanceOf(report.exception, Deno.errors.BadResource);
      reported.setResult();
    });
    yield* reported;
    server.close();
    yield* server.waitClosed();
    assertEquals(takeReports(), []);
  });
});

Deno.test("run() ends well when a sock was refused in it", async () => {
  const error = await run(async () => {
    const sock = {} as Deno.Conn;
    return await getRunningLoop().createConnection(neverCalled, { sock }).then(
      () => null,
      (e) => e,
    );
  });
  assertInstanceOf(error, TypeError);
});
