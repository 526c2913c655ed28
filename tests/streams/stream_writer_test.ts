// Row R05 of "Streams": what drain() and waitClosed() do, and how errors of clients are reported.
// The expected values were measured on CPython 3.13.
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  type ClientConnected,
  createTask,
  FlowControlProtocol,
  sleep,
  StreamReader,
  StreamReaderProtocol,
  StreamWriter,
} from "../../mod.ts";
import { caughtBy, countIterations, runVirtual, type TestLoop } from "../loop/mod.ts";
import { FakeTransport } from "./_fake_transport.ts";
import { text, utf8 } from "./_feeding.ts";

Deno.test("R05 drain() of a writer with room takes no turn of the loop", () =>
  runVirtual(function* (loop) {
    const { writer } = open(loop);

    assertEquals(writer.drain().done(), true);
    assertEquals(yield* countIterations(loop, wait(() => writer.drain())), 0);
  }));

Deno.test("R05 drain() waits from pauseWriting() to resumeWriting()", () =>
  runVirtual(function* (loop) {
    const { writer, protocol } = open(loop);
    protocol.pauseWriting();
    const drains = [writer.drain(), writer.drain(), writer.drain()];
    yield* sleep(0);

    drains[1]?.cancel();
    yield* sleep(0);
    assertEquals(drains.map((drain) => drain.done()), [false, true, false]);
    protocol.resumeWriting();
    yield* sleep(0);

    assertEquals(drains.map((drain) => drain.done()), [true, true, true]);
    assertEquals(drains.map((drain) => drain.cancelled()), [false, true, false]);
    assertEquals(writer.drain().done(), true);
  }));

Deno.test("R05 drain() that waits ends as the connection does", () =>
  runVirtual(function* (loop) {
    for (const error of [null, new Error("planted")]) {
      const { writer, protocol } = open(loop);
      protocol.pauseWriting();
      const drain = writer.drain();

      protocol.connectionLost(error);

      if (error === null) assertEquals(yield* drain, undefined);
      else assertEquals(yield* caughtBy(drain), error);
    }
  }));

Deno.test("R05 drain() after an orderly end throws ConnectionReset", () =>
  runVirtual(function* (loop) {
    const { writer, protocol } = open(loop);
    protocol.connectionLost(null);

    const error = yield* caughtBy(writer.drain());

    assertInstanceOf(error, Deno.errors.ConnectionReset);
    assertEquals(error.message, "Cannot drain a stream: the connection is lost");
  }));

Deno.test("R05 drain() after a failure throws the error of the reader", () =>
  runVirtual(function* (loop) {
    const { writer, protocol } = open(loop);
    const error = new Error("planted");
    protocol.connectionLost(error);

    assertEquals(yield* caughtBy(writer.drain()), error);
  }));

Deno.test("R05 drain() of a closing transport takes one turn, in which it may be lost", () =>
  runVirtual(function* (loop) {
    const { writer, protocol } = open(loop);
    writer.close();
    assertEquals(yield* countIterations(loop, wait(() => writer.drain())), 1);

    loop.callSoon(() => protocol.connectionLost(null));

    assertInstanceOf(yield* caughtBy(writer.drain()), Deno.errors.ConnectionReset);
  }));

Deno.test("waitClosed() ends with connectionLost(), for every waiter, also one that comes later", () =>
  runVirtual(function* (loop) {
    const { writer, protocol } = open(loop);
    const cancelled = writer.waitClosed();
    const waiting = writer.waitClosed();
    yield* sleep(0);

    cancelled.cancel();
    protocol.connectionLost(null);

    assertInstanceOf(yield* caughtBy(cancelled), CancelledError);
    assertEquals(yield* waiting, undefined);
    assertEquals(yield* writer.waitClosed(), undefined);
  }));

Deno.test("waitClosed() throws the error that the connection was lost by, each time", () =>
  runVirtual(function* (loop) {
    const { writer, protocol } = open(loop);
    const error = new Error("planted");
    const waiting = writer.waitClosed();

    protocol.connectionLost(error);

    assertEquals(yield* caughtBy(waiting), error);
    assertEquals(yield* caughtBy(writer.waitClosed()), error);
  }));

Deno.test("StreamWriter hands everything to its transport", () =>
  runVirtual((loop) => {
    const { writer, transport } = open(loop);

    writer.write(utf8("a"));
    writer.writelines([utf8("b"), utf8("c")]);
    writer.writeEof();
    writer.close();

    assertEquals(transport.log, ["write a", "write bc", "eof", "close"]);
    assertEquals(writer.canWriteEof(), true);
    assertEquals(writer.isClosing(), true);
    assertEquals(writer.getExtraInfo("none", 1), 1);
    assertEquals(writer.transport, transport);
  }));

