import { assertEquals, assertRejects } from "@std/assert";
import { DenoEventLoop } from "../../loop/deno_event_loop.ts";
import type { Future } from "../../loop/mod.ts";
import { familyOf } from "../../transports/names/ip_address.ts";

async function onLoop<T>(work: (loop: DenoEventLoop) => Future<T>): Promise<T> {
  const loop = new DenoEventLoop();
  try {
    return await loop.runUntilComplete(() => work(loop));
  } finally {
    loop.close();
  }
}

Deno.test("familyOf() tells numeric addresses from names", () => {
  for (const text of ["127.0.0.1", "0.0.0.0", "255.255.255.255"]) {
    assertEquals(familyOf(text), "ipv4");
  }
  for (const text of ["::", "::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "::ffff:127.0.0.1", "1::"]) {
    assertEquals(familyOf(text), "ipv6", text);
  }
  for (
    const text of [
      "",
      "localhost",
      "256.0.0.1",
      "1.2.3",
      "01.2.3.4",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      ":::",
      "12345::",
      "::1%",
      "1.2.3.4::",
      "::1%lo",
      "fe80::1%a%b",
      "127.0.0.1%lo",
    ]
  ) assertEquals(familyOf(text), null, text);
});

/** For each address, ways to write it. What the C library of glibc 2.36 gives was measured. */
const SPELLINGS: Record<string, string[]> = {
  "::1": ["0:0:0:0:0:0:0:1", "0::0001", "::0.0.0.1"],
  "::": ["0::0", "0:0:0:0:0:0:0:0"],
  "2001:db8::1": ["2001:DB8::0:1", "2001:0db8:0:0::1"],
  "1:0:0:2::3": ["1:0:0:2:0:0:0:3"],
  "1:0:2:0:3:0:4:0": [],
  "1:2:3:4:5:6:7:0": ["1:2:3:4:5:6:7::"],
  "::ffff:127.0.0.1": ["::FFFF:127.0.0.1", "::ffff:7f00:1"],
  "fe80::1%eth0": ["FE80::0:1%eth0"],
  "fe80::1%3": ["fe80:0::1%3"],
};

Deno.test("getaddrinfo() gives a numeric address as the system writes it", async () => {
  for (const [address, spellings] of Object.entries(SPELLINGS)) {
    for (const text of [address, ...spellings]) {
      const [found] = await onLoop((loop) => loop.getaddrinfo(text, 80));
      assertEquals(found?.address.hostname, address, text);
    }
  }
});

Deno.test("getaddrinfo() looks nothing up that is neither a name nor an address", async () => {
  for (const text of ["::1%lo", "1::2::3", "127.0.0.1%lo", "[::1]", "a:80"]) {
    const resolve = () => onLoop((loop) => loop.getaddrinfo(text, 80));
    await assertRejects(resolve, Deno.errors.NotFound, "neither a name nor an address");
  }
});

Deno.test("getaddrinfo() of a numeric host gives both kinds of sockets, without a permission", async () => {
  const found = await onLoop((loop) => loop.getaddrinfo("127.0.0.1", "https"));
  const address = { hostname: "127.0.0.1", port: 443 };
  assertEquals(found, [
    { family: "ipv4", type: "stream", proto: "tcp", canonname: "", address },
    { family: "ipv4", type: "datagram", proto: "udp", canonname: "", address },
  ]);
});

Deno.test("getaddrinfo() narrows by type, by protocol and by family", async () => {
  const types = async (options: Parameters<DenoEventLoop["getaddrinfo"]>[2]) => {
    const found = await onLoop((loop) => loop.getaddrinfo(null, 80, options));
    return found.map(({ family, type }) => `${family} ${type}`);
  };
  assertEquals(await types({ type: "stream" }), ["ipv6 stream", "ipv4 stream"]);
  assertEquals(await types({ proto: "udp", family: "ipv4" }), ["ipv4 datagram"]);
  await assertRejects(() => types({ type: "stream", proto: "udp" }), TypeError, "does not go with");
});

Deno.test("getaddrinfo() without a host gives the local host, and passively every address", async () => {
  const hosts = async (flags: "passive"[]) => {
    const found = await onLoop((loop) => loop.getaddrinfo(null, 80, { type: "stream", flags }));
    return found.map(({ address }) => address.hostname);
  };
  assertEquals(await hosts([]), ["::1", "127.0.0.1"]);
  assertEquals(await hosts(["passive"]), ["0.0.0.0", "::"]);
});

Deno.test("getaddrinfo() refuses what it cannot resolve with the reason", async () => {
  const resolve = (...args: Parameters<DenoEventLoop["getaddrinfo"]>) => () =>
    onLoop((loop) => loop.getaddrinfo(...args));
  await assertRejects(resolve(null, null), TypeError, "neither a host nor a port");
  await assertRejects(resolve("", 80), Deno.errors.NotFound, 'Cannot resolve "": it is empty');
  await assertRejects(resolve("::1", 80, { family: "ipv4" }), Deno.errors.NotFound, "no ipv4");
  await assertRejects(resolve("localhost", 80, { flags: ["numericHost"] }), Deno.errors.NotFound);
  await assertRejects(resolve("::1", "no-such"), RangeError, 'service "no-such"');
  await assertRejects(resolve("::1", "http", { flags: ["numericService"] }), RangeError);
  await assertRejects(resolve("::1", 65_536), RangeError, "not between 0 and 65535");
});

Deno.test("getaddrinfo() of a name without the permission names the narrowest flag", async () => {
  await assertRejects(
    () => onLoop((loop) => loop.getaddrinfo("localhost", 80)),
    Deno.errors.NotCapable,
    "--allow-net=localhost",
  );
});

Deno.test("getnameinfo() in numbers needs no permission", async () => {
  const address = { hostname: "127.0.0.1", port: 443 };
  const names = (flags: Parameters<DenoEventLoop["getnameinfo"]>[1]) =>
    onLoop((loop) => loop.getnameinfo(address, flags));
  assertEquals(await names(["numericHost"]), ["127.0.0.1", "https"]);
  assertEquals(await names(["numericHost", "numericService"]), ["127.0.0.1", "443"]);
  const ipv6 = { hostname: "0:0:0:0:0:0:0:1", port: 443 };
  const found = await onLoop((loop) => loop.getnameinfo(ipv6, ["numericHost"]));
  assertEquals(found, ["::1", "https"]);
});

Deno.test("getnameinfo() refuses a name and a port out of range", async () => {
  const find = (hostname: string, port: number) => () =>
    onLoop((loop) => loop.getnameinfo({ hostname, port }));
  await assertRejects(find("localhost", 80), TypeError, "not a numeric address");
  await assertRejects(find("127.0.0.1", -1), RangeError, "not between 0 and 65535");
});
