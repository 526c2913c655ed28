// Whom TLS trusts, what it tells of a connection, and what its options are.
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  type DenoEventLoop,
  type Future,
  InvalidStateError,
  isConnectionError,
  isOSError,
  type ProtocolLike,
  type Server,
  type TlsInfo,
  type TlsOptions,
  type Transport,
} from "../../../mod.ts";
import { errorOf, neverCalled, passIterations, Recorder, runOn, type Stage } from "../_backend.ts";
import { host } from "../_host.ts";
import { authority, certificate, tls, trusting } from "../_tls.ts";

function test(name: string, main: (stage: Stage) => Coroutine<void>): void {
  Deno.test(name, () => runOn(tls, main));
}

function serve(
  loop: DenoEventLoop,
  options: TlsOptions = {},
  factory: () => ProtocolLike = () => ({}),
): Future<Server<Deno.NetAddr>> {
  return loop.createServer(factory, {
    hostname: "127.0.0.1",
    tls: { ...certificate("server"), ...options },
  });
}

function portOf(server: Server<Deno.NetAddr>): number {
  return server.address.port;
}

function* close(server: Server): Coroutine<void> {
  server.close();
  yield* server.waitClosed();
}

function tlsInfoOf(transport: Transport): TlsInfo {
  const info = transport.getExtraInfo("tls");
  assert(info !== undefined);
  return info;
}

/** Connects with each side's options; gives what both sides tell of the connection. */
function* secure(
  loop: DenoEventLoop,
  clientOptions: TlsOptions,
  serverOptions: TlsOptions,
): Coroutine<{ client: TlsInfo; server: TlsInfo }> {
  const made = loop.createFuture<TlsInfo>();
  const server = yield* serve(loop, serverOptions, () => ({
    connectionMade: (transport) => made.setResult(tlsInfoOf(transport)),
  }));
  const [transport] = yield* loop.createConnection(() => ({}), {
    port: portOf(server),
    tls: { ...trusting, ...clientOptions },
  });
  const client = tlsInfoOf(transport);
  const infos = { client, server: yield* made };
  transport.close();
  yield* close(server);
  return infos;
}

/** Connects where it must fail, before any protocol is created on this side; gives the error. */
function* refusalOf(
  loop: DenoEventLoop,
  clientOptions: TlsOptions,
  serverOptions?: TlsOptions,
  serverHostname?: string,
): Coroutine<Error & { code?: string }> {
  const server = yield* serve(loop, serverOptions ?? {});
  const error = yield* errorOf(loop.createConnection(neverCalled, {
    port: portOf(server),
    tls: clientOptions,
    ...serverHostname === undefined ? {} : { serverHostname },
  }));
  yield* close(server);
  return error;
}

test("getExtraInfo() tells the version, the cipher and the certificate", function* ({ loop }) {
  const { client, server } = yield* secure(loop, {}, {});

  assertEquals(client.version, "TLSv1.3");
  assertStringIncludes(client.cipher, "TLS_");
  assertEquals(client.alpnProtocol, null);
  const peer = client.peerCertificate;
  assert(peer !== null);
  assertEquals(peer.subject, { CN: "localhost" });
  assertEquals(peer.issuer, { CN: "Test authority" });
  const names = peer.subjectAltName.split(", ");
  assertEquals(names.filter((name) => /^DNS:localhost$|^IP Address:127/.test(name)).length, 2);
  assertEquals(peer.validTo, "Jan  1 00:00:00 2120 GMT");
  assertEquals(peer.raw[0], 0x30);
  assertEquals(server, { ...client, peerCertificate: null });
});

test("ALPN picks the first protocol of the server that the client has too", function* ({ loop }) {
  const both = yield* secure(loop, { alpnProtocols: ["a", "b", "c"] }, {
    alpnProtocols: ["x", "c", "b"],
  });
  assertEquals([both.client.alpnProtocol, both.server.alpnProtocol], ["c", "c"]);
  const one = yield* secure(loop, {}, { alpnProtocols: ["x"] });
  assertEquals([one.client.alpnProtocol, one.server.alpnProtocol], [null, null]);
});

test("a client and a server without a common protocol refuse each other", function* ({ loop }) {
  const clientOptions = { ...trusting, alpnProtocols: ["a"] };
  const error = yield* refusalOf(loop, clientOptions, { alpnProtocols: ["b"] });
  assertInstanceOf(error, Error);
});