Deno.test("await using closes a StreamWriter and waits, and throws what it is lost by meanwhile", () =>
  runVirtual(async (loop) => {
    const { writer, protocol, transport } = open(loop);
    const error = new Error("planted");
    transport.onClose = () => loop.callLater(1, () => protocol.connectionLost(error));

    const disposing = (async () => {
      await using _writer = writer;
    })();

    assertEquals(await assertRejects(() => disposing), error);
    assertEquals(loop.time(), 1);
  }));

Deno.test("await using of a StreamWriter does not hide the error of its block by the same one", () =>
  runVirtual(async (loop) => {
    const { writer, protocol, reader } = open(loop);
    const error = new Error("planted");

    const block = (async () => {
      await using _writer = writer;
      protocol.connectionLost(error);
      await reader.read();
    })();

    assertEquals(await assertRejects(() => block), error);
  }));

Deno.test("StreamReaderProtocol feeds its reader and keeps the other half open", () =>
  runVirtual(function* (loop) {
    const { protocol, reader } = open(loop);
    protocol.getBuffer().set(utf8("data"));
    protocol.bufferUpdated(4);

    assertEquals(protocol.eofReceived(), true);
    assertEquals(text(yield* reader.read()), "data");
  }));

Deno.test("StreamReaderProtocol does not keep half a TLS connection open", () =>
  runVirtual((loop) => {
    const protocol = new StreamReaderProtocol(new StreamReader({ loop }));
    protocol.connectionMade(new FakeTransport({ tls: {} }));

    assertEquals(protocol.eofReceived(), false);
  }));

Deno.test("R05 an error of clientConnected is reported, and the connection closed", () =>
  runVirtual(function* (loop) {
    const error = new Error("planted");
    const bodies: ClientConnected[] = [
      function* () {
        yield* sleep(0);
        throw error;
      },
      async () => {
        await sleep(0);
        throw error;
      },
      () => {
        throw error;
      },
    ];
    for (const body of bodies) {
      const transport = serve(body);
      yield* sleep(1);

      const [report, ...more] = loop.takeReports();
      assertEquals(more, []);
      assertEquals(report?.message, "Unhandled exception in clientConnected");
      assertEquals(report?.exception, error);
      assertEquals(report?.transport, transport);
      assertEquals(transport.log, ["close"]);
    }
  }));

Deno.test("R05 a clientConnected that is cancelled closes the connection without a report", () =>
  runVirtual(function* () {
    let cancel = () => {};
    const transport = serve(function* () {
      const task = createTask(() => sleep(10));
      cancel = () => task.cancel();
      yield* task;
    });
    yield* sleep(0);

    cancel();
    yield* sleep(1);

    assertEquals(transport.log, ["close"]);
  }));

Deno.test("R05 a clientConnected that returns leaves the connection open", () =>
  runVirtual(function* () {
    const transport = serve((_reader, writer) => writer.write(utf8("hello")));
    yield* sleep(1);

    assertEquals(transport.log, ["write hello"]);
  }));

Deno.test("FlowControlProtocol serves a writer without a reader", () =>
  runVirtual(function* (loop) {
    const protocol = new FlowControlProtocol({ loop });
    const writer = new StreamWriter(new FakeTransport(), protocol);
    protocol.pauseWriting();
    const drain = writer.drain();

    protocol.resumeWriting();

    assertEquals(yield* drain, undefined);
  }));

/** Connects streams to a transport that only writes down what it is told. */
function open(loop: TestLoop) {
  const reader = new StreamReader({ loop });
  const protocol = new StreamReaderProtocol(reader, { loop });
  const transport = new FakeTransport();
  protocol.connectionMade(transport);
  const writer = new StreamWriter(transport, protocol, { reader });
  return { reader, protocol, transport, writer };
}

/** Accepts a connection that `clientConnected` serves. */
function serve(clientConnected: ClientConnected): FakeTransport {
  const transport = new FakeTransport();
  new StreamReaderProtocol(new StreamReader(), { clientConnected }).connectionMade(transport);
  return transport;
}

function* wait(start: () => Iterable<unknown>) {
  yield* start();
}

Deno.test("StreamReaderProtocol without a reader says how it is written", async () => {
  await runVirtual(() => {
    for (const wrong of [undefined, null, () => {}, { limit: 5 }]) {
      assertThrows(
        () => new StreamReaderProtocol(wrong as never),
        TypeError,
        "expected a StreamReader, as in new StreamReaderProtocol(reader, { clientConnected })",
      );
    }
  });
});
