import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  type Coroutine,
  type DenoEventLoop,
  type Future,
  InvalidStateError,
  type ProtocolLike,
  type Server,
  StreamReader,
  StreamReaderProtocol,
  StreamWriter,
  type Transport,
} from "../../mod.ts";
import { DenoTlsChannel } from "../../transports/tls/deno_tls_channel.ts";
import { StreamTransport } from "../../transports/core/stream_transport.ts";
import {
  type Backend,
  errorOf,
  passIterations,
  pattern,
  Recorder,
  runOn,
  sameBytes,
  type Stage,
  utf8,
} from "./_backend.ts";
import { host } from "./_host.ts";
import { MemoryWire } from "./_memory_wire.ts";
import { certificate, trusting } from "./_tls.ts";
import { stateOf } from "../../transports/streams/stream_reader.ts";

/** One end of a connection that has streams. */
interface Streams {
  reader: StreamReader;
  writer: StreamWriter;
}

const CLIENT = { tls: trusting, serverHostname: "localhost" };
const SERVER = { tls: certificate("server"), serverSide: true };

/** Tests what becomes of bytes around the beginning of TLS on a connection, over `backend`. */
export function testStartTls(backend: Backend): void {
  const test = (name: string, main: (stage: Stage) => Coroutine<void>) => {
    Deno.test(`${backend.name}: startTls() ${name}`, () => runOn(backend, main));
  };

  test("takes a hello that came in one piece with the command", function* ({ loop }) {
    const { streams, peer } = yield* serveStreams(backend, loop);
    const client = new Pipeliner(loop, peer);
    peer.transport?.write(joined(utf8("STARTTLS\n"), yield* client.hello));
    assertEquals(yield* readLine(streams.reader), "STARTTLS\n");
    yield* unread(streams.reader, 1);

    yield* streams.writer.startTls({ tls: certificate("server") });
    yield* talk(streams, yield* client.finish());
  });

  test("takes a hello that is in part in the reader, which is full", function* ({ loop }) {
    const { streams, peer } = yield* serveStreams(backend, loop);
    streams.reader.setLimit(10);
    const client = new Pipeliner(loop, peer);
    const hello = yield* client.hello;
    peer.transport?.write(joined(utf8("STARTTLS\n"), hello.subarray(0, 100)));
    assertEquals(yield* readLine(streams.reader), "STARTTLS\n");
    yield* unread(streams.reader, 21);
    assertEquals((streams.writer.transport as Transport).isReading(), false);
    for (let start = 100; start < hello.length; start += 100) {
      peer.transport?.write(hello.subarray(start, start + 100));
      yield* passIterations(5);
    }

    yield* streams.writer.startTls({ tls: certificate("server") });
    streams.reader.setLimit(1000);
    yield* talk(streams, yield* client.finish());
  });

  test("takes what a protocol has not used, as unread", function* ({ loop }) {
    const protocol = new Recorder(loop);
    const peer = new Recorder(loop);
    const server = yield* serve(backend, loop, protocol, peer);
    const client = new Pipeliner(loop, peer);
    const command = utf8("STARTTLS\n");
    const hello = yield* client.hello;
    peer.transport?.write(joined(command, hello));
    yield* protocol.received(command.length + hello.length);
    const bytes = protocol.bytes();

    const transport = yield* loop.startTls(protocol.transport as Transport, protocol, {
      ...SERVER,
      unread: bytes.subarray(command.length),
    });
    const secured = yield* client.finish();
    secured.transport?.write(utf8("secret"));
    yield* protocol.received(bytes.length + 6);
    assertEquals(protocol.text().slice(-6), "secret");
    transport.abort();
    yield* protocol.lost;
    yield* secured.lost;
    yield* server.waitClosed();
  });

  for (const side of ["server", "client"] as const) {
    test(`fails on plain text behind the command, and no read gives it, on a ${side}`, function* (
      { loop },
    ) {
      const { streams, peer } = yield* side === "server"
        ? serveStreams(backend, loop)
        : connectStreams(backend, loop);
      const { reader, writer } = streams;
      peer.transport?.write(utf8("the line\nINJECTED\n"));
      assertEquals(yield* readLine(reader), "the line\n");
      yield* unread(reader, 9);

      const options = side === "server" ? { tls: certificate("server") } : CLIENT;
      const error = yield* errorOf(writer.startTls(options));
      assertInstanceOf(error, Deno.errors.InvalidData);
      assertEquals(
        error.message,
        "Cannot secure a connection: the peer has sent what is not TLS",
      );
      assertEquals(yield* errorOf(reader.readLine()), error);
      assertEquals(yield* errorOf(writer.waitClosed()), error);
      yield* peer.lost;
    });
  }

  test("fails on plain text that a protocol hands over as unread", function* ({ loop }) {
    const protocol = new Recorder(loop);
    const peer = new Recorder(loop);
    yield* serve(backend, loop, protocol, peer);
    const transport = protocol.transport as Transport;
    const options = { ...SERVER, unread: utf8("INJECTED\n") };
    const error = yield* errorOf(loop.startTls(transport, protocol, options));
    assertInstanceOf(error, Deno.errors.InvalidData);
    assertEquals(yield* protocol.lost, error);
    assertEquals(protocol.log, ["made", "lost"]);
    yield* peer.lost;
  });

  test("takes what the reader of a protocol holds, and gives it the new transport", function* (
    { loop },
  ) {
    const reader = new StreamReader({ loop, limit: 100 });
    const protocol = new StreamReaderProtocol(reader, { loop });
    const accepted = loop.createFuture<Transport>();
    const made = protocol.connectionMade.bind(protocol);
    protocol.connectionMade = (transport) => {
      made(transport);
      accepted.setResult(transport);
    };
    const peer = new Recorder(loop);
    yield* serve(backend, loop, protocol, peer);
    const plain = yield* accepted;
    const client = new Pipeliner(loop, peer);
    peer.transport?.write(yield* client.hello);
    yield* unread(reader, 1);

    const transport = yield* loop.startTls(plain, protocol, SERVER);
    const secured = yield* client.finish();
    secured.transport?.write(new Uint8Array(500));
    yield* unread(reader, 500);
    assertEquals(transport.isReading(), false);
    assertEquals((yield* reader.readExactly(500)).length, 500);
    assertEquals(transport.isReading(), true);
    transport.abort();
    yield* secured.lost;
  });

  test("lets a read that waits go on with what is secured", function* ({ loop }) {
    const { streams, peer } = yield* serveStreams(backend, loop);
    const client = new Pipeliner(loop, peer);
    const line = streams.reader.readLine();
    const securing = streams.writer.startTls({ tls: certificate("server") });
    peer.transport?.write(yield* client.hello);
    yield* securing;
    const secured = yield* client.finish();
    secured.transport?.write(utf8("secret\n"));
    assertEquals(new TextDecoder().decode(yield* line), "secret\n");
    yield* talk(streams, secured);
  });

  test("sends in clear what was written before, and refuses what comes behind it", function* (
    { loop },
  ) {
    const { streams, peer } = yield* connectStreams(backend, loop);
    const { writer } = streams;
    peer.transport?.pauseReading();
    const bytes = pattern(backend.capacity);
    writer.write(bytes);
    const securing = writer.startTls(CLIENT);
    const refusal = "Cannot write to a transport: TLS has taken its connection";
    assertThrows(() => writer.write(utf8("secret")), InvalidStateError, refusal);
    assertThrows(() => writer.writelines([utf8("a"), utf8("b")]), InvalidStateError, refusal);

    peer.transport?.resumeReading();
    yield* peer.received(bytes.length + 1);
    assertThrows(() => writer.write(utf8("secret")), InvalidStateError, refusal);
    const received = peer.bytes();
    assert(sameBytes(received.subarray(0, bytes.length), bytes));
    assertEquals(received[bytes.length], 22);
    peer.transport?.close();
    assertInstanceOf(yield* errorOf(securing), Error);
    yield* peer.lost;
  });

  for (const step of ["close", "abort"] as const) {
    for (const isBuffered of [true, false]) {
      const moment = isBuffered ? "while it sends" : "in the handshake";
      test(
        `fails when ${step}() is called ${moment}, and the connection ends`,
        function* ({ loop }) {
          const { streams, peer } = yield* connectStreams(backend, loop);
          const { writer } = streams;
          const size = isBuffered ? backend.capacity : 1;
          peer.transport?.pauseReading();
          writer.write(pattern(size));
          const securing = writer.startTls(CLIENT);
          yield* passIterations(5);
          if (step === "close") writer.close();
          else writer.transport.abort();

          const error = yield* errorOf(securing);
          assert(
            error instanceof InvalidStateError || error instanceof Deno.errors.ConnectionAborted,
          );
          assertEquals(writer.isClosing(), true);
          peer.transport?.resumeReading();
          yield* writer.waitClosed();
          yield* peer.lost;
          // Closing sends what was written; nothing but a hello may follow it.
          if (step === "close") assert(sameBytes(peer.bytes().subarray(0, size), pattern(size)));
          if (isBuffered) assert(peer.size <= size);
        },
      );
    }
  }
}

