// Where TCP connections come from, what servers listen on, and sockets that the program has made.
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import type { Coroutine, DenoEventLoop, Server } from "../../../mod.ts";
import {
  cancelAtEachIteration,
  errorOf,
  neverCalled,
  Recorder,
  runOn,
  type Stage,
  utf8,
} from "../_backend.ts";
import { tcp } from "../_tcp.ts";

const HOSTNAME = "127.0.0.1";

function test(name: string, main: (stage: Stage) => Coroutine<void>): void {
  Deno.test(name, () => runOn(tcp, main));
}

function portOf(server: Server<Deno.NetAddr>): number {
  return server.address.port;
}

/** Waits until `hostname` answers on the port of `server`. */
function* reach(loop: DenoEventLoop, hostname: string, port: number): Coroutine<Deno.NetAddr> {
  const client = new Recorder(loop);
  const [transport] = yield* loop.createConnection(() => client, { hostname, port });
  const address = transport.getExtraInfo("peername");
  assert(address !== undefined);
  transport.close();
  yield* client.lost;
  return address;
}

/** Returns a port of the local host that nothing uses. */
function* findFreePort(loop: DenoEventLoop): Coroutine<number> {
  const server = yield* loop.createServer(neverCalled, { hostname: HOSTNAME });
  const port = portOf(server);
  server.close();
  yield* server.waitClosed();
  return port;
}

test("createConnection() comes from a local address", function* ({ loop }) {
  const peer = new Recorder(loop);
  const server = yield* loop.createServer(() => peer, { hostname: HOSTNAME });
  const localPort = yield* findFreePort(loop);
  const client = new Recorder(loop);

  const [transport] = yield* loop.createConnection(() => client, {
    port: portOf(server),
    localAddress: { hostname: "localhost", port: localPort },
    family: "ipv4",
  });
  transport.write(utf8("hello"));
  yield* peer.received(5);

  const expected: Deno.NetAddr = { transport: "tcp", hostname: HOSTNAME, port: localPort };
  assertEquals(transport.getExtraInfo("sockname"), expected);
  assertEquals(peer.transport?.getExtraInfo("peername"), expected);
  transport.close();
  yield* client.lost;
  server.close();
  yield* server.waitClosed();
});

test("createConnection() says that a local address is in use", function* ({ loop }) {
  const server = yield* loop.createServer(neverCalled, { hostname: HOSTNAME });
  const other = yield* loop.createServer(neverCalled, { hostname: HOSTNAME });
  const localAddress = { hostname: HOSTNAME, port: portOf(other) };

  const error = yield* errorOf(
    loop.createConnection(neverCalled, { port: portOf(server), localAddress }),
  );

  assertInstanceOf(error, Deno.errors.AddrInUse);
  assertEquals(error.code, "EADDRINUSE");
  assertStringIncludes(
    error.message,
    `Cannot connect to "127.0.0.1:${portOf(server)}" from "127.0.0.1:${portOf(other)}": ` +
      "address already in use",
  );
  for (const each of [server, other]) each.close();
});

test("createConnection() from a local address passes on refusals", function* ({ loop }) {
  const localAddress = { hostname: HOSTNAME, port: 0 };
  const port = yield* findFreePort(loop);

  const refused = yield* errorOf(loop.createConnection(neverCalled, { port, localAddress }));
  assertInstanceOf(refused, Deno.errors.ConnectionRefused);
  const there = { hostname: "127.0.0.2", port, localAddress };
  assertInstanceOf(
    yield* errorOf(loop.createConnection(neverCalled, there)),
    Deno.errors.NotCapable,
  );
  const from = { port, localAddress: { hostname: "127.0.0.2", port: 0 } };
  const notGranted = yield* errorOf(loop.createConnection(neverCalled, from));
  assertInstanceOf(notGranted, Deno.errors.NotCapable);
  assertStringIncludes(notGranted.message, "127.0.0.2:0");
});

test("createConnection() from a local address can be cancelled at any time", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: HOSTNAME });
  const from = { port: portOf(server), localAddress: { hostname: HOSTNAME, port: 0 } };
  yield* cancelAtEachIteration(loop, 20, (factory) => loop.createConnection(factory, from));
  server.close();
  yield* server.waitClosed();
});

test("createServer() listens on several hosts of both families", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: [HOSTNAME, "::1"] });
  const [ipv4, ipv6] = server.addresses;

  assert(ipv4 !== undefined && ipv6 !== undefined);
  assertEquals([ipv4.hostname, ipv6.hostname], [HOSTNAME, "::1"]);
  assertEquals((yield* reach(loop, HOSTNAME, ipv4.port)).hostname, HOSTNAME);
  assertEquals((yield* reach(loop, "::1", ipv6.port)).hostname, "::1");
  server.close();
  yield* server.waitClosed();
});

