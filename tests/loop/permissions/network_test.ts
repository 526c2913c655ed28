import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { DenoEventLoop, type Future, type LoopPermissions } from "../../../loop/mod.ts";
import type { Network } from "../../../loop/platform/platform.ts";
import { simulate } from "../../../simulation/mod.ts";
import { Protocol } from "../../../transports/mod.ts";
import { RecordingNetwork } from "./_recording_network.ts";
import { restrictedLoop } from "./_restricted_loop.ts";

/** What a test uses: a restricted loop, its network, and the one below. */
interface Bench {
  loop: DenoEventLoop;
  network: Network;
  host: RecordingNetwork;
}

/** Runs `body` on a loop with `net`. */
async function withNet(
  permissions: LoopPermissions,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  await simulate(async (sim) => {
    const host = new RecordingNetwork();
    const loop = restrictedLoop(sim, permissions, { network: host });
    await loop.runUntilComplete(() => body({ loop, network: loop.platform.network, host }));
    loop.close();
  });
}

/** Asserts that `future` fails as not permitted, with `member` as what would permit it. */
async function assertRefused(future: Future<unknown>, kind: string, member: string): Promise<void> {
  await assertRejects(
    () => future,
    Deno.errors.NotCapable,
    `permissions: { ${kind}: ["${member}"] }`,
  );
}

/** Ways to write addresses of the machine that a list with `10.0.0.1` must not let through. */
const TRICKS: Record<string, string> = {
  "localhost": "localhost:80",
  "LOCALHOST": "localhost:80",
  "localhost.": "localhost:80",
  "127.0.0.1": "127.0.0.1:80",
  "127.1": "127.0.0.1:80",
  "0x7f000001": "127.0.0.1:80",
  "017700000001": "127.0.0.1:80",
  "2130706433": "127.0.0.1:80",
  "127.0.0.1.": "127.0.0.1:80",
  "127。0。0。1": "127.0.0.1:80",
  "::ffff:127.0.0.1": "127.0.0.1:80",
  "::FFFF:7F00:1": "127.0.0.1:80",
  "0:0:0:0:0:0:0:1": "[::1]:80",
  "0.0.0.0": "127.0.0.1:80",
  "0": "127.0.0.1:80",
  "::": "[::1]:80",
  "10.0.0.1.nip.example": "10.0.0.1.nip.example:80",
  "10.0.0.1@127.0.0.1": "10.0.0.1@127.0.0.1:80",
  "10.0.0.1\u0000.example": "10.0.0.1\u0000.example:80",
  "10.0.0.1 ": "10.0.0.1 :80",
  "": ":80",
};

for (const [hostname, member] of Object.entries(TRICKS)) {
  Deno.test(`connectTcp() of ${JSON.stringify(hostname)} is refused where only 10.0.0.1 is listed`, () =>
    withNet({ net: ["10.0.0.1"] }, async ({ loop, network, host }) => {
      await assertRefused(network.connectTcp(loop, { hostname, port: 80 }), "net", member);
      assertEquals(host.calls, []);
    }));
}

Deno.test("connectTcp() reaches a listed address however it is written, by the form that was checked", () =>
  withNet({ net: ["127.0.0.1:80", "[::1]"] }, async ({ loop, network, host }) => {
    for (const hostname of ["127.0.0.1", "127.1", "0x7f.1", "::ffff:127.0.0.1", "0.0.0.0"]) {
      await network.connectTcp(loop, { hostname, port: 80 });
    }
    await network.connectTcp(loop, { hostname: "0:0::1", port: 1 });
    const ipv4 = Array(4).fill("connect 127.0.0.1:80");
    assertEquals(host.calls, [...ipv4, "connect 0.0.0.0:80", "connect ::1:1"]);
  }));

Deno.test("connectTcp() to a port that is not listed is refused", () =>
  withNet({ net: ["127.0.0.1:80", "db.example:80"] }, async ({ loop, network, host }) => {
    const port = 81;
    await assertRefused(
      network.connectTcp(loop, { hostname: "127.1", port }),
      "net",
      "127.0.0.1:81",
    );
    const named = network.connectTcp(loop, { hostname: "DB.example.", port });
    await assertRefused(named, "net", "db.example:81");
    assertEquals(host.calls, []);
  }));