/** Serves `protocol` to one connection, at whose other end is `peer`. */
function* serve(
  backend: Backend,
  loop: DenoEventLoop,
  protocol: ProtocolLike,
  peer: Recorder,
): Coroutine<Server> {
  const made = protocol.connectionMade;
  const opened = loop.createFuture<void>();
  protocol.connectionMade = (transport) => {
    made?.call(protocol, transport);
    opened.setResult();
  };
  const server = yield* backend.serve(loop, () => protocol);
  yield* backend.connect(loop, server.address, () => peer);
  yield* opened;
  server.close();
  return server;
}

/** Serves one client, `peer`, with streams. */
function* serveStreams(
  backend: Backend,
  loop: DenoEventLoop,
): Coroutine<{ streams: Streams; peer: Recorder }> {
  const accepted: Future<Streams> = loop.createFuture();
  const reader = new StreamReader({ loop });
  const over: Future<void> = loop.createFuture();
  const peer = new Recorder(loop);
  const clientConnected = function* (reader: StreamReader, writer: StreamWriter) {
    accepted.setResult({ reader, writer });
    // The connection stays open as long as this goes on.
    yield* over;
  };
  const protocol = new StreamReaderProtocol(reader, { clientConnected, loop });
  const lost = protocol.connectionLost.bind(protocol);
  protocol.connectionLost = (error) => {
    over.setResult();
    lost(error);
  };
  yield* serve(backend, loop, protocol, peer);
  return { streams: yield* accepted, peer };
}

