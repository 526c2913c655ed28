// Streams over real TCP.
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { host } from "../_host.ts";
import {
  CancelledError,
  type ClientConnected,
  type Coroutine,
  createTask,
  type DenoEventLoop,
  Event,
  type ExceptionContext,
  gather,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  openConnection,
  run,
  type Server,
  startServer,
  type StartServerOptions,
  StreamReader,
  StreamReaderProtocol,
  type StreamWriter,
  type Transport,
} from "../../../mod.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const echoCoroutine: ClientConnected = function* (reader, writer) {
  while (true) {
    const bytes = yield* reader.read(64 * 1024);
    if (bytes.length === 0) break;
    writer.write(bytes);
    yield* writer.drain();
  }
  writer.close();
};

const echoFunction: ClientConnected = async (reader, writer) => {
  await using output = writer;
  while (true) {
    const bytes = await reader.read(64 * 1024);
    if (bytes.length === 0) return;
    output.write(bytes);
    await output.drain();
  }
};

/** It may reuse its memory only because `drain()` waits until everything went out. */
const echoInPlace: ClientConnected = function* (reader, writer) {
  writer.transport.setWriteBufferLimits({ high: 0 });
  const memory = new Uint8Array(64 * 1024);
  while (true) {
    const count = yield* reader.readInto(memory);
    if (count === 0) break;
    writer.write(memory.subarray(0, count));
    yield* writer.drain();
  }
  writer.close();
};

for (
  const [kind, echo] of Object.entries({
    "a coroutine": echoCoroutine,
    "an async function": echoFunction,
    "a coroutine that reads in place": echoInPlace,
  })
) {
  Deno.test(`startServer() serves twenty clients at once with ${kind}`, () =>
    runWith(echo, function* (port) {
      const clients = Array.from({ length: 20 }, (_, index) =>
        createTask(function* () {
          const [reader, writer] = yield* openConnection({ port });
          const sent = pattern(300_000 + index * 1111);
          const received = reader.readExactly(sent.length);
          for (let offset = 0; offset < sent.length; offset += 10_007) {
            writer.write(sent.subarray(offset, offset + 10_007));
            yield* writer.drain();
          }
          writer.writeEof();
          const isSame = same(yield* received, sent);
          const rest = yield* reader.read();
          writer.close();
          yield* writer.waitClosed();
          return isSame && rest.length === 0;
        }));

      assertEquals(yield* gather(clients), clients.map(() => true));
    }));
}

Deno.test("A line goes there and back, and for await gives the lines of a socket", () =>
  runWith(async (reader, writer) => {
    await using output = writer;
    for await (const line of reader) output.write(utf8(`${text(line).trim()}!\n`));
  }, function* (port) {
    const [reader, writer] = yield* openConnection({ port });
    writer.writelines([utf8("one\nt"), utf8("wo\nthree")]);
    writer.writeEof();

    assertEquals(text(yield* reader.read()), "one!\ntwo!\nthree!\n");
    assertEquals(reader.atEof(), true);
    writer.close();
  }));

Deno.test("drain() waits while the other end does not read, and goes on when it does", () => {
  const size = 32 * 1024 * 1024;
  let serverReads = (): void => {};
  return runWith(function* (reader, writer) {
    const allowed = new Event();
    serverReads = () => allowed.set();
    yield* allowed.wait();
    let count = 0;
    while (true) {
      const bytes = yield* reader.read(1024 * 1024);
      if (bytes.length === 0) break;
      count += bytes.length;
    }
    writer.write(utf8(String(count)));
    writer.close();
  }, function* (port) {
    const [reader, writer] = yield* openConnection({ port });
    writer.write(pattern(size));

    const drained = writer.drain();
    assertEquals(drained.done(), false);
    assertEquals(writer.transport.getWriteBufferSize() > 64 * 1024, true);
    yield* turns(20);
    assertEquals(drained.done(), false);
    serverReads();
    yield* drained;

    assertEquals(writer.transport.getWriteBufferSize() <= 16 * 1024, true);
    writer.writeEof();
    assertEquals(text(yield* reader.read()), String(size));
    writer.close();
  });
});