Deno.test("connectTcp() looks a listed name up once, and connects to the numbers", () =>
  withNet({ net: ["db.example"] }, async ({ loop, network, host }) => {
    host.names["db.example"] = ["10.0.0.1", "2001:db8::1"];
    await network.connectTcp(loop, { hostname: "DB.Example.", port: 5432 });
    assertEquals(host.calls, ["lookup db.example", "connect 10.0.0.1:5432"]);
  }));

Deno.test("connectTcp() refuses a listed name that leads into the machine or to its wire", () =>
  withNet({ net: ["evil.example"] }, async ({ loop, network, host }) => {
    const addresses = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0.0.0.0", "::"];
    for (const address of [...addresses, "169.254.169.254", "fe80::1"]) {
      host.names["evil.example"] = [address];
      const connecting = network.connectTcp(loop, { hostname: "evil.example", port: 80 });
      await assertRejects(() => connecting, Deno.errors.NotCapable, "it resolves to");
    }
    assertEquals(new Set(host.calls), new Set(["lookup evil.example"]));
  }));

Deno.test("connectTcp() takes a name into the machine where its address is listed, or to localhost", () =>
  withNet({ net: ["dev.example", "127.0.0.1:80", "localhost:90"] }, async (bench) => {
    const { loop, network, host } = bench;
    Object.assign(host.names, { "dev.example": ["127.0.0.1"], "localhost": ["::1", "127.0.0.1"] });
    await network.connectTcp(loop, { hostname: "dev.example", port: 80 });
    await network.connectTcp(loop, { hostname: "localhost", port: 90 });
    const other = network.connectTcp(loop, { hostname: "dev.example", port: 81 });
    await assertRefused(other, "net", "127.0.0.1:81");
    const connects = host.calls.filter((call) => call.startsWith("connect"));
    assertEquals(connects, ["connect 127.0.0.1:80", "connect ::1:90"]);
  }));

Deno.test("connectTcp() skips refused addresses of a name and takes another", () =>
  withNet({ net: ["mixed.example"] }, async ({ loop, network, host }) => {
    host.names["mixed.example"] = ["127.0.0.1", "10.0.0.7"];
    await network.connectTcp(loop, { hostname: "mixed.example", port: 80 });
    assertEquals(host.calls.at(-1), "connect 10.0.0.7:80");
  }));

Deno.test("connectTcp() tries the addresses of a name in turn, and throws the last error", () =>
  withNet({ net: ["db.example"] }, async ({ loop, network, host }) => {
    host.names["db.example"] = ["10.0.0.1", "10.0.0.2"];
    const refusing = { ...host, connectTcp: host.connectTcp };
    refusing.connectTcp = (loop, { hostname }) => {
      host.calls.push(`connect ${hostname}`);
      const future = loop.createFuture<never>();
      future.setException(new Deno.errors.ConnectionRefused(hostname));
      return future;
    };
    host.connectTcp = refusing.connectTcp;
    const connecting = network.connectTcp(loop, { hostname: "db.example", port: 1 });
    await assertRejects(() => connecting, Deno.errors.ConnectionRefused, "10.0.0.2");
    assertEquals(host.calls, ["lookup db.example", "connect 10.0.0.1", "connect 10.0.0.2"]);
  }));

Deno.test("connectTcp() uses the name where the process may not look it up, and checks who answered", () =>
  withNet({ net: ["db.example:80"] }, async ({ loop, network, host }) => {
    host.refused.add("lookup");
    await network.connectTcp(loop, { hostname: "db.example", port: 80 });
    host.actualPeer = "::ffff:127.0.0.1";
    const rebound = network.connectTcp(loop, { hostname: "db.example", port: 80 });
    await assertRefused(rebound, "net", "127.0.0.1:80");
    const once = ["lookup db.example", "connect db.example:80"];
    assertEquals(host.calls, [...once, ...once, "abort"]);
  }));

Deno.test("connectTcp() uses the name where the process may not use its address", () =>
  withNet({ net: ["db.example"] }, async ({ loop, network, host }) => {
    host.names["db.example"] = ["10.0.0.1"];
    host.refused.add("connect 10.0.0.1:80");
    await network.connectTcp(loop, { hostname: "db.example", port: 80 });
    assertEquals(host.calls.at(-1), "connect db.example:80");
  }));

