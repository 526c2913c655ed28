// What TLS by OpenSSL has and Deno's has not.
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  type Coroutine,
  DenoEventLoop,
  type Future,
  type TlsIdentity,
  type TlsInfo,
  type TlsOptions,
  type Transport,
} from "../../mod.ts";
import { newNativeEventLoop } from "../../transports/native/mod.ts";
import { errorOf, neverCalled, Recorder, utf8 } from "../transports/_backend.ts";
import { authority, certificate, trusting } from "../transports/_tls.ts";
import { testNative } from "./_test_native.ts";

/** The key of the server, encrypted in one of two formats. */
function encryptedKey(format: "encrypted" | "traditional"): string {
  const url = new URL(`../transports/certificates/server_${format}.key`, import.meta.url);
  return Deno.readTextFileSync(url);
}

/** What both ends tell of a connection, and what has come of it. */
interface Secured {
  client: TlsInfo;
  server: TlsInfo;
}

interface Sides {
  client?: TlsOptions;
  server?: TlsOptions;
  serverHostname?: string;
}

/** Connects, says a word in each direction, and closes; gives what both ends tell. */
function* secure(loop: DenoEventLoop, sides: Sides): Coroutine<Secured> {
  const peer = new Recorder(loop);
  const server = yield* loop.createServer(() => peer, {
    hostname: "127.0.0.1",
    tls: { ...certificate("server"), ...sides.server },
  });
  const client = new Recorder(loop);
  try {
    const [transport] = yield* loop.createConnection(() => client, {
      port: server.address.port,
      tls: { ...trusting, ...sides.client },
      serverHostname: sides.serverHostname ?? "localhost",
    });
    transport.write(utf8("ping"));
    yield* peer.received(4);
    peer.transport?.write(utf8("pong"));
    yield* client.received(4);
    const [ours, theirs] = [transport, peer.transport].map((end) => end?.getExtraInfo("tls"));
    if (!ours || !theirs) throw new Error("Cannot compare both ends: one has no TLS");
    transport.close();
    yield* client.lost;
    yield* peer.lost;
    return { client: ours, server: theirs };
  } finally {
    server.close();
    yield* server.waitClosed();
  }
}

/** Connects where that must fail; gives the errors of both ends. */
function* refusal(loop: DenoEventLoop, sides: Sides): Coroutine<{ client: Error; server: Error }> {
  const reports: Error[] = [];
  loop.setDebug(true);
  loop.setExceptionHandler((_loop, { exception }) => void reports.push(exception as Error));
  const server = yield* loop.createServer(neverCalled, {
    hostname: "127.0.0.1",
    tls: { ...certificate("server"), ...sides.server },
  });
  const client = new Recorder(loop);
  let error: Error | null = null;
  try {
    yield* loop.createConnection(() => client, {
      port: server.address.port,
      tls: { ...trusting, ...sides.client },
      serverHostname: sides.serverHostname ?? "localhost",
    });
    // With 1.3 a client is done before the server has seen its certificate.
    error = yield* client.lost;
  } catch (thrown) {
    error = thrown as Error;
  }
  server.close();
  yield* server.waitClosed();
  const [told] = reports;
  assert(error !== null && told !== undefined);
  return { client: error, server: told };
}

testNative("TLS takes an encrypted key with its password, in both formats", function* (loop) {
  for (const format of ["encrypted", "traditional"] as const) {
    const server = { key: encryptedKey(format), password: "open sesame" };
    const { client } = yield* secure(loop, { server });
    assertEquals(client.peerCertificate?.subject, { CN: "localhost" });
  }
  // One that is not encrypted needs none.
  yield* secure(loop, { server: { password: "open sesame" } });
});

testNative("TLS says what is wrong with a key, a password or ciphers", function* (loop) {
  const { cert } = certificate("server");
  const key = encryptedKey("encrypted");
  const refused: [TlsOptions, string][] = [
    [{ cert, key }, "the key is encrypted, and password is missing"],
    [{ cert, key, password: "close" }, "the password is not the one of the key"],
    [{ cert, key, password: "" }, "the password is not the one of the key"],
    [{ cert, key: "-----BEGIN ENCRYPTED" }, "the key is encrypted, and password is missing"],
    [{ cert: `${cert}${cert.slice(0, 300)}`, key }, "what is in cert is not one in PEM"],
    [{ cert: "", key }, "what is in cert is not one in PEM"],
    [{ cert, key, password: "x".repeat(1024) }, "it must take at most 1023 bytes"],
    [{ cert, key, password: "open\0sesame" }, "it must take at most 1023 bytes, without a 0"],
    [{ ...certificate("server"), ciphers: "" }, 'Cannot use the ciphers "": OpenSSL'],
    [{ ...certificate("server"), ciphers: "TLS_NONE" }, 'Cannot use the ciphers "TLS_NONE"'],
    [{ ...certificate("server"), ciphers: "NONE" }, 'Cannot use the ciphers "NONE"'],
  ];
  for (const [tls, message] of refused) {
    const error = yield* errorOf(loop.createServer(neverCalled, { tls }));
    assertStringIncludes(error.message, message);
  }
});