Deno.test("A client that only reads gets everything in the order sent, at its own pace", () => {
  const chunk = pattern(100_003);
  return runWith(function* (_reader, writer) {
    for (let count = 0; count < 100; count += 1) {
      writer.write(chunk);
      yield* writer.drain();
    }
    writer.close();
  }, function* (port) {
    const [reader, writer] = yield* openConnection({ port, limit: 4096 });
    for (let count = 0; count < 100; count += 1) {
      if (count % 10 === 0) yield* turns(5);
      assertEquals(same(yield* reader.readExactly(chunk.length), chunk), true);
    }

    assertEquals((yield* reader.read()).length, 0);
    writer.close();
  });
});

Deno.test("A connection that the peer aborts is an end or an error, and then drain() throws", () =>
  runWith(function* (reader, writer) {
    yield* reader.readExactly(1);
    writer.transport.abort();
  }, function* (port) {
    const [reader, writer] = yield* openConnection({ port });
    writer.write(utf8("xy"));

    const ending = yield* settled(reader.read());
    assertEquals(ending instanceof Uint8Array || ending instanceof Error, true);
    writer.close();
    yield* settled(writer.waitClosed());

    assertInstanceOf(yield* settled(writer.drain()), Error);
  }));

Deno.test("An error in clientConnected ends the connection, and is reported", () => {
  const reports: ExceptionContext[] = [];
  return runWith(async (reader) => {
    await reader.readLine();
    throw new Error("planted");
  }, function* (port) {
    const [reader, writer] = yield* openConnection({ port });
    writer.write(utf8("go\n"));

    assertEquals((yield* reader.read()).length, 0);
    assertEquals(reports.map(({ message, exception }) => [message, (exception as Error).message]), [
      ["Unhandled exception in clientConnected", "planted"],
    ]);
    writer.close();
  }, reports);
});

Deno.test("openConnection() to nobody throws ConnectionRefused", () =>
  runWith(echoCoroutine, function* (port, _loop, server) {
    server.close();
    yield* server.waitClosed();

    assertInstanceOf(
      yield* settled(openConnection({ hostname: "127.0.0.1", port })),
      Deno.errors.ConnectionRefused,
    );
  }));

Deno.test("openConnection() that is cancelled leaves nothing open", () =>
  runWith(echoCoroutine, function* (port) {
    const opening = openConnection({ port });
    opening.cancel();

    assertInstanceOf(yield* settled(opening), CancelledError);
  }));

Deno.test("openConnection() and startServer() want a running loop", () => {
  assertThrows(
    () => openConnection({ port: 1 }),
    InvalidStateError,
    "Cannot open a connection: no event loop is running here",
  );
  assertThrows(
    () => startServer(echoCoroutine),
    InvalidStateError,
    "Cannot start a server: no event loop is running here",
  );
});

Deno.test("The limit of startServer() is that of its readers", () =>
  runWith(
    async (reader, writer) => {
      await using output = writer;
      const error = await assertRejects(() => reader.readUntil("\n"));
      output.write(utf8((error as Error).name));
    },
    function* (port) {
      const [reader, writer] = yield* openConnection({ port });
      writer.write(utf8("0123456789\n"));

      assertEquals(text(yield* reader.read()), "LimitOverrunError");
      writer.close();
    },
    [],
    { limit: 5 },
  ));

Deno.test("getExtraInfo() of a writer names both ends", () =>
  runWith(echoCoroutine, function* (port) {
    const [, writer] = yield* openConnection({ port });

    assertEquals(writer.getExtraInfo("peername"), {
      transport: "tcp",
      hostname: "127.0.0.1",
      port,
    });
    writer.close();
  }));

Deno.test("reader.readable.pipeTo(writer.writable) is an echo", () =>
  runWith((reader, writer) => {
    return reader.readable.pipeTo(writer.writable as WritableStream);
  }, function* (port) {
    const [reader, writer] = yield* openConnection({ port });
    const sent = pattern(1_000_000);
    const received = reader.read();
    writer.write(sent);
    writer.writeEof();

    assertEquals(same(yield* received, sent), true);
    writer.close();
  }));