test("what no handshake can offer is refused at the call, on both sides", function* ({ loop }) {
  const refused: [TlsOptions, string][] = [
    [{ alpnProtocols: ["h2", ""] }, "Cannot offer a protocol in alpnProtocols: it takes 0 bytes"],
    [{ alpnProtocols: ["x".repeat(300)] }, "it takes 300 bytes, not 1 to 255"],
    [{ alpnProtocols: ["é".repeat(128)] }, "it takes 256 bytes, not 1 to 255"],
    [
      { alpnProtocols: Array(256).fill("x".repeat(255)) },
      "it takes 65536 bytes, not at most 65535",
    ],
    [{ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }, "minVersion is above maxVersion"],
  ];
  const server = yield* serve(loop);
  for (const [options, message] of refused) {
    for (
      const opened of [
        serve(loop, options),
        loop.createConnection(neverCalled, {
          port: portOf(server),
          tls: { ...trusting, ...options },
        }),
      ]
    ) {
      const error = yield* errorOf(opened);
      assertInstanceOf(error, RangeError);
      assertStringIncludes(error.message, message);
    }
  }
  yield* close(server);
});

test("the longest protocol that can be offered is agreed on", function* ({ loop }) {
  const alpnProtocols = ["x".repeat(255), "é"];
  const { client } = yield* secure(loop, { alpnProtocols }, { alpnProtocols });
  assertEquals(client.alpnProtocol, alpnProtocols[0]);
});

