import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import type { Coroutine, StreamProtocol } from "../../mod.ts";
import { errorOf, Recorder, runOn, type Stage } from "./_backend.ts";
import { tcp } from "./_tcp.ts";

function test(name: string, main: (stage: Stage) => Coroutine<void>): void {
  Deno.test(`createServer() ${name}`, () => runOn(tcp, main));
}

test("says which port is in use, and closes what it has opened", function* ({ loop }) {
  const first = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  const [{ port }] = first.addresses as [Deno.NetAddr];

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
  const [{ port }] = first.addresses as [Deno.NetAddr];
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
    yield* loop.createServer(undefined as unknown as () => StreamProtocol);
  } catch (error) {
    wrong = error;
  }
  assertInstanceOf(wrong, TypeError);
});

test("listens on every address by default, and shows IPv4 clients as such", function* ({ loop }) {
  const peer = new Recorder(loop);
  const server = yield* loop.createServer(() => peer);
  const [{ port }] = server.addresses as [Deno.NetAddr];
  const client = new Recorder(loop);
  yield* loop.createConnection(() => client, { hostname: "127.0.0.1", port });
  client.transport?.write(new Uint8Array(1));
  yield* peer.received(1);

  const address = peer.transport?.getExtraInfo("peername") as Deno.NetAddr;
  assertEquals(address.hostname, "127.0.0.1");
  client.transport?.close();
  server.close();
  yield* server.waitClosed();
});

test("listens on several addresses", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({}), { hostname: ["127.0.0.1", "localhost"] });
  assertEquals(server.addresses.length, 2);
  server.close();
  yield* server.waitClosed();
});