type Main = (port: number, loop: DenoEventLoop, server: Server<Deno.NetAddr>) => Coroutine<void>;

/**
 * Runs `main` with a server of `clientConnected`, and waits until all its connections are closed.
 * Fails if there are more reports than `reports` takes.
 */
async function runWith(
  clientConnected: ClientConnected,
  main: Main,
  reports?: ExceptionContext[],
  options: StartServerOptions = {},
): Promise<void> {
  const loop = newEventLoop();
  const unexpected: ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void (reports ?? unexpected).push(context));
  try {
    await loop.runUntilComplete(function* () {
      const server = yield* startServer(clientConnected, { hostname: "127.0.0.1", ...options });
      const { port } = server.address;
      yield* main(port, loop, server);
      server.close();
      yield* server.waitClosed();
    });
  } finally {
    loop.close();
  }
  assertEquals(unexpected.map(({ message, exception }) => [message, exception]), []);
}

function* turns(count: number): Coroutine<void> {
  for (let turn = 0; turn < count; turn += 1) yield;
}

/** Returns the result of `future`, or its error. */
function* settled(future: Iterable<unknown>): Coroutine<unknown> {
  try {
    return yield* future;
  } catch (error) {
    return error;
  }
}

/** Bytes that repeat after a prime, so that a shift shows. */
function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = index % 251;
  return bytes;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

Deno.test("drain() throws when what was written after close() is dropped, and not when it is sent", () =>
  run(async () => {
    const received: string[] = [];
    const ended = new Event();
    await using server = await startServer(async (reader, writer) => {
      received.push(text(await reader.read()));
      ended.set();
      writer.close();
    }, { hostname: "127.0.0.1" });
    const [, writer] = await openConnection({ port: server.address.port });
    writer.write(utf8("one "));
    writer.close();
    // It is still on its way, unless the system has it already.
    writer.write(utf8("two"));
    if (!host.isNative) await writer.drain();
    else await assertRejects(async () => await writer.drain(), Deno.errors.ConnectionReset);
    await writer.waitClosed();
    await ended.wait();
    assertEquals(received, [host.isNative ? "one " : "one two"]);

    writer.write(utf8("three"));
    await assertRejects(async () => await writer.drain(), Deno.errors.ConnectionReset);

    const [, idle] = await openConnection({ port: server.address.port });
    idle.close();
    idle.write(utf8("dropped"));
    await assertRejects(async () => await idle.drain(), Deno.errors.ConnectionReset);
    await idle.waitClosed();
    await ended.wait();
  }));

Deno.test("a subclass of StreamReaderProtocol serves with a method of its own", async () => {
  class Greeter extends StreamReaderProtocol {
    readonly #greeting: string;

    constructor(greeting: string) {
      super(new StreamReader(), { clientConnected: (_, writer) => this.greet(writer) });
      this.#greeting = greeting;
    }

    async greet(writer: StreamWriter): Promise<void> {
      await using output = writer;
      output.write(utf8(this.#greeting));
    }
  }
  await run(async () => {
    const loop = getRunningLoop();
    const where = { hostname: "127.0.0.1" };
    await using server = await loop.createServer(() => new Greeter("hello"), where);
    const { port } = server.address;
    const [reader, writer] = await openConnection({ port });
    assertEquals(text(await reader.read()), "hello");
    writer.close();
  });
});

Deno.test("the writer of a connection knows by its type that its transport reads too", async () => {
  await run(async () => {
    const served: Transport[] = [];
    const serve: ClientConnected = (_, writer) => void served.push(writer.transport);
    await using server = await startServer(serve, { hostname: "127.0.0.1" });
    const { port } = server.address;
    const [, writer] = await openConnection({ port });
    writer.transport.pauseReading();
    assertEquals(writer.transport.isReading(), false);
    const plain: StreamWriter = writer;
    // @ts-expect-error: a writer of anything may be one of a pipe
    plain.transport.resumeReading();
    writer.transport.abort();
  });
});
