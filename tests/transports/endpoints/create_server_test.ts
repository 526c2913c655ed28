import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import type { Coroutine, ProtocolLike } from "../../../mod.ts";
import { errorOf, neverCalled, Recorder, runOn, type Stage } from "../_backend.ts";
import { certificate } from "../_tls.ts";
import { tcp } from "../_tcp.ts";

function test(name: string, main: (stage: Stage) => Coroutine<void>): void {
  Deno.test(`createServer() ${name}`, () => runOn(tcp, main));
}

test("says which port is in use, and closes what it has opened", function* ({ loop }) {
  const first = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const { port } = first.address;

  const error = yield* errorOf(
    loop.createServer(() => ({}), { hostname: ["0.0.0.0", "127.0.0.1"], port }),
  );

  assertInstanceOf(error, Deno.errors.AddrInUse);
  assertStringIncludes(error.message, `:${port}": address already in use`);
  first.close();
  yield* first.waitClosed();
});

test("can listen on a port again once the server before is closed", function* ({ loop }) {
  const first = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const { port } = first.address;
  first.close();
  yield* first.waitClosed();

  const second = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1", port });
  assertEquals(second.addresses, [{ transport: "tcp", hostname: "127.0.0.1", port }]);
  second.close();
  yield* second.waitClosed();
});

test("passes on Deno's error when the permission is missing", function* ({ loop }) {
  const error = yield* errorOf(loop.createServer(() => ({}), { hostname: "127.0.0.2" }));
  assertInstanceOf(error, Deno.errors.NotCapable);
});

test("says which name does not resolve", function* ({ loop }) {
  const error = yield* errorOf(loop.createServer(() => ({}), { hostname: "no-such.invalid" }));
  assertInstanceOf(error, Deno.errors.NotFound);
  assertEquals(error.message, 'Cannot listen on "no-such.invalid:0": the name does not resolve');
});

test("refuses a factory that is none", function* ({ loop }) {
  let wrong: unknown;
  try {
    yield* loop.createServer(undefined as unknown as () => ProtocolLike);
  } catch (error) {
    wrong = error;
  }
  assertInstanceOf(wrong, TypeError);
});

test("listens on every address by default, and shows IPv4 clients as such", function* ({ loop }) {
  const peer = new Recorder(loop);
  const server = yield* loop.createServer(() => peer);
  const { port } = server.address;
  const client = new Recorder(loop);
  yield* loop.createConnection(() => client, { hostname: "127.0.0.1", port });
  client.transport?.write(new Uint8Array(1));
  yield* peer.received(1);

  const address = peer.transport?.getExtraInfo("peername");
  assert(address?.transport === "tcp");
  assertEquals(address.hostname, "127.0.0.1");
  client.transport?.close();
  server.close();
  yield* server.waitClosed();
});

test("listens on several addresses", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: ["127.0.0.1", "0.0.0.0"] });
  assertEquals(server.addresses.length, 2);
  server.close();
  yield* server.waitClosed();
});

const KINDS = {
  "TCP": {},
  "a shared port": { reusePort: true },
  "TLS": { tls: certificate("server") },
};

for (const [name, options] of Object.entries(KINDS)) {
  test(`can listen on a port again right after close(), with ${name}`, function* ({ loop }) {
    let port = 0;
    for (let count = 0; count < 5; count += 1) {
      const hostname = ["127.0.0.1", "::1"];
      const server = yield* loop.createServer(() => ({}), { hostname, port, ...options });
      port ||= server.address.port;
      const [client] = yield* loop.createConnection(() => ({}), { port });
      server.close();
      const again = yield* loop.createServer(() => ({}), { hostname, port, ...options });
      again.close();
      client.abort();
      server.abortClients();
      yield* server.waitClosed();
    }
  });

  test(`leaves nobody listening right after close(), with ${name}`, function* ({ loop }) {
    const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1", ...options });
    const { port } = server.address;
    server.close();
    for (const localAddress of [undefined, { hostname: "127.0.0.1", port: 0 }]) {
      const connecting = localAddress === undefined
        ? loop.createConnection(neverCalled, { port })
        : loop.createConnection(neverCalled, { port, localAddress });
      assertInstanceOf(yield* errorOf(connecting), Deno.errors.ConnectionRefused);
    }
    yield* server.waitClosed();
  });

  test(`listens once on an address that is named several times, with ${name}`, function* (
    { loop },
  ) {
    const free = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
    const { port: freePort } = free.address;
    free.close();
    const [info] = yield* loop.getaddrinfo("localhost", 0, { type: "stream" });
    const own = info?.address.hostname as string;
    const lists = [
      ["127.0.0.1", "127.0.0.1"],
      ["::1", "0:0:0:0:0:0:0:1", "::0001"],
      ["localhost", own, "localhost"],
      [own, "localhost"],
      ["0.0.0.0", "::", "0.0.0.0", ""],
    ];
    for (const hostname of lists) {
      for (const port of [0, freePort]) {
        const server = yield* loop.createServer(() => ({}), { hostname, port, ...options });
        assertEquals(server.addresses.length, 1, `${hostname} ${port}`);
        server.close();
      }
    }
  });
}

test("keeps to what is in use by others when a name is one of several", function* ({ loop }) {
  const [info] = yield* loop.getaddrinfo("localhost", 0, { type: "stream" });
  const own = info?.address.hostname as string;
  const other = own === "::1" ? "127.0.0.1" : "::1";
  const server = yield* loop.createServer(() => ({}), { hostname: own });
  const { port } = server.address;
  const second = loop.createServer(neverCalled, { hostname: [other, "localhost"], port });
  assertInstanceOf(yield* errorOf(second), Deno.errors.AddrInUse);
  server.close();
});