test("minVersion and maxVersion limit the version", function* ({ loop }) {
  const old = yield* secure(loop, { maxVersion: "TLSv1.2" }, {});
  assertEquals([old.client.version, old.server.version], ["TLSv1.2", "TLSv1.2"]);
  yield* refusalOf(loop, { ...trusting, maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" });
});

test("data passes with TLS 1.2 as well", function* ({ loop }) {
  const peer = new Recorder(loop);
  const server = yield* serve(loop, { maxVersion: "TLSv1.2" }, () => peer);
  const [transport] = yield* loop.createConnection(() => ({}), {
    port: portOf(server),
    tls: trusting,
  });
  transport.write(new Uint8Array(100_000));
  transport.close();
  yield* peer.lost;
  assertEquals(peer.size, 100_000);
  assertEquals(peer.log, ["made", "data", "eof", "lost"]);
  yield* close(server);
});

test("a server gets the certificate of a client, where it asks for it", function* ({ loop }) {
  const asking = { requestClientCert: true, ...trusting };
  const { server } = yield* secure(loop, certificate("client"), asking);
  assertEquals(server.peerCertificate?.subject, { CN: "Test client" });
  const unasked = yield* secure(loop, certificate("client"), {});
  assertEquals(unasked.server.peerCertificate, null);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a server refuses clients that it does not trust, with ${version}`, function* ({ loop }) {
    for (const shown of [{}, certificate("untrusted_client")]) {
      const asking = { ...certificate("server"), requestClientCert: true, ...trusting };
      const server = yield* loop.createServer(neverCalled, {
        hostname: "127.0.0.1",
        tls: { ...asking, minVersion: version, maxVersion: version },
      });
      const client = new Recorder(loop);
      // With 1.3, a client is done before the server has seen its certificate.
      try {
        yield* loop.createConnection(() => client, {
          port: portOf(server),
          tls: { ...trusting, ...shown },
        });
        yield* client.lost;
      } catch (error) {
        assertInstanceOf(error, Error);
      }
      assertEquals(client.size, 0);
      yield* close(server);
    }
  });
}

test("a client refuses a server that no trusted authority has signed", function* ({ loop }) {
  for (const options of [true as const, { caCerts: [authority("stranger")] }, { caCerts: [] }]) {
    const error = yield* refusalOf(loop, options as TlsOptions);
    assertInstanceOf(error, Deno.errors.InvalidData);
    assertStringIncludes(error.message, "no trusted authority has signed the certificate");
    // Deno's engine does not tell one from the other, nor from what has expired.
    assertEquals(
      error.code,
      host.isNative ? "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" : "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    );
    assertInstanceOf(error.cause, Error);
  }
});

test("a client refuses it again, however often it has met it", function* ({ loop }) {
  const server = yield* serve(loop);
  for (const tls of [trusting, true as const, trusting, true as const]) {
    const connecting = loop.createConnection(() => ({}), { port: portOf(server), tls });
    if (tls === true) assertInstanceOf(yield* errorOf(connecting), Deno.errors.InvalidData);
    else {
      const [transport] = yield* connecting;
      transport.close();
    }
  }
  yield* close(server);
});

test("a client refuses a certificate that has expired", function* ({ loop }) {
  const error = yield* refusalOf(loop, trusting, certificate("expired"));
  assertInstanceOf(error, Deno.errors.InvalidData);
  assertStringIncludes(error.message, host.saysExpired);
});

test("a client refuses the certificate of another host", function* ({ loop }) {
  const error = yield* refusalOf(loop, trusting, certificate("wrong_host"));
  assertInstanceOf(error, Deno.errors.InvalidData);
  assertStringIncludes(error.message, "the certificate of the peer is for another host");
  assertEquals(error.code, "ERR_TLS_CERT_ALTNAME_INVALID");

  for (const name of ["other.example", "127.0.0.2", "::2", "sub.localhost"]) {
    yield* refusalOf(loop, trusting, {}, name);
  }
});

test("serverHostname says who the server must be", function* ({ loop }) {
  const server = yield* serve(loop);
  for (const serverHostname of ["localhost", "LOCALHOST", "127.0.0.1", "::1"]) {
    const [transport] = yield* loop.createConnection(() => ({}), {
      port: portOf(server),
      tls: trusting,
      serverHostname,
    });
    transport.close();
  }
  yield* close(server);
});

test("unsafelyDisableHostnameVerification accepts any host, but not anybody", function* ({ loop }) {
  const careless = { unsafelyDisableHostnameVerification: true };
  yield* secure(loop, careless, certificate("wrong_host"));
  const error = yield* refusalOf(loop, { ...careless, caCerts: [authority("stranger")] });
  assertInstanceOf(error, Deno.errors.InvalidData);
  yield* refusalOf(loop, { ...careless, ...trusting }, certificate("expired"));
  // Then the host need not be known at all.
  const server = yield* serve(loop);
  const [transport] = yield* loop.createConnection(() => ({}), {
    port: portOf(server),
    tls: { ...careless, ...trusting },
    serverHostname: "",
  });
  transport.close();
  yield* close(server);
});

test("a client of a server without TLS fails with InvalidData", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({
    connectionMade: (transport) => transport.write(new TextEncoder().encode("220 hello\r\n")),
  }), { hostname: "127.0.0.1" });
  const connecting = loop.createConnection(neverCalled, { port: portOf(server), tls: true });
  assertInstanceOf(yield* errorOf(connecting), Deno.errors.InvalidData);
  yield* close(server);
});

test("a client fails with UnexpectedEof when the server hangs up", function* ({ loop }) {
  const server = yield* loop.createServer(() => ({
    connectionMade: (transport) => transport.close(),
  }), { hostname: "127.0.0.1" });
  const connecting = loop.createConnection(neverCalled, { port: portOf(server), tls: true });
  const error = yield* errorOf(connecting);
  assertInstanceOf(error, Deno.errors.UnexpectedEof);
  assertEquals([isOSError(error), isConnectionError(error)], [true, true]);
  yield* close(server);
});

test("a server serves on after garbage, and tells of it in debug mode", function* (stage) {
  const { loop } = stage;
  loop.setDebug(true);
  const server = yield* serve(loop, {}, () => ({}));
  const client = new Recorder(loop);
  const [plain] = yield* loop.createConnection(() => client, { port: portOf(server) });
  plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  yield* client.lost;
  const [report] = stage.takeReports();
  assertEquals(report?.message, "The handshake of a connection has failed");
  assertInstanceOf(report?.exception, Deno.errors.InvalidData);

  const [transport] = yield* loop.createConnection(() => ({}), {
    port: portOf(server),
    tls: trusting,
  });
  transport.close();
  yield* close(server);
});

test("a server drops a silent client in time, and waits for that", function* ({ loop }) {
  const server = yield* loop.createServer(neverCalled, {
    hostname: "127.0.0.1",
    tls: certificate("server"),
    tlsHandshakeTimeout: 0.02,
  });
  const client = new Recorder(loop);
  yield* loop.createConnection(() => client, { port: portOf(server) });
  yield* passIterations(3);
  yield* close(server);
  yield* client.lost;
});

test("closeClients() and abortClients() end handshakes too", function* ({ loop }) {
  for (const end of ["closeClients", "abortClients"] as const) {
    const server = yield* serve(loop, {}, neverCalled);
    const client = new Recorder(loop);
    yield* loop.createConnection(() => client, { port: portOf(server) });
    while (!client.lost.done()) {
      server[end]();
      yield;
    }
    yield* close(server);
  }
});

test("cancelling createConnection() in the handshake hangs up", function* ({ loop }) {
  const peer = new Recorder(loop);
  const server = yield* loop.createServer(() => peer, { hostname: "127.0.0.1" });
  const connecting = loop.createConnection(neverCalled, { port: portOf(server), tls: true });
  yield* peer.received(10);
  connecting.cancel();
  assertInstanceOf(yield* errorOf(connecting), CancelledError);
  yield* peer.lost;
  yield* close(server);
});

test("connectAcceptedSocket() serves TLS on a connection made elsewhere", function* ({ loop }) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = new Recorder(loop);
  const accepted = listener.accept();
  const connecting = loop.createConnection(() => client, {
    port: listener.addr.port,
    tls: trusting,
  });
  const waiter = loop.createFuture<Deno.Conn>();
  accepted.then((connection) => waiter.setResult(connection));
  const sock = yield* waiter;
  const [transport] = yield* loop.connectAcceptedSocket(() => ({}), {
    sock,
    tls: certificate("server"),
  });
  yield* connecting;
  transport.write(new TextEncoder().encode("hello"));
  transport.close();
  yield* client.lost;
  assertEquals(client.text(), "hello");
  listener.close();
});

test("createConnection() secures a sock, whose host it must be told", function* ({ loop }) {
  const server = yield* serve(loop);
  const connection = loop.createFuture<Deno.TcpConn>();
  Deno.connect({ port: portOf(server) }).then((sock) => connection.setResult(sock));
  const sock = yield* connection;
  assertInstanceOf(
    yield* errorOf(loop.createConnection(neverCalled, { sock, tls: trusting })),
    TypeError,
  );
  const [transport] = yield* loop.createConnection(() => ({}), {
    sock,
    tls: trusting,
    serverHostname: "localhost",
  });
  transport.close();
  yield* close(server);
});

test("TLS options that cannot work are refused before anything is opened", function* ({ loop }) {
  const { cert, key } = certificate("server");
  const servers: [unknown, string][] = [
    [true, "Cannot secure a server: its TLS options lack a cert or a key"],
    [{ cert }, "Cannot secure a server: its TLS options lack a cert or a key"],
    [{ cert: "none", key }, "Cannot use a certificate: what is in cert is not one in PEM"],
    [{ cert, key: "none" }, "what is in key is not a private key in PEM"],
    [{ cert, key: certificate("client").key }, "the key is not the one of cert"],
    [{ cert, key, requestClientCert: true }, "the TLS options lack caCerts"],
  ];
  for (const [tls, message] of servers) {
    const error = yield* errorOf(loop.createServer(neverCalled, { tls: tls as TlsOptions }));
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, message);
  }
  const clients: [object, string][] = [
    [{ tls: { caCerts: ["none"] } }, "what is in caCerts is not one in PEM"],
    [{ tls: { cert } }, "its cert and its key come only together"],
    [{ serverHostname: "a" }, "Cannot use serverHostname without TLS: tls is missing"],
    [{ tlsHandshakeTimeout: 1 }, "Cannot use tlsHandshakeTimeout without TLS: tls is missing"],
    [{ tlsShutdownTimeout: 1 }, "Cannot use tlsShutdownTimeout without TLS: tls is missing"],
    [{ tls: true, serverHostname: "" }, "serverHostname is missing"],
  ];
  for (const [options, message] of clients) {
    const error = yield* errorOf(loop.createConnection(neverCalled, { port: 1, ...options }));
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, message);
  }
  for (const name of ["tlsHandshakeTimeout", "tlsShutdownTimeout"]) {
    const options = { port: 1, tls: true as const, [name]: 0 };
    const error = yield* errorOf(loop.createConnection(neverCalled, options));
    assertInstanceOf(error, RangeError);
    assertEquals(error.message, `Cannot set ${name} as it must be above 0: it is 0`);
  }
});

Deno.test("closing the loop ends handshakes", async () => {
  const loop = tls.createLoop();
  await loop.runUntilComplete(function* () {
    const peer = new Recorder(loop);
    const server = yield* loop.createServer(() => peer, { hostname: "127.0.0.1" });
    loop.createConnection(neverCalled, { port: portOf(server), tls: true });
    yield* peer.received(10);
  });
  loop.close();
  assertInstanceOf(await loop.runForever().catch((error) => error), InvalidStateError);
});
