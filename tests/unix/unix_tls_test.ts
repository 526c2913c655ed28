// TLS over Unix sockets.
import { assertEquals, assertInstanceOf } from "@std/assert";
import { openUnixConnection, startUnixServer } from "../../mod.ts";
import { errorOf, runOn, utf8 } from "../transports/_backend.ts";
import { testStartTls } from "../transports/_start_tls_suite.ts";
import { testStreams } from "../transports/_stream_suite.ts";
import { certificate, trusting } from "../transports/_tls.ts";
import { freshPath, unix } from "./_unix.ts";

const backend: typeof unix = {
  ...unix,
  name: "TLS over Unix",
  endsWhole: true,
  serve: (loop, factory, options) =>
    loop.createUnixServer(factory, { path: freshPath(), tls: certificate("server"), ...options }),
  connect: (loop, address, factory) =>
    loop.createUnixConnection(factory, {
      path: address.path,
      tls: trusting,
      serverHostname: "localhost",
    }),
};

testStartTls(unix);
testStreams(backend);

Deno.test("openUnixConnection() and startUnixServer() take the options of TLS", () =>
  runOn(unix, function* () {
    const path = freshPath();
    const server = yield* startUnixServer(function* (reader, writer) {
      writer.write(yield* reader.readLine());
      writer.close();
    }, { path, tls: certificate("server") });
    const [reader, writer] = yield* openUnixConnection({
      path,
      tls: trusting,
      serverHostname: "localhost",
    });
    writer.write(utf8("hello\n"));
    assertEquals(yield* reader.readLine(), utf8("hello\n"));
    writer.close();
    // A path is no host: the client must be told one.
    assertInstanceOf(yield* errorOf(openUnixConnection({ path, tls: trusting })), TypeError);
    server.close();
    yield* server.waitClosed();
  }));