testNative("sni chooses the certificate by the name that a client asks for", function* (loop) {
  const asked: (string | null)[] = [];
  const identities: Record<string, TlsIdentity> = {
    "elsewhere.example": certificate("wrong_host"),
  };
  const sni = (name: string | null) => {
    asked.push(name);
    return identities[name ?? ""] ?? null;
  };
  const names = ["elsewhere.example", "localhost", "127.0.0.1"];
  const shown: unknown[] = [];
  for (const serverHostname of names) {
    const { client } = yield* secure(loop, { server: { sni }, serverHostname });
    shown.push(client.peerCertificate?.subject.CN);
  }
  assertEquals(shown, ["elsewhere", "localhost", "localhost"]);
  // An address is no name.
  assertEquals(asked, ["elsewhere.example", "localhost", null]);
});

testNative("a server refuses a client for whose name sni throws, and says why", function* (loop) {
  const thrown = new Error("unknown");
  const sni = () => {
    throw thrown;
  };
  const { client, server } = yield* refusal(loop, { server: { sni } });
  assertInstanceOf(client, Deno.errors.InvalidData);
  assertStringIncludes(client.message, 'with the alert "handshake failure"');
  assertEquals((server.cause as Error).cause, thrown);
});

testNative("a server refuses a client if what sni gives cannot be used", function* (loop) {
  const given: [unknown, string][] = [
    [{ cert: "none", key: "none" }, "what is in cert is not one in PEM"],
    [undefined, "expected a cert and a key or null, got undefined"],
    [Promise.resolve(certificate("server")), "expected a cert and a key or null, got"],
  ];
  for (const [identity, message] of given) {
    const sni = () => identity as TlsIdentity;
    const { server } = yield* refusal(loop, { server: { sni } });
    assertStringIncludes(String((server.cause as Error).cause), message);
  }
});

testNative("sni may use other secured connections, in the midst of a handshake", function* (loop) {
  const peer = new Recorder(loop);
  const other = yield* loop.createServer(() => peer, {
    hostname: "127.0.0.1",
    tls: certificate("server"),
  });
  const options = { port: other.address.port, tls: trusting };
  const [log] = yield* loop.createConnection(() => ({}), options);
  const [plain] = yield* loop.createConnection(() => ({}), { port: other.address.port });
  let securing: Future<Transport> | null = null;
  const sni = (name: string | null) => {
    log.write(utf8(name ?? "nobody"));
    securing = loop.startTls(plain, new Recorder(loop), {
      tls: trusting,
      serverHostname: "localhost",
    });
    return certificate("server");
  };
  yield* secure(loop, { server: { sni } });
  yield* peer.received(9);
  assertEquals(peer.text(), "localhost");
  assert(securing !== null);
  const secured = yield* securing as Future<Transport>;
  for (const transport of [log, secured]) transport.close();
  other.close();
  yield* other.waitClosed();
});

Deno.test("a loop with permissions has OpenSSL's TLS too", async () => {
  const loop = newNativeEventLoop({ permissions: { net: ["127.0.0.1"] } });
  await loop.runUntilComplete(function* () {
    yield* secure(loop, { server: { ciphers: "TLS_AES_128_GCM_SHA256" } });
  });
  loop.close();
});

testNative(
  "a server agrees on a protocol under a certificate that sni has chosen",
  function* (loop) {
    const { client, server } = yield* secure(loop, {
      client: { alpnProtocols: ["a", "b"] },
      server: { alpnProtocols: ["b"], sni: () => certificate("server") },
    });
    assertEquals([client.alpnProtocol, server.alpnProtocol], ["b", "b"]);
  },
);

