import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  type DenoEventLoop,
  type Future,
  InvalidStateError,
  type ProtocolLike,
  type Server,
  StreamReader,
  StreamReaderProtocol,
  type StreamWriter,
} from "../../mod.ts";
import { type Backend, passIterations, Recorder, runOn, type Stage, utf8 } from "./_backend.ts";

/** Tests servers over `backend`. */
export function testServers(backend: Backend): void {
  const test = (name: string, main: (stage: Stage) => Coroutine<void>) => {
    Deno.test(`${backend.name}: ${name}`, () => runOn(backend, main));
  };

  /** Connects a recorder to `server`, whose protocol for it is an echo. */
  function* connect(loop: DenoEventLoop, server: Server): Coroutine<Recorder> {
    const recorder = new Recorder(loop);
    const { address } = server;
    yield* backend.connect(loop, address, () => recorder);
    return recorder;
  }

  /** Sends a byte to the echo and waits for it. */
  function* exchange(recorder: Recorder): Coroutine<void> {
    const answered = recorder.received(recorder.size + 1);
    recorder.transport?.write(utf8("."));
    yield* answered;
  }

  test(
    "V01 close() refuses new connections at once, empties the addresses and leaves the others alone",
    function* ({ loop }) {
      const server = yield* backend.serve(loop, createEcho);
      const { address } = server;
      const client = yield* connect(loop, server);
      assertEquals(server.isServing(), true);
      assertEquals(server.getLoop(), loop);

      server.close();
      server.close();
      assertEquals(server.addresses, []);
      assertEquals(server.isServing(), false);
      const error = yield* caughtBy(backend.connect(loop, address, () => ({})));
      assertInstanceOf(error, Error);
      yield* exchange(client);

      client.transport?.close();
      yield* client.lost;
      yield* server.waitClosed();
    },
  );

  test("V02 waitClosed() waits for close() and for the last connection", function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    const client = yield* connect(loop, server);
    yield* exchange(client);
    const first = server.waitClosed();
    const given = server.waitClosed();
    yield* passIterations(3);
    assertEquals(first.done(), false);
    given.cancel();

    server.close();
    for (let count = 0; count < 5; count += 1) yield* exchange(client);
    assertEquals(first.done(), false);
    const second = server.waitClosed();
    client.transport?.close();
    yield* first;
    yield* second;
    assertEquals(server.waitClosed().done(), true);
  });

  test(
    "V03 serveForever() can be awaited once, and closes the server when cancelled",
    function* ({ loop }) {
      const server = yield* backend.serve(loop, createEcho);
      const task = createTask(() => server.serveForever());
      yield* passIterations(2);
      assertEquals(server.isServing(), true);
      const twice = yield* caughtBy(server.serveForever());
      assertInstanceOf(twice, InvalidStateError);
      assertEquals(
        twice.message,
        "Cannot serve for ever: serveForever() is already awaited",
      );

      task.cancel();
      assertInstanceOf(yield* caughtBy(task), CancelledError);
      assertEquals(server.isServing(), false);
      const closed = yield* caughtBy(server.serveForever());
      assertInstanceOf(closed, InvalidStateError);
      assertEquals(closed.message, "Cannot start the server: it is closed");
      assertInstanceOf(yield* caughtBy(server.startServing()), InvalidStateError);
    },
  );

  test("V04 close() ends serveForever() with CancelledError", function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    const task = createTask(() => server.serveForever());
    yield* passIterations(2);
    server.close();
    assertInstanceOf(yield* caughtBy(task), CancelledError);
  });

  test("V05 closeClients() closes every connection in good order", function* ({ loop }) {
    const server = yield* backend.serve(loop, () => ({
      connectionMade: (transport) => transport.write(utf8("flushed")),
    }));
    const clients = [yield* connect(loop, server), yield* connect(loop, server)];
    for (const client of clients) yield* client.received(7);

    server.close();
    server.closeClients();
    for (const client of clients) assertEquals(yield* client.lost, null);
    yield* server.waitClosed();
    assertEquals(clients.map((client) => client.text()), ["flushed", "flushed"]);
  });

  test("V05 abortClients() ends every connection at once", function* ({ loop }) {
    const server = yield* backend.serve(loop, () => ({
      connectionMade: (transport) => transport.write(new Uint8Array(backend.capacity)),
    }));
    const clients = [yield* connect(loop, server), yield* connect(loop, server)];
    for (const client of clients) client.transport?.pauseReading();
    yield* passIterations(3);

    server.close();
    server.abortClients();
    yield* server.waitClosed();
    for (const client of clients) {
      client.transport?.resumeReading();
      yield* client.lost;
    }
  });

  test("shutdown() lets connections end by themselves", function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    const client = yield* connect(loop, server);
    yield* exchange(client);
    const ending = server.shutdown({ grace: 600 });
    assertEquals(server.isServing(), false);
    for (let count = 0; count < 5; count += 1) yield* exchange(client);
    assertEquals(ending.done(), false);
    client.transport?.close();
    yield* ending;
    assertEquals(yield* client.lost, null);
    yield* server.shutdown();
  });

  test("shutdown() ends who talks, who is silent and who never reads", function* ({ loop }) {
    const crowd = yield* serveCrowd(loop, { talking: 20, idle: 5, deaf: 2 });
    yield* crowd.server.shutdown({ grace: 0.05 });
    assertEquals(crowd.server.waitClosed().done(), true);
    assertEquals(crowd.cancelled(), 27);
    for (const client of crowd.deaf) client.transport?.resumeReading();
    for (const client of crowd.clients) yield* client.lost;
    // A client that writes as its server closes may be reset.
    for (const client of crowd.idle) {
      assertEquals([client.error, client.text()], [null, ".bye"]);
    }
  });

  test("shutdown() closes what is no stream in good order", function* ({ loop }) {
    const server = yield* backend.serve(loop, () => ({
      connectionMade: (transport) => transport.write(utf8("flushed")),
    }));
    const client = yield* connect(loop, server);
    yield* client.received(7);
    yield* server.shutdown({ grace: 0 });
    yield* client.lost;
    assertEquals([client.error, client.text()], [null, "flushed"]);
  });

  test("shutdown() aborts what is left when it is cancelled", function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    const client = yield* connect(loop, server);
    yield* exchange(client);
    const ending = server.shutdown({ grace: 600 });
    yield* passIterations(3);
    ending.cancel();
    assertInstanceOf(yield* caughtBy(ending), CancelledError);
    yield* client.lost;
    yield* server.waitClosed();
  });

  test("serveForever() with a grace shuts the server down", function* ({ loop }) {
    for (const isAborted of [false, true]) {
      const server = yield* backend.serve(loop, createEcho);
      const client = yield* connect(loop, server);
      yield* exchange(client);
      const controller = new AbortController();
      const { signal } = controller;
      const task = createTask(() => server.serveForever({ grace: 0, signal }));
      yield* passIterations(2);
      const reason = new Error("enough");
      if (isAborted) controller.abort(reason);
      else task.cancel();
      const error = yield* caughtBy(task);
      if (isAborted) assertEquals(error, reason);
      else assertInstanceOf(error, CancelledError);
      yield* client.lost;
      assertEquals(server.waitClosed().done(), true);
    }
  });

  test("a signal that aborts before there is a server throws its reason", function* ({ loop }) {
    const reason = new Error("no longer wanted");
    const signal = AbortSignal.abort(reason);
    assertEquals(yield* caughtBy(backend.serve(loop, createEcho, { signal })), reason);
  });

  test("a server shows where it stands, in a line", function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    const place = /^<Server serving at="[^"]+"/;
    assertMatch(String(server), place);
    assertEquals(JSON.parse(JSON.stringify(server)), String(server));
    const client = yield* connect(loop, server);
    yield* exchange(client);
    assertMatch(Deno.inspect(server), / connections=1>$/);
    const { transport } = client;
    assertEquals(Deno.inspect(transport), "<StreamTransport open>");
    transport?.pauseReading();
    assertEquals(JSON.stringify(transport), '"<StreamTransport open reading=paused>"');
    transport?.resumeReading();
    server.close();
    assertMatch(String(server), /^<Server clos(ing|ed) connections=1>$/);
    client.transport?.close();
    yield* client.lost;
    yield* server.waitClosed();
    assertEquals(String(server), "<Server closed>");
  });

  test("a signal that aborts ends the server and its connections", function* ({ loop }) {
    const controller = new AbortController();
    const { signal } = controller;
    const server = yield* backend.serve(loop, createEcho, { signal });
    const client = yield* connect(loop, server);
    yield* exchange(client);
    controller.abort();
    assertEquals(server.isServing(), false);
    // Whoever is connected may go on for a while.
    yield* exchange(client);
    client.transport?.close();
    yield* client.lost;
    yield* server.waitClosed();
  });

  test("serveForever() ends with the server's signal, within its own grace", function* ({ loop }) {
    for (const isItsOwn of [false, true]) {
      const controller = new AbortController();
      const { signal } = controller;
      const server = yield* backend.serve(loop, createEcho, { signal });
      const client = yield* connect(loop, server);
      yield* exchange(client);
      const options = isItsOwn ? { grace: 0, signal } : { grace: 0 };
      const task = createTask(() => server.serveForever(options));
      yield* passIterations(2);
      const reason = new Error("enough");
      controller.abort(reason);
      for (const serve of [() => task, () => server.serveForever()]) {
        const error = yield* caughtBy(serve());
        assertInstanceOf(error, CancelledError);
        assertEquals(error.cause, reason);
        assertEquals(server.waitClosed().done(), true);
      }
      yield* client.lost;
    }
  });

  test("shutdown() and serveForever() refuse a grace that is none", function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    assertThrows(() => server.shutdown({ grace: -1 }), RangeError);
    assertThrows(() => server.shutdown({ grace: "1" as unknown as number }), TypeError);
    assertThrows(() => server.serveForever({ grace: NaN }), RangeError);
    server.close();
  });

  /** What a crowd is made of. */
  interface Crowd {
    server: Server;
    clients: Recorder[];
    /** Those that say nothing. */
    idle: Recorder[];
    /** Those that never read. */
    deaf: Recorder[];
    /** How many tasks that serve one were cancelled. */
    cancelled(): number;
  }

  /** Serves clients that talk all the time, that say nothing, and that never read. */
  function* serveCrowd(
    loop: DenoEventLoop,
    { talking, idle, deaf }: { talking: number; idle: number; deaf: number },
  ): Coroutine<Crowd> {
    let cancelled = 0;
    const serve = async (reader: StreamReader, writer: StreamWriter) => {
      try {
        for (;;) {
          const data = await reader.read(100);
          writer.write(data[0] === 0 ? new Uint8Array(backend.capacity) : data);
          await writer.drain();
        }
      } catch (error) {
        if (error instanceof CancelledError) cancelled += 1;
        writer.write(utf8("bye"));
        throw error;
      }
    };
    const server = yield* backend.serve(loop, () => {
      const options = { loop, clientConnected: serve };
      return new StreamReaderProtocol(new StreamReader({ loop }), options);
    });
    const clients: Recorder[] = [];
    for (let count = 0; count < talking + idle + deaf; count += 1) {
      clients.push(yield* connect(loop, server));
    }
    for (const client of clients) yield* exchange(client);
    for (const client of clients.slice(0, talking)) {
      client.dataReceived = (data) => {
        Recorder.prototype.dataReceived.call(client, data);
        // Not at once: a simulated local connection takes no time, which would then stand still.
        loop.callLater(0.001, () => client.transport?.write(data.subarray(0, 1)));
      };
      client.transport?.write(utf8("."));
    }
    const deafClients = clients.slice(talking + idle);
    for (const client of deafClients) {
      client.transport?.pauseReading();
      client.transport?.write(new Uint8Array(1));
    }
    yield* passIterations(3);
    const idleClients = clients.slice(talking, talking + idle);
    return {
      server,
      clients,
      idle: idleClients,
      deaf: deafClients,
      cancelled: () => cancelled,
    };
  }

  test("a server serves on when its factory throws", function* ({ loop, takeReports }) {
    const failure = new Error("factory");
    let count = 0;
    const server = yield* backend.serve(loop, () => {
      count += 1;
      if (count === 1) throw failure;
      if (count === 2) return undefined as unknown as ProtocolLike;
      return createEcho();
    });
    const first = yield* connect(loop, server);
    yield* first.lost;
    const second = yield* connect(loop, server);
    yield* second.lost;
    const third = yield* connect(loop, server);
    yield* exchange(third);

    const reports = takeReports();
    assertEquals(reports.map((report) => report.message), [
      "Error on transport creation for incoming connection",
      "Error on transport creation for incoming connection",
    ]);
    assertEquals(reports[0]?.exception, failure);
    assertInstanceOf(reports[1]?.exception, TypeError);
    third.transport?.close();
    server.close();
    yield* server.waitClosed();
  });

  test("an await using block closes a server and waits for its connections", function* ({ loop }) {
    let client: Recorder | null = null;
    let kept: Server | null = null;
    yield* createTask(async () => {
      await using server = await backend.serve(loop, createEcho);
      kept = server;
      client = new Recorder(loop);
      const recorder = client;
      await backend.connect(loop, server.address, () => recorder);
      loop.callSoon(() => recorder.transport?.close());
    });
    yield* (client as unknown as Recorder).lost;
    assertEquals((client as Recorder | null)?.log, ["made", "lost"]);
    assertEquals((kept as Server | null)?.isServing(), false);
  });

  test(
    "an error ends an await using block soon, although a client of the block is open",
    function* ({
      loop,
    }) {
      const failure = new Error("the block");
      let start = 0;
      const block = createTask(async () => {
        await using server = await backend.serve(loop, createEcho);
        const [transport] = await backend.connect(loop, server.address, () => ({}));
        transport.write(utf8("."));
        start = loop.time();
        throw failure;
      });
      assertEquals(yield* caughtBy(block), failure);
      // Half a second, and what a machine takes that has other things to do.
      assertEquals(loop.time() - start < 3, true);
    },
  );

  // Of TLS nearly all of the time is handshakes.
  const many = backend.endsWhole ? 200 : 1000;
  test(`${many} connections come and go, and nothing is left`, function* ({ loop }) {
    const server = yield* backend.serve(loop, createEcho);
    for (let round = 0; round < many; round += 20) {
      const clients: Recorder[] = [];
      for (let count = 0; count < 20; count += 1) clients.push(yield* connect(loop, server));
      for (const client of clients) yield* exchange(client);
      for (const client of clients) client.transport?.close();
      for (const client of clients) yield* client.lost;
    }
    server.close();
    yield* server.waitClosed();
  });

  Deno.test(`${backend.name}: closing the loop closes what is still open on it`, async () => {
    const loop = backend.createLoop();
    await loop.runUntilComplete(function* () {
      const server = yield* backend.serve(loop, createEcho);
      yield* connect(loop, server);
      backend.connect(loop, server.address, createEcho);
    });
    loop.close();
    await assertRejects(() => loop.runForever(), InvalidStateError);
  });
}

/** A protocol that sends back what it gets. */
function createEcho(): ProtocolLike {
  const recorder: ProtocolLike = {
    connectionMade(transport) {
      recorder.dataReceived = (data) => transport.write(data);
    },
  };
  return recorder;
}

/** Waits for `future` and gives what it throws. Fails if it throws nothing. */
function* caughtBy(future: Future<unknown>): Coroutine<unknown> {
  try {
    yield* future;
  } catch (error) {
    return error;
  }
  throw new Error("Expected an error, got none");
}