test("createServer() listens on one family where it is told to", function* ({ loop }) {
  for (const [family, hostname] of [["ipv4", HOSTNAME], ["ipv6", "::1"]] as const) {
    const everywhere = yield* loop.createServer(() => ({}), { family });
    assertEquals(everywhere.addresses.length, 1);
    yield* reach(loop, hostname, portOf(everywhere));
    everywhere.close();
    yield* everywhere.waitClosed();

    const numeric = yield* loop.createServer(() => ({}), { family, hostname });
    assertEquals(numeric.addresses.map((address) => address.hostname), [hostname]);
    numeric.close();
    yield* numeric.waitClosed();
  }
  const named = yield* loop.createServer(() => ({}), { family: "ipv4", hostname: "localhost" });
  assertEquals(named.address.hostname, HOSTNAME);
  named.close();
  const none = loop.createServer(neverCalled, { family: "ipv6", hostname: HOSTNAME });
  assertInstanceOf(yield* errorOf(none), Deno.errors.NotFound);
});

test("createServer() takes over a listener that exists", function* ({ loop }) {
  const sock = Deno.listen({ hostname: HOSTNAME, port: 0 });
  const server = yield* loop.createServer(() => ({}), { sock });
  assertEquals(server.addresses, [sock.addr]);
  yield* reach(loop, HOSTNAME, portOf(server));
  server.close();
  yield* server.waitClosed();

  const both = loop.createServer(neverCalled, { sock, hostname: HOSTNAME });
  assertInstanceOf(yield* errorOf(both), TypeError);
});

test("createServer() with reusePort shares a port", function* ({ loop }) {
  const counts = [0, 0];
  const serve = (index: number, port: number) =>
    loop.createServer(() => {
      counts[index] = (counts[index] as number) + 1;
      return {};
    }, { hostname: HOSTNAME, port, reusePort: true });
  const first = yield* serve(0, 0);
  const second = yield* serve(1, portOf(first));
  assertEquals(first.addresses, second.addresses);

  for (let count = 0; count < 64; count += 1) yield* reach(loop, HOSTNAME, portOf(first));

  assertEquals((counts[0] as number) + (counts[1] as number), 64);
  assert(counts[0] !== 0 && counts[1] !== 0, `the shares are ${counts}`);
  const alone = loop.createServer(neverCalled, { hostname: HOSTNAME, port: portOf(first) });
  assertInstanceOf(yield* errorOf(alone), Deno.errors.AddrInUse);
  for (const server of [first, second]) server.close();
  for (const server of [first, second]) yield* server.waitClosed();
});

test(
  "createServer() with reusePort keeps what comes before it serves, and lets go of it at close",
  function* ({ loop }) {
    const options = { hostname: HOSTNAME, reusePort: true, startServing: false };
    const late = yield* loop.createServer(() => ({}), options);
    const client = new Recorder(loop);
    yield* loop.createConnection(() => client, { port: portOf(late) });
    yield* late.startServing();
    late.close();
    late.closeClients();
    client.transport?.close();
    yield* client.lost;
    yield* late.waitClosed();

    const never = yield* loop.createServer(neverCalled, options);
    const lost = new Recorder(loop);
    yield* loop.createConnection(() => lost, { port: portOf(never) });
    never.close();
    yield* never.waitClosed();
    yield* lost.lost;
  },
);

test("createServer() with reusePort says what is wrong", function* ({ loop }) {
  const taken = yield* loop.createServer(neverCalled, { hostname: HOSTNAME });
  const options = { hostname: HOSTNAME, port: portOf(taken), reusePort: true };
  const inUse = yield* errorOf(loop.createServer(neverCalled, options));
  assertInstanceOf(inUse, Deno.errors.AddrInUse);
  assertStringIncludes(inUse.message, `Cannot listen on "127.0.0.1:${portOf(taken)}": address`);
  taken.close();

  // The net set grants this address, which is one for documents: no machine has it.
  for (const reusePort of [true, false]) {
    const foreign = { hostname: "203.0.113.9", reusePort };
    const error = yield* errorOf(loop.createServer(neverCalled, foreign));
    assertInstanceOf(error, Deno.errors.AddrNotAvailable);
    assertStringIncludes(error.message, 'Cannot listen on "203.0.113.9:0": cannot assign');
    assertEquals(error.code, "EADDRNOTAVAIL");
  }

  const elsewhere = loop.createServer(neverCalled, { hostname: "127.0.0.2", reusePort: true });
  assertInstanceOf(yield* errorOf(elsewhere), Deno.errors.NotCapable);
});

test("connectAcceptedSocket() serves a connection accepted elsewhere", function* ({ loop }) {
  const listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  const accepted = loop.createFuture<Deno.Conn>();
  listener.accept().then((connection) => accepted.setResult(connection));
  const client = new Recorder(loop);
  yield* loop.createConnection(() => client, { port: listener.addr.port });

  const peer = new Recorder(loop);
  const sock = yield* accepted;
  const [transport, protocol] = yield* loop.connectAcceptedSocket(() => peer, { sock });
  assertEquals(protocol, peer);
  assertEquals(peer.log, ["made"]);
  assertEquals(transport.getExtraInfo("socket"), sock);
  transport.write(utf8("served"));
  transport.close();
  yield* client.lost;

  assertEquals(client.text(), "served");
  listener.close();
  const wrong = loop.connectAcceptedSocket(neverCalled, { sock: 7 as unknown as Deno.Conn });
  assertInstanceOf(yield* errorOf(wrong), TypeError);
});
