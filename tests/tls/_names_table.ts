/** Certificates, the hosts that they were tried for, and what CPython 3.13 (OpenSSL 3.0) said. */
export interface CertificateRow {
  /** Its alternative names, as `openssl` takes them. */
  readonly names: readonly string[];
  /** Its common name, if any. */
  readonly commonName?: string;
  /** The hosts it was accepted for. */
  readonly accepted: readonly string[];
  /** The hosts it was refused for. */
  readonly refused: readonly string[];
}

/** Measured; `names_test.ts` of tests/peers measures it again. */
export const TABLE: readonly CertificateRow[] = [
  {
    names: ["DNS:*.example.test"],
    accepted: ["foo.example.test", "FOO.Example.TEST", "*.example.test", "-foo.example.test"],
    refused: ["a.b.example.test", "example.test", "foo.example.test.", "foo_bar.example.test", "x"],
  },
  {
    names: ["DNS:*.example.test"],
    accepted: ["xn--bcher-kva.example.test", "bücher.example.test"],
    refused: [".example.test", "..example.test", "example"],
  },
  {
    names: ["DNS:foo.example.test"],
    accepted: ["foo.example.test", "FOO.example.test"],
    refused: ["foo.example.test.", "fooo.example.test", "foo..example.test", " foo.example.test"],
  },
  {
    names: ["DNS:foo.example.test."],
    accepted: ["foo.example.test."],
    refused: ["foo.example.test"],
  },
  {
    names: ["DNS:f*.example.test"],
    accepted: ["f*.example.test"],
    refused: ["foo.example.test", "f.example.test"],
  },
  { names: ["DNS:*o.example.test"], accepted: [], refused: ["foo.example.test"] },
  { names: ["DNS:f*o.example.test"], accepted: [], refused: ["foo.example.test"] },
  { names: ["DNS:xn--*.example.test"], accepted: [], refused: ["xn--bcher-kva.example.test"] },
  { names: ["DNS:*"], accepted: ["*"], refused: ["foo", "foo.test"] },
  { names: ["DNS:*.test"], accepted: [], refused: ["foo.test", "a.b.test", "test"] },
  { names: ["DNS:*.com"], accepted: [], refused: ["foo.com"] },
  { names: ["DNS:*.xn--p1ai"], accepted: [], refused: ["foo.xn--p1ai"] },
  { names: ["DNS:*.example.xn--p1ai"], accepted: ["foo.example.xn--p1ai"], refused: [] },
  {
    names: ["DNS:foo.*.test"],
    accepted: ["foo.*.test"],
    refused: ["foo.example.test"],
  },
  { names: ["DNS:*.*.test"], accepted: [], refused: ["foo.example.test"] },
  { names: ["DNS:*.*.example.test"], accepted: [], refused: ["a.b.example.test"] },
  { names: ["DNS:.example.test"], accepted: [], refused: ["foo.example.test", "example.test"] },
  { names: ["DNS:*.-foo.test"], accepted: [], refused: ["a.-foo.test"] },
  { names: ["DNS:*.foo-.test"], accepted: [], refused: ["a.foo-.test"] },
  { names: ["DNS:*.f_o.test"], accepted: [], refused: ["a.f_o.test"] },
  {
    names: ["DNS:*.example.test."],
    accepted: [],
    refused: ["foo.example.test.", "foo.example.test"],
  },
  { names: ["DNS:foo_bar.example.test"], accepted: ["foo_bar.example.test"], refused: [] },
  {
    names: ["DNS:xn--bcher-kva.test"],
    accepted: ["bücher.test", "BÜCHER.test", "xn--bcher-kva.test", "XN--BCHER-KVA.test"],
    refused: ["bucher.test"],
  },
  {
    names: ["DNS:*.xn--bcher-kva.test"],
    accepted: ["www.bücher.test", "www.xn--bcher-kva.test"],
    refused: ["bücher.test"],
  },
  { names: ["DNS:localhost"], accepted: ["localhost"], refused: ["localhost."] },
  {
    names: ["DNS:a.test", "DNS:b.test", "DNS:*.c.test"],
    accepted: ["a.test", "b.test"],
    refused: ["c.test", "x.c.test.test"],
  },
  { names: ["DNS:127.0.0.1"], accepted: [], refused: ["127.0.0.1"] },
  { names: ["DNS:*.0.0.1"], accepted: [], refused: ["127.0.0.1"] },
  {
    names: ["IP:127.0.0.1"],
    accepted: ["127.0.0.1"],
    refused: ["127.1", "::ffff:127.0.0.1", "localhost", "127.0.0.1.", "0x7f.0.0.1", "2130706433"],
  },
  {
    names: ["IP:::1"],
    accepted: ["::1", "0:0:0:0:0:0:0:1", "::0001"],
    refused: ["[::1]", "::2", "::1%lo"],
  },
  { names: ["IP:fe80::1"], accepted: ["fe80::1", "FE80::1"], refused: ["fe80::1%lo"] },
  { names: ["IP:::ffff:1.2.3.4"], accepted: ["::ffff:1.2.3.4"], refused: ["1.2.3.4"] },
  {
    names: ["IP:127.0.0.1", "DNS:foo.test"],
    commonName: "bar.test",
    accepted: ["foo.test", "127.0.0.1"],
    refused: ["bar.test"],
  },
  { names: ["IP:127.0.0.1"], commonName: "bar.test", accepted: ["bar.test"], refused: [] },
  {
    names: ["email:a@foo.test"],
    commonName: "bar.test",
    accepted: ["bar.test"],
    refused: ["foo.test"],
  },
  {
    names: ["URI:https://foo.test/"],
    commonName: "bar.test",
    accepted: ["bar.test"],
    refused: ["foo.test"],
  },
  {
    names: ["DNS:foo.test"],
    commonName: "bar.test",
    accepted: ["foo.test"],
    refused: ["bar.test"],
  },
  {
    names: [],
    commonName: "bar.test",
    accepted: ["bar.test", "BAR.test"],
    refused: ["a.bar.test"],
  },
  { names: [], commonName: "*.bar.test", accepted: ["a.bar.test"], refused: ["bar.test"] },
  { names: [], commonName: "127.0.0.1", accepted: [], refused: ["127.0.0.1"] },
  // One name with a comma in it, and not two.
  { names: ["DNS:a, DNS:evil.test"], accepted: [], refused: ["evil.test", "a"] },
];
