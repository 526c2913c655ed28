// Streams over pipes: openReadPipe() and openWritePipe(), on streams of the Web.
import { assertEquals, assertRejects } from "@std/assert";
import { openReadPipe, openWritePipe, run } from "../../mod.ts";
import { utf8 } from "../transports/_backend.ts";

Deno.test("openReadPipe() reads a stream to its end, within its limit", async () => {
  const stream = new Blob(["one\ntwo\n", "x".repeat(100)]).stream();
  await run(async () => {
    const reader = await openReadPipe(stream, { limit: 64 });
    assertEquals(await reader.readLine(), utf8("one\n"));
    assertEquals(await reader.readLine(), utf8("two\n"));
    assertEquals((await reader.read()).length, 100);
    assertEquals([reader.atEof(), reader.transport?.isClosing()], [true, true]);
  });
});

Deno.test("openReadPipe() gives a reader whose transport ends the stream before its end", async () => {
  const cancelled = Promise.withResolvers<void>();
  const stream = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() });
  await run(async () => {
    const reader = await openReadPipe(stream);
    reader.transport?.close();
    assertEquals(await reader.read(), new Uint8Array(0));
  });
  await cancelled.promise;
});

Deno.test("openReadPipe() throws where the stream fails", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new RangeError("broken")),
  });
  await run(async () => {
    const reader = await openReadPipe(stream);
    await assertRejects(async () => await reader.read(), RangeError, "broken");
  });
});

for (const thrown of [null, undefined, 5, "text"]) {
  const state = `it failed with ${thrown === "text" ? '"text"' : thrown}`;

  Deno.test(`openReadPipe() throws an error where the stream fails with ${thrown}`, async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(thrown),
    });
    await run(async () => {
      const reader = await openReadPipe(stream);
      const error = await assertRejects(
        async () => await reader.read(),
        Error,
        `Cannot read from a stream: ${state}`,
      );
      assertEquals(error.cause, thrown);
    });
  });

  Deno.test(`openWritePipe() throws an error where the stream fails with ${thrown}`, async () => {
    const stream = new WritableStream<Uint8Array>({
      write: (_bytes, controller) => controller.error(thrown),
    });
    await run(async () => {
      const writer = await openWritePipe(stream);
      writer.write(utf8("hello"));
      const error = await assertRejects(
        async () => await writer.waitClosed(),
        Error,
        `Cannot write to a stream: ${state}`,
      );
      assertEquals(error.cause, thrown);
    });
  });
}

Deno.test("openReadPipe() and openWritePipe() refuse a stream that somebody else has", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  readable.getReader();
  writable.getWriter();
  await run(async () => {
    await assertRejects(async () => await openReadPipe(readable), TypeError, "locked");
    await assertRejects(async () => await openWritePipe(writable), TypeError, "locked");
  });
});

Deno.test("openWritePipe() writes, waits for who reads slowly, and closes", async () => {
  const sent: number[] = [];
  let closed = false;
  const stream = new WritableStream<Uint8Array>({
    write: (bytes) => void sent.push(bytes.length),
    close: () => void (closed = true),
  });
  await run(async () => {
    await using writer = await openWritePipe(stream);
    writer.write(new Uint8Array(200_000));
    await writer.drain();
    writer.write(utf8("end"));
  });
  assertEquals([sent.reduce((sum, size) => sum + size, 0), closed], [200_003, true]);
});