Deno.test("lookup() of a listed name lets its addresses be used, on the ports of the name", () =>
  withNet({ net: ["db.example:80"] }, async ({ loop, network, host }) => {
    host.names["db.example"] = ["10.0.0.1", "127.0.0.1"];
    const before = network.connectTcp(loop, { hostname: "10.0.0.1", port: 80 });
    await assertRefused(before, "net", "10.0.0.1:80");
    const found = await network.lookup(loop, "db.example");
    assertEquals(found, [{ family: "ipv4", hostname: "10.0.0.1" }]);
    await network.connectTcp(loop, { hostname: "10.0.0.1", port: 80 });
    const other = network.connectTcp(loop, { hostname: "10.0.0.1", port: 81 });
    await assertRefused(other, "net", "10.0.0.1:81");
  }));

Deno.test("lookup() and reverseLookup() ask nobody about what is not listed", () =>
  withNet({ net: ["10.0.0.1"] }, async ({ loop, network, host }) => {
    await assertRefused(network.lookup(loop, "secret.evil.example"), "net", "secret.evil.example");
    await assertRefused(network.reverseLookup(loop, "10.0.0.2"), "net", "10.0.0.2");
    assertEquals(host.calls, []);
    assertEquals(await network.reverseLookup(loop, "10.0.0.1"), null);
  }));

Deno.test("listenTcp() is held to the list, port 0 as well", () =>
  withNet({ net: ["127.0.0.1:0", "localhost:80"] }, async ({ loop, network, host }) => {
    host.names["localhost"] = ["127.0.0.1"];
    await network.listenTcp(loop, { hostname: "127.1", port: 0 });
    await network.listenTcp(loop, { hostname: "LocalHost", port: 80 });
    assertEquals(host.calls, ["listen 127.0.0.1:0", "lookup localhost", "listen 127.0.0.1:80"]);
    await assertRefused(network.listenTcp(loop, { hostname: "::", port: 0 }), "net", "[::]:0");
    await assertRefused(
      network.listenTcp(loop, { hostname: "0.0.0.0", port: 0 }),
      "net",
      "0.0.0.0:0",
    );
  }));

Deno.test("createServer() on every address names the narrowest member", () =>
  withNet({ net: ["127.0.0.1"] }, async ({ loop }) => {
    await assertRefused(loop.createServer(() => new Protocol(), { port: 80 }), "net", "[::]:80");
  }));

Deno.test("createConnection() that picks addresses itself may use those of a listed name", () =>
  withNet({ net: ["db.example:80"] }, async ({ loop, host }) => {
    host.names["db.example"] = ["10.0.0.1", "127.0.0.1"];
    const options = { hostname: "db.example", port: 80, family: "ipv6" } as const;
    await assertRejects(
      () => loop.createConnection(() => new Protocol(), options),
      Deno.errors.NotFound,
    );
    const refused = { hostname: "evil.example", port: 80, happyEyeballsDelay: 1 };
    const connecting = loop.createConnection(() => new Protocol(), refused);
    await assertRefused(connecting, "net", "evil.example");
    assertEquals(host.calls, ["lookup db.example"]);
  }));

Deno.test("createDatagramEndpoint() is held to the list for both addresses", () =>
  withNet({ net: ["127.0.0.1:0", "127.0.0.1:53", "ns.example:53"] }, async ({ loop, host }) => {
    host.names["ns.example"] = ["10.0.0.53"];
    const open = (localAddress: [string, number], remoteAddress: [string, number]) =>
      loop.createDatagramEndpoint(() => ({}), {
        localAddress: { hostname: localAddress[0], port: localAddress[1] },
        remoteAddress: { hostname: remoteAddress[0], port: remoteAddress[1] },
      });
    await assertRefused(open(["127.0.0.1", 0], ["127.0.0.1", 54]), "net", "127.0.0.1:54");
    await assertRefused(open(["0.0.0.0", 0], ["127.0.0.1", 53]), "net", "0.0.0.0:0");
    assertEquals(host.calls, []);
    const [transport] = await open(["127.0.0.1", 0], ["ns.example", 53]);
    transport.sendto(new Uint8Array(1));
    transport.abort();
    assertEquals(host.calls, ["lookup ns.example", "bind 127.0.0.1:0", "send 10.0.0.53:53"]);
  }));