/** Connects streams to a server whose one protocol is `peer`. */
function* connectStreams(
  backend: Backend,
  loop: DenoEventLoop,
): Coroutine<{ streams: Streams; peer: Recorder }> {
  const peer = new Recorder(loop);
  const reader = new StreamReader({ loop });
  const protocol = new StreamReaderProtocol(reader, { loop });
  const server = yield* backend.serve(loop, () => peer);
  const address = server.address;
  const [transport] = yield* backend.connect(loop, address, () => protocol);
  const writer = new StreamWriter(transport, protocol, { reader });
  while (peer.transport === null) yield;
  server.close();
  return { streams: { reader, writer }, peer };
}

/** A TLS client over a connection that a test writes to: it decides what goes out, and when. */
class Pipeliner {
  /** The first message. */
  readonly hello: Future<Uint8Array>;
  readonly #loop: DenoEventLoop;
  readonly #channel: DenoTlsChannel;

  constructor(loop: DenoEventLoop, peer: Recorder) {
    this.#loop = loop;
    this.hello = loop.createFuture();
    const wire = new MemoryWire(loop);
    wire.transmit = (bytes) => {
      if (bytes === null) peer.transport?.close();
      else if (!this.hello.done()) this.hello.setResult(bytes);
      else peer.transport?.write(bytes);
    };
    peer.dataReceived = (bytes) => wire.arrive(bytes);
    const lost = peer.connectionLost.bind(peer);
    peer.connectionLost = (error) => {
      lost(error);
      wire.arrive(null);
    };
    this.#channel = new DenoTlsChannel(loop, wire, host.tls.clientContext(trusting, "localhost"));
  }

  /** Waits until the handshake is over. Gives who receives what is secured. */
  *finish(): Coroutine<Recorder> {
    yield* this.#channel.secured;
    const recorder = new Recorder(this.#loop);
    new StreamTransport(this.#loop, this.#channel, recorder);
    yield* passIterations(2);
    return recorder;
  }
}

/** Sends a line both ways, and closes the connection. */
function* talk({ reader, writer }: Streams, client: Recorder): Coroutine<void> {
  assertEquals(writer.getExtraInfo("tls")?.version, "TLSv1.3");
  client.transport?.write(utf8("there\n"));
  assertEquals(yield* readLine(reader), "there\n");
  writer.write(utf8("back"));
  yield* client.received(4);
  assertEquals(client.text(), "back");
  writer.close();
  yield* client.lost;
  yield* writer.waitClosed();
}

function* readLine(reader: StreamReader): Coroutine<string> {
  return new TextDecoder().decode(yield* reader.readLine());
}

/** Waits until at least `size` bytes are unread. */
function* unread(reader: StreamReader, size: number): Coroutine<void> {
  while (stateOf(reader).buffer.size < size) yield;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return new Uint8Array([...first, ...second]);
}
