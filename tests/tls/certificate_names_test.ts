// Which hosts a certificate is for. The table was measured on CPython 3.13.
import { assertEquals, assertThrows } from "@std/assert";
import {
  areFor,
  asciiHost,
  bytesOfAddress,
  describeAlternativeNames,
  describeNames,
  namesIn,
} from "../../transports/tls/certificate_names.ts";
import { certificateFor, der } from "./_der.ts";
import { TABLE } from "./_names_table.ts";

/** Whether a client that wants `host` takes the certificate. */
function accepts(certificate: Uint8Array, host: string): boolean {
  const name = asciiHost(host);
  return name !== null && areFor(namesIn(certificate), name);
}

for (const row of TABLE) {
  const label = [...row.names, ...row.commonName === undefined ? [] : [`CN=${row.commonName}`]];
  Deno.test(`areFor() decides as CPython on a certificate for ${label.join(" and ")}`, () => {
    const certificate = certificateFor(row);
    for (const host of row.accepted) assertEquals([host, accepts(certificate, host)], [host, true]);
    for (const host of row.refused) assertEquals([host, accepts(certificate, host)], [host, false]);
  });
}

Deno.test("asciiHost() takes what is a host, in ASCII", () => {
  const hosts: [host: string, ascii: string | null][] = [
    ["foo.test", "foo.test"],
    ["Foo.Test.", "Foo.Test."],
    ["bücher.test", "xn--bcher-kva.test"],
    ["::1", "::1"],
    ["127.0.0.1", "127.0.0.1"],
    ["", null],
    [".", null],
    [".foo.test", null],
    ["foo..test", null],
    ["foo test", null],
    ["foo.test\0.evil.test", null],
    ["bücher.test/evil.test", null],
    ["bücher@evil.test", null],
    ["[::1]", null],
    ["::1%lo", null],
    ["foo.test:443", null],
  ];
  for (const [host, ascii] of hosts) assertEquals([host, asciiHost(host)], [host, ascii]);
});

Deno.test("bytesOfAddress() gives the bytes of addresses in numbers, and null for names", () => {
  assertEquals(bytesOfAddress("10.0.0.255"), new Uint8Array([10, 0, 0, 255]));
  assertEquals(bytesOfAddress("1::2:300")?.join(), "0,1,0,0,0,0,0,0,0,0,0,0,0,2,3,0");
  assertEquals(bytesOfAddress("::")?.join(), Array(16).fill(0).join());
  assertEquals(bytesOfAddress("1:2:3:4:5:6:7:8")?.join(), "0,1,0,2,0,3,0,4,0,5,0,6,0,7,0,8");
  for (const name of ["256.0.0.1", "1.2.3", "1:2", "x::", ":::", "", "localhost"]) {
    assertEquals(bytesOfAddress(name), null);
  }
});

Deno.test("describeNames() tells names and addresses", () => {
  const describe = (names: string[], commonName?: string) =>
    describeNames(namesIn(certificateFor({
      names,
      ...commonName === undefined ? {} : { commonName },
      accepted: [],
      refused: [],
    })));
  assertEquals(
    describe(["DNS:a.test", "IP:1.2.3.4", "IP:::1"]),
    '"a.test", 1.2.3.4, 0:0:0:0:0:0:0:1',
  );
  assertEquals(describe(["DNS:a, DNS:b"], "c"), '"a, DNS:b"');
  assertEquals(describe([], "c"), '"c"');
  assertEquals(describe([]), "nobody");
});

Deno.test("describeAlternativeNames() writes each name so that it looks like one", () => {
  const describe = (...names: string[]) =>
    describeAlternativeNames(certificateFor({ names, accepted: [], refused: [] }));
  assertEquals(
    describe("DNS:*.a.test", "IP:1.2.3.4", "IP:::1", "URI:http://a.test/?b=c", "email:me@a.test"),
    "DNS:*.a.test, IP Address:1.2.3.4, IP Address:0:0:0:0:0:0:0:1, URI:http://a.test/?b=c, " +
      "email:me@a.test",
  );
  assertEquals(describe(), "");
  for (
    const forged of [
      "a.test, DNS:b.test",
      "a.test, DNS:b.test, x",
      'a.test", DNS:b.test, DNS:"x',
      "a.test,DNS:b.test",
      "a.test\nDNS:b.test",
      "a.test\0.b.test",
      'a\\", DNS:b.test',
      "ä.test",
      "",
    ]
  ) {
    const text = describe(`DNS:${forged}`);
    assertEquals(text.includes(","), false);
    assertEquals(JSON.parse(text.slice("DNS:".length)), forged);
    assertEquals(describe("DNS:c.test", `DNS:${forged}`).split(", "), ["DNS:c.test", text]);
  }
});

Deno.test("namesIn() throws on what is no certificate, wherever it is cut off", () => {
  const row = TABLE.find(({ names }) => names.length === 3);
  const certificate = certificateFor(row ?? { names: [], accepted: [], refused: [] });
  for (let size = 0; size < certificate.length; size += 1) {
    assertThrows(() => namesIn(certificate.subarray(0, size)), RangeError, "Cannot read a certif");
  }
  assertThrows(() => namesIn(new Uint8Array(der(0x31))), RangeError);
  assertEquals(namesIn(certificate).dnsNames, ["a.test", "b.test", "*.c.test"]);
});
