// StreamReader.readable and StreamWriter.writable: streams of ours as streams of the Web.
import { assertEquals, assertRejects } from "@std/assert";
import {
  CancelledError,
  createTask,
  sleep,
  StreamReader,
  StreamReaderProtocol,
  StreamWriter,
} from "../../mod.ts";
import { runVirtual, type TestLoop } from "../loop/mod.ts";
import { FakeTransport, PauseLog } from "./_fake_transport.ts";
import { feed, text, utf8 } from "./_feeding.ts";

Deno.test("StreamReader.readable gives what is unread, up to the end", () =>
  runVirtual(async (loop) => {
    const reader = feed(loop, { data: "line\nrest" });
    assertEquals(text(await reader.readLine()), "line\n");
    loop.callLater(1, () => reader.feedData(utf8(" of it")));
    loop.callLater(2, () => reader.feedEof());

    assertEquals(await new Response(reader.readable).text(), "rest of it");
  }));

Deno.test("StreamReader.readable reads nothing ahead", () =>
  runVirtual(async (loop) => {
    const reader = new StreamReader({ loop, limit: 4 });
    const pauses = new PauseLog();
    reader.setTransport(pauses);
    const { readable } = reader;
    reader.feedData(utf8("123456789"));
    await sleep(1);
    assertEquals(pauses.entries, ["pause"]);

    const chunks = readable.getReader();
    const sizes = [(await chunks.read()).value?.length, (await chunks.read()).value?.length];

    assertEquals(sizes, [4, 4]);
    assertEquals(pauses.entries, ["pause", "resume"]);
    assertEquals(text(await reader.read(10)), "9");
  }));

Deno.test("StreamReader.readable fails with the error of the stream", () =>
  runVirtual(async (loop) => {
    const error = new Error("planted");
    const { readable } = feed(loop, { error });

    assertEquals(await assertRejects(() => new Response(readable).text()), error);
  }));

Deno.test("Cancelling StreamReader.readable gives the reader back", () =>
  runVirtual(async (loop) => {
    const reader = new StreamReader({ loop });
    const chunks = reader.readable.getReader();
    const read = chunks.read();
    await sleep(0);

    await chunks.cancel();

    assertEquals(await read, { done: true, value: undefined });
    const next = reader.read(99);
    reader.feedData(utf8("for the reader"));
    assertEquals(text(await next), "for the reader");
  }));

Deno.test("Cancelling a task that reads StreamReader.readable leaves the stream whole", () =>
  runVirtual(async (loop) => {
    const reader = new StreamReader({ loop });
    const chunks = reader.readable.getReader();
    const task = createTask(async () => {
      const { value } = await chunks.read();
      assertEquals(text(value as Uint8Array), "first");
      await sleep(0);
    });
    await sleep(0);

    task.cancel();
    reader.feedData(utf8("first"));

    await assertRejects(() => task, CancelledError);
    reader.feedData(utf8("second"));
    assertEquals(text((await chunks.read()).value as Uint8Array), "second");
  }));

Deno.test("StreamWriter.writable writes, keeps the pace and closes the connection", () =>
  runVirtual(async (loop) => {
    const { protocol, transport, writer } = open(loop);
    transport.onClose = () => loop.callSoon(() => protocol.connectionLost(null));
    const chunks = writer.writable.getWriter();
    protocol.pauseWriting();
    loop.callLater(1, () => protocol.resumeWriting());

    await chunks.write(utf8("a"));
    assertEquals(loop.time(), 1);
    await chunks.write(utf8("b"));
    await chunks.close();

    assertEquals(transport.log, ["write a", "write b", "close"]);
  }));

Deno.test("StreamWriter.writable fails once the connection is lost", () =>
  runVirtual(async (loop) => {
    const { protocol, writer } = open(loop);
    const chunks = writer.writable.getWriter();
    chunks.closed.catch(() => {});
    const error = new Error("planted");

    protocol.connectionLost(error);

    assertEquals(await assertRejects(() => chunks.write(utf8("a"))), error);
  }));

Deno.test("Aborting StreamWriter.writable aborts the connection", () =>
  runVirtual(async (loop) => {
    const { transport, writer } = open(loop);

    await writer.writable.abort();

    assertEquals(transport.log, ["abort"]);
  }));

Deno.test("A stream of the Web is piped from a reader to a writer", () =>
  runVirtual(async (loop) => {
    const { protocol, transport, writer } = open(loop);
    transport.onClose = () => loop.callSoon(() => protocol.connectionLost(null));
    const reader = feed(loop, { data: "a line\n", eof: true });

    await reader.readable
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(upperCase())
      .pipeThrough(new TextEncoderStream())
      .pipeTo(writer.writable as WritableStream);

    assertEquals(transport.log, ["write A LINE\n", "close"]);
  }));

function upperCase(): TransformStream<string, string> {
  return new TransformStream({
    transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),
  });
}

/** Connects a writer to a transport that only writes down what it is told. */
function open(loop: TestLoop) {
  const reader = new StreamReader({ loop });
  const protocol = new StreamReaderProtocol(reader, { loop });
  const transport = new FakeTransport();
  protocol.connectionMade(transport);
  return { protocol, transport, writer: new StreamWriter(transport, protocol, { reader }) };
}