Deno.test("sendto() of an address that is not listed is reported, and not sent", () =>
  withNet({ net: ["127.0.0.1:0", "127.0.0.1:9"] }, async ({ loop, host }) => {
    const reported = loop.createFuture<Error>();
    const [transport] = await loop.createDatagramEndpoint(
      () => ({ errorReceived: (error: Error) => reported.setResult(error) }),
      { localAddress: { hostname: "127.0.0.1", port: 0 } },
    );
    transport.sendto(new Uint8Array(3), { hostname: "127.0.0.1", port: 10 });
    const error = await reported;
    assertEquals(error instanceof Deno.errors.NotCapable, true);
    assertEquals(transport.getWriteBufferSize(), 0);
    transport.sendto(new Uint8Array(3), { hostname: "127.0.0.1", port: 9 });
    transport.abort();
    assertEquals(host.calls, ["bind 127.0.0.1:0", "send 127.0.0.1:9"]);
  }));

Deno.test("sendto() of a name is refused, though it is listed: it would be looked up unchecked", () =>
  withNet({ net: ["127.0.0.1:0", "ns.example:53"] }, async ({ loop, host }) => {
    const reported = loop.createFuture<Error>();
    const [transport] = await loop.createDatagramEndpoint(
      () => ({ errorReceived: (error: Error) => reported.setResult(error) }),
      { localAddress: { hostname: "127.0.0.1", port: 0 } },
    );
    transport.sendto(new Uint8Array(3), { hostname: "ns.example", port: 53 });
    assertStringIncludes((await reported).message, "a name has to be resolved before");
    transport.abort();
    assertEquals(host.calls, ["bind 127.0.0.1:0"]);
  }));

Deno.test("connectUnix() and listenUnix() are held to paths, without detours", () =>
  withNet({ net: true, unix: ["/run/app", "/tmp/one.sock"] }, async ({ loop, network, host }) => {
    await network.connectUnix(loop, "/run/app/a.sock");
    await network.listenUnix(loop, "/tmp/./one.sock/");
    await network.connectUnix(loop, "/run/app/link/../b.sock");
    assertEquals(host.calls, [
      "connect /run/app/a.sock",
      "listen /tmp/one.sock",
      "connect /run/app/b.sock",
    ]);
    const detours = ["/run/app/../docker.sock", "/run/app2/a.sock", "/tmp/two.sock", "\0app"];
    for (const path of detours) {
      await assertRefused(network.connectUnix(loop, path), "unix", path);
      await assertRefused(network.listenUnix(loop, path), "unix", path);
    }
  }));

Deno.test("connectTcp() from a local address is held to the list for it", () =>
  withNet({ net: ["10.0.0.1:80", "127.0.0.2:0"] }, async ({ loop, network, host }) => {
    const address = { hostname: "10.0.0.1", port: 80 };
    const from = (hostname: string) =>
      network.connectTcp(loop, address, { localAddress: { hostname, port: 0 } });
    await assertRefused(from("127.0.0.3"), "net", "127.0.0.3:0");
    assertEquals(host.calls, []);
    await from("127.2");
    assertEquals(host.calls, ["connect 10.0.0.1:80"]);
  }));

Deno.test("A loop with net: true passes hosts on as they are written", () =>
  withNet({ net: true }, async ({ loop, network, host }) => {
    await network.connectTcp(loop, { hostname: "DB.example.", port: 1 });
    assertEquals(host.calls, ["connect DB.example.:1"]);
  }));

Deno.test("What the permissions leave out is denied, and later changes of them do nothing", () => {
  const permissions: LoopPermissions = {};
  return withNet(permissions, async ({ loop, network }) => {
    permissions.net = true;
    const connecting = network.connectTcp(loop, { hostname: "127.0.0.1", port: 80 });
    await assertRefused(connecting, "net", "127.0.0.1:80");
    await assertRefused(network.connectUnix(loop, "/x"), "unix", "/x");
  });
});

Deno.test("DenoEventLoop refuses a list with what is no host", () => {
  for (const entry of ["", "http://a", "*.example.com", "10.0.0.0/8", "a:b", "unix:/x"]) {
    assertThrows(
      () => new DenoEventLoop({ permissions: { net: [entry] } }),
      TypeError,
      "net access",
    );
  }
});