testNative("a server that asks optionally takes clients with no certificate", function* (loop) {
  const server: TlsOptions = { ...trusting, requestClientCert: "optional" };
  const without = yield* secure(loop, { server });
  assertEquals(without.server.peerCertificate, null);
  const shown = yield* secure(loop, { server, client: certificate("client") });
  assertEquals(shown.server.peerCertificate?.subject, { CN: "Test client" });
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  testNative(
    `each side hears from the other why it was refused, with ${version}`,
    function* (loop) {
      const only = { minVersion: version, maxVersion: version };
      const asking: TlsOptions = { ...only, ...trusting, requestClientCert: true };
      const unasked = yield* refusal(loop, { client: only, server: asking });
      assertStringIncludes(unasked.server.message, "peer did not return a certificate");
      const alert = version === "TLSv1.2" ? "handshake failure" : "certificate required";
      assertStringIncludes(unasked.client.message, `has refused it with the alert "${alert}"`);

      for (const requestClientCert of [true, "optional"] as const) {
        const untrusted = yield* refusal(loop, {
          client: { ...only, ...certificate("untrusted_client") },
          server: { ...asking, requestClientCert },
        });
        assertStringIncludes(untrusted.server.message, "no trusted authority has signed");
        assertStringIncludes(untrusted.client.message, 'with the alert "unknown ca"');
      }

      const distrust = yield* refusal(loop, {
        client: { ...only, caCerts: [authority("stranger")] },
        server: only,
      });
      assertStringIncludes(distrust.client.message, "no trusted authority has signed");
      assertStringIncludes(distrust.server.message, 'with the alert "unknown ca"');

      const expired = yield* refusal(loop, {
        client: only,
        server: { ...only, ...certificate("expired") },
      });
      assertStringIncludes(expired.client.message, "the certificate of the peer has expired");
      assertStringIncludes(expired.server.message, 'with the alert "certificate expired"');
    },
  );
}

testNative("a client and a server without a common version or protocol say so", function* (loop) {
  const old = yield* refusal(loop, {
    client: { maxVersion: "TLSv1.2" },
    server: { minVersion: "TLSv1.3" },
  });
  assertStringIncludes(old.client.message, 'with the alert "protocol version"');
  assertStringIncludes(old.server.message, "Cannot secure a connection: unsupported protocol");
  const other = yield* refusal(loop, {
    client: { alpnProtocols: ["a"] },
    server: { alpnProtocols: ["b"] },
  });
  assertStringIncludes(other.client.message, 'with the alert "no application protocol"');
});

testNative("a server with an empty list of protocols agrees on none", function* (loop) {
  const { client } = yield* secure(loop, {
    client: { alpnProtocols: ["a"] },
    server: { alpnProtocols: [] },
  });
  assertEquals(client.alpnProtocol, null);
});

testNative("ciphers limit what is used, of each version by itself", function* (loop) {
  const modern = "TLS_AES_128_GCM_SHA256";
  const former = "ECDHE-ECDSA-AES128-GCM-SHA256";
  for (const ciphers of [modern, `${modern}:${former}`]) {
    const { client } = yield* secure(loop, { server: { ciphers } });
    assertEquals(client.cipher, modern);
  }
  const { client } = yield* secure(loop, {
    client: { maxVersion: "TLSv1.2" },
    server: { ciphers: former },
  });
  assertEquals([client.version, client.cipher], ["TLSv1.2", former]);
});

testNative("an authority in the middle of a chain is trusted, if it is listed", function* (loop) {
  // That of the server has nobody behind it here: it stands for itself.
  const { client } = yield* secure(loop, { client: { caCerts: [certificate("server").cert] } });
  assertEquals(client.version, "TLSv1.3");
});

Deno.test("what only OpenSSL can do is refused by name on Deno's own backend", async () => {
  const loop = new DenoEventLoop();
  await loop.runUntilComplete(function* () {
    const only: [TlsOptions, string][] = [
      [{ password: "x" }, "password"],
      [{ sni: () => null }, "sni"],
      [{ ciphers: "x" }, "ciphers"],
      [{ ...trusting, requestClientCert: "optional" }, 'requestClientCert: "optional"'],
    ];
    for (const [options, name] of only) {
      const tls = { ...certificate("server"), ...options };
      const error = yield* errorOf(loop.createServer(neverCalled, { tls }));
      assertInstanceOf(error, TypeError);
      assertStringIncludes(error.message, `Cannot use ${name} in TLS options`);
      assertStringIncludes(error.message, '"@gyre/asyncio/native"');
    }
  });
  loop.close();
});

testNative("a client is told that sni is for servers", function* (loop) {
  const tls = { sni: () => null };
  const error = yield* errorOf(loop.createConnection(neverCalled, { port: 1, tls }));
  assertStringIncludes(error.message, "Cannot use sni for a client");
});
