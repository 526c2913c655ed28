import { assertEquals } from "@std/assert";
import { canonicalHost, destinationOf, isOfThisMachine } from "../../../loop/values/host_name.ts";
import { NetGrant, parseNetEntry } from "../../../loop/permissions/_net_grant.ts";

/** For each host, ways to write it that the resolver of a system may take. */
const SPELLINGS: Record<string, string[]> = {
  "127.0.0.1": [
    "127.1",
    "127.0.1",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "127.0.0.1.",
    "１２７.0.0.1",
    "127。0。0。1",
    "::ffff:127.0.0.1",
    "::FFFF:7f00:1",
    "0:0:0:0:0:ffff:127.0.0.1",
  ],
  "0.0.0.0": ["0", "0x0", "0.0", "::ffff:0.0.0.0"],
  "::1": ["0:0:0:0:0:0:0:1", "::0:1", "0::0.0.0.1", "0000:0000:0000:0000:0000:0000:0000:0001"],
  "::": ["0::0", "0:0:0:0:0:0:0:0"],
  "2001:db8::a": ["2001:DB8:0:0::A", "2001:0db8::0.0.0.10"],
  "localhost": ["LOCALHOST", "localhost.", "LocalHost.", "ｌocalhost"],
  "xn--mnchen-3ya.example": ["münchen.example", "MÜNCHEN.example.", "mu\u0308nchen.example"],
  "my_service": ["MY_Service"],
};

for (const [host, spellings] of Object.entries(SPELLINGS)) {
  Deno.test(`canonicalHost() reads every spelling of ${host}`, () => {
    for (const text of [host, ...spellings]) assertEquals(canonicalHost(text)?.text, host, text);
  });
}

Deno.test("canonicalHost() rejects what is no host, or what a URL would read as another", () => {
  const wrong = [
    "",
    ".",
    "a b",
    "127.0.0.1 x",
    "a\tb",
    "a\nb",
    "evil@127.0.0.1",
    "a/b",
    "a?b",
    "a#b",
  ];
  const more = [
    "a\\b",
    "127.0.0.%31",
    "256.1.1.1",
    "1.2.3.08",
    "1.2.3.4.5",
    "[::1]",
    "::1::",
    "a:80",
  ];
  for (const text of [...wrong, ...more, "::1%", "::1%a%b", "a%b"]) {
    assertEquals(canonicalHost(text), null, text);
  }
});

Deno.test("canonicalHost() tells addresses from names and keeps the zone", () => {
  assertEquals(canonicalHost("0x7f.1")?.isNumeric, true);
  assertEquals(canonicalHost("example.com")?.isNumeric, false);
  assertEquals(canonicalHost("fe80::1%eth0"), { isNumeric: true, text: "fe80::1", zone: "%eth0" });
});

Deno.test("isOfThisMachine() knows loopback, link-local and wildcard addresses", () => {
  const own = ["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "::", "::1", "fe80::1"];
  const others = ["10.0.0.1", "192.168.1.1", "1.27.0.1", "128.0.0.1", "2001:db8::1", "fec0::1"];
  for (const address of own) assertEquals(isOfThisMachine(address), true, address);
  for (const address of others) assertEquals(isOfThisMachine(address), false, address);
});

Deno.test("destinationOf() takes the wildcards for the machine, as the system does", () => {
  assertEquals(["0.0.0.0", "::", "10.0.0.1"].map(destinationOf), ["127.0.0.1", "::1", "10.0.0.1"]);
});

Deno.test("parseNetEntry() reads what Deno's flag takes, and IPv6 without brackets", () => {
  assertEquals(parseNetEntry("DB.example."), { host: "db.example", port: null });
  assertEquals(parseNetEntry("db.example:5432"), { host: "db.example", port: 5432 });
  assertEquals(parseNetEntry("[::1]:0"), { host: "::1", port: 0 });
  assertEquals(parseNetEntry("[::ffff:10.0.0.1]"), { host: "10.0.0.1", port: null });
  assertEquals(parseNetEntry("0:0::1"), { host: "::1", port: null });
  for (const text of ["", ":80", "a:", "a:x", "a:65536", "a:1:2", "*.example.com", "10.0.0.0/8"]) {
    assertEquals(parseNetEntry(text), null, text);
  }
});

Deno.test("NetGrant.allows() compares host and port", () => {
  const grant = new NetGrant(["a.example", "b.example:80", "[::1]:443"]);
  assertEquals(grant.allows("a.example", 1), true);
  assertEquals(grant.allows("b.example", 80), true);
  assertEquals(grant.allows("b.example", 81), false);
  assertEquals(grant.allows("b.example", "any"), true);
  assertEquals(grant.allows("::1", 443), true);
  assertEquals(grant.allows("sub.a.example", 1), false);
  assertEquals(new NetGrant(true).allows("x", 1), true);
  assertEquals(new NetGrant(false).allows("x", "any"), false);
});
