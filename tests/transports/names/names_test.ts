import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoEventLoop } from "../../../loop/deno_event_loop.ts";
import { CancelledError, run } from "../../../loop/mod.ts";

function loopOf(): DenoEventLoop {
  return new DenoEventLoop();
}

Deno.test("getaddrinfo() resolves the name of the local host", async () => {
  const loop = loopOf();
  const found = await run(() => loop.getaddrinfo("localhost", 80, { flags: ["canonicalName"] }), {
    loopFactory: () => loop,
  });
  assert(found.some(({ address }) => ["127.0.0.1", "::1"].includes(address.hostname)));
  assertEquals(found[0]?.canonname, "localhost");
});

Deno.test("getaddrinfo() of a name that does not exist is NotFound", async () => {
  const loop = loopOf();
  await assertRejects(
    () => run(() => loop.getaddrinfo("no-such.invalid", 80), { loopFactory: () => loop }),
    Deno.errors.NotFound,
    'Cannot resolve "no-such.invalid": the name does not resolve',
  );
});

// The host cannot take a look-up back: its operation ends by itself, maybe after the test.
Deno.test("getaddrinfo() that is cancelled ends at once", { sanitizeOps: false }, async () => {
  const loop = loopOf();
  await run(function* () {
    const looking = loop.getaddrinfo("localhost", 80);
    looking.cancel();
    try {
      yield* looking;
    } catch (error) {
      assert(error instanceof CancelledError);
    }
    assert(looking.cancelled());
  }, { loopFactory: () => loop });
});

Deno.test("getnameinfo() gives the name of the local host", async () => {
  const loop = loopOf();
  const names = await run(() => loop.getnameinfo({ hostname: "127.0.0.1", port: 12_345 }), {
    loopFactory: () => loop,
  });
  assertEquals(names, ["localhost", "12345"]);
});

Deno.test("createConnection() with a family tries the addresses of that family", async () => {
  const loop = loopOf();
  await run(async () => {
    const server = await loop.createServer(() => ({}), { hostname: "127.0.0.1", port: 0 });
    const { port } = server.address;
    const [transport] = await loop.createConnection(() => ({}), {
      hostname: "localhost",
      port,
      family: "ipv4",
      happyEyeballsDelay: 0.25,
    });
    assertEquals(transport.getExtraInfo("peername")?.hostname, "127.0.0.1");
    transport.abort();
    server.close();
    await server.waitClosed();
  }, { loopFactory: () => loop });
});

Deno.test("createConnection() with allErrors throws the error of every attempt", async () => {
  const loop = loopOf();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const error = await assertRejects(() =>
    run(
      () => loop.createConnection(() => ({}), { hostname: "localhost", port, allErrors: true }),
      { loopFactory: () => loop },
    ), AggregateError);
  assert(error.errors.every((each) => each instanceof Deno.errors.ConnectionRefused));
});
