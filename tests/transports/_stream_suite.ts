import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  BufferedProtocol,
  type Coroutine,
  type DenoEventLoop,
  type Future,
  InvalidStateError,
  type ProtocolLike,
  type Transport,
} from "../../mod.ts";
import {
  type Backend,
  closePair,
  connectPair,
  endStream,
  type Pair,
  passIterations,
  pattern,
  ping,
  Recorder,
  runOn,
  sameBytes,
  type Stage,
  utf8,
} from "./_backend.ts";

/** A connection between two recorders. */
type RecordedPair = Pair<Recorder, Recorder>;

/** Tests how a protocol is called, and what its transport does, over `backend`. */
export function testStreams(backend: Backend): void {
  const test = (name: string, main: (stage: Stage) => Coroutine<void>) => {
    Deno.test(`${backend.name}: ${name}`, () => runOn(backend, main));
  };

  /** Connects two recorders, after `setUp` has had a look at them. */
  function* connect(
    { loop }: Stage,
    setUp: (client: Recorder, peer: Recorder) => void = () => {},
  ): Coroutine<RecordedPair> {
    const client = new Recorder(loop);
    const peer = new Recorder(loop);
    setUp(client, peer);
    return yield* connectPair(backend, loop, client, peer);
  }

  test(
    "X01 a client is created, connected, then told data, the end and the loss",
    function* ({ loop }) {
      const log: string[] = [];
      const server = yield* backend.serve(loop, () => ({
        connectionMade(transport) {
          transport.write(utf8("hi"));
          transport.close();
        },
      }));
      const lost = loop.createFuture<void>();
      const factory = (): ProtocolLike => {
        log.push("factory");
        return {
          connectionMade: () => void log.push("made"),
          dataReceived: (data) => void log.push(`data ${new TextDecoder().decode(data)}`),
          eofReceived: () => void log.push("eof"),
          connectionLost(error) {
            log.push(`lost ${error}`);
            lost.setResult();
          },
        };
      };

      yield* backend.connect(loop, server.address, factory);
      log.push("returned");
      yield* lost;

      assertEquals(log, ["factory", "made", "returned", "data hi", "eof", "lost null"]);
      server.close();
      yield* server.waitClosed();
    },
  );

  test(
    "what dataReceived() is given can be transferred, and takes nothing from anybody",
    function* (stage) {
      const pair = yield* connect(stage);
      const other = yield* connect(stage);
      const kept: Uint8Array[] = [];
      for (const { clientProtocol } of [pair, other]) {
        clientProtocol.dataReceived = (data) => {
          assertEquals(data.buffer.byteLength, data.length);
          Recorder.prototype.dataReceived.call(clientProtocol, data.slice());
          if (clientProtocol === pair.clientProtocol) {
            structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
          } else kept.push(data);
        };
      }
      for (let size = 1; size < 20_000; size = size * 2 + 1) {
        for (const { peer, clientProtocol } of [other, pair]) {
          const arrived = clientProtocol.received(clientProtocol.size + size);
          peer.write(pattern(size));
          yield* arrived;
        }
      }
      assertEquals(pair.clientProtocol.bytes(), other.clientProtocol.bytes());
      const size = kept.reduce((sum, data) => sum + data.length, 0);
      assertEquals(size, other.clientProtocol.size);
      yield* closePair(pair);
      yield* closePair(other);
    },
  );

  test("a connection tells where its ends are", function* (stage) {
    const pair = yield* connect(stage);

    assertEquals(pair.client.getExtraInfo("peername"), pair.peer.getExtraInfo("sockname"));
    assertEquals(pair.client.getExtraInfo("no such"), undefined);
    assertEquals(pair.client.getExtraInfo("no such", 7), 7);
    yield* closePair(pair);
  });

  test("a protocol needs no method at all", function* ({ loop }) {
    const server = yield* backend.serve(loop, () => ({}));
    const address = server.address;
    const [transport] = yield* backend.connect(loop, address, () => ({}));
    transport.write(utf8("unheard"));
    endStream(transport);
    server.close();
    yield* server.waitClosed();
    transport.close();
  });

  test(
    "X02 close() takes effect at once and tells the protocol later, exactly once",
    function* (stage) {
      const pair = yield* connect(stage);
      pair.peer.write(utf8("too late"));

      pair.client.close();
      assertEquals(pair.client.isClosing(), true);
      assertEquals(pair.client.isReading(), false);
      assertEquals(pair.clientProtocol.log, ["made"]);
      pair.client.close();
      pair.client.abort();
      assertEquals(yield* pair.clientProtocol.lost, null);
      pair.client.close();
      pair.client.abort();
      yield* pair.peerProtocol.lost;
      yield* passIterations(3);

      assertEquals(pair.clientProtocol.log, ["made", "lost"]);
      assertEquals(pair.peerProtocol.log.filter((entry) => entry === "lost"), ["lost"]);
    },
  );

  test("X02 close() in connectionMade() comes before any data", function* (stage) {
    const pair = yield* connect(stage, (client) => {
      client.connectionMade = (transport) => {
        client.log.push("made");
        transport.close();
        client.log.push("closed");
      };
    });
    yield* pair.clientProtocol.lost;

    assertEquals(pair.clientProtocol.log, ["made", "closed", "lost"]);
    yield* pair.peerProtocol.lost;
  });

  test(
    "X06 pauseReading() holds data until resumeReading(), and both are idempotent",
    function* (stage) {
      const pair = yield* connect(stage);
      const { client, clientProtocol, peer } = pair;

      client.pauseReading();
      client.pauseReading();
      assertEquals(client.isReading(), false);
      peer.write(utf8("held"));
      yield* ping(pair);
      yield* ping(pair);
      assertEquals(clientProtocol.text(), "");

      client.resumeReading();
      client.resumeReading();
      assertEquals(client.isReading(), true);
      assertEquals(clientProtocol.text(), "");
      yield* clientProtocol.received(4);
      assertEquals(clientProtocol.text(), "held");
      yield* closePair(pair);
      client.pauseReading();
      client.resumeReading();
      assertEquals(client.isReading(), false);
    },
  );

  test(
    "X06 data that is held goes to the protocol once, however often it is paused",
    function* (stage) {
      const pair = yield* connect(stage);
      const { client, clientProtocol, peer } = pair;
      client.pauseReading();
      peer.write(utf8("a"));
      yield* ping(pair);

      client.resumeReading();
      client.pauseReading();
      yield* passIterations(3);
      assertEquals(clientProtocol.text(), "");
      client.resumeReading();
      client.pauseReading();
      client.resumeReading();
      yield* clientProtocol.received(1);
      peer.write(utf8("b"));
      yield* clientProtocol.received(2);

      assertEquals(clientProtocol.text(), "ab");
      yield* closePair(pair);
    },
  );

  test("X06 the end of the stream is held while reading is paused", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer } = pair;
    client.pauseReading();
    endStream(peer);
    if (!backend.endsWhole) {
      yield* ping(pair);
      yield* ping(pair);
    }
    yield* passIterations(3);
    assertEquals(clientProtocol.log, ["made"]);

    client.resumeReading();
    yield* clientProtocol.lost;
    assertEquals(clientProtocol.log, ["made", "eof", "lost"]);
    yield* closePair(pair);
  });

  test("X18 pauseReading() in connectionMade() holds what comes first", function* (stage) {
    const pair = yield* connect(stage, (client) => {
      client.connectionMade = (transport) => transport.pauseReading();
    });
    for (const text of ["first", "second", "third"]) {
      pair.peer.write(utf8(text));
      yield* ping(pair);
      yield* ping(pair);
    }
    assertEquals(pair.clientProtocol.text(), "");

    pair.client.resumeReading();
    yield* pair.clientProtocol.received("firstsecondthird".length);
    assertEquals(pair.clientProtocol.text(), "firstsecondthird");
    yield* closePair(pair);
  });

  test(
    "X07 write() takes bytes only, an empty write does nothing, none comes after writeEof()",
    function* (stage) {
      const pair = yield* connect(stage);
      const { client, peerProtocol } = pair;

      for (const wrong of ["text", null, undefined, 7, new ArrayBuffer(1), [1]]) {
        assertThrows(() => client.write(wrong as unknown as Uint8Array), TypeError);
        assertThrows(() => client.writelines([wrong as unknown as Uint8Array]), TypeError);
      }
      client.write(new Uint8Array(0));
      client.writelines([]);
      client.writelines([utf8("one "), utf8(""), utf8("two")]);
      if (backend.endsWhole) return yield* refuseHalfClose(pair);
      assertEquals(client.canWriteEof(), true);
      client.writeEof();
      client.writeEof();
      assertThrows(
        () => client.write(utf8("more")),
        InvalidStateError,
        "Cannot write to a transport: writeEof() was called",
      );

      yield* peerProtocol.lost;
      assertEquals(peerProtocol.text(), "one two");
      yield* pair.clientProtocol.lost;
    },
  );

  /** What comes in place of the end of one side where both end together. */
  function* refuseHalfClose({ client, clientProtocol, peerProtocol }: RecordedPair) {
    assertEquals(client.canWriteEof(), false);
    assertThrows(
      () => client.writeEof(),
      InvalidStateError,
      "Cannot end one side of a connection: TLS ends both or none",
    );
    client.close();
    yield* peerProtocol.lost;
    assertEquals(peerProtocol.text(), "one two");
    yield* clientProtocol.lost;
  }

  test("X08 a protocol that keeps its half open answers after the end", function* (stage) {
    if (backend.endsWhole) return yield* endBothAtOnce(stage);
    const pair = yield* connect(stage, (_client, peer) => {
      peer.keepOpen = true;
      peer.eofReceived = () => {
        peer.log.push("eof");
        peer.transport?.write(utf8("resp"));
        peer.transport?.close();
        return true;
      };
    });

    pair.client.write(utf8("request"));
    pair.client.writeEof();
    yield* pair.clientProtocol.lost;
    yield* pair.peerProtocol.lost;

    assertEquals(pair.clientProtocol.text(), "resp");
    assertEquals(pair.clientProtocol.log, ["made", "data", "eof", "lost"]);
    assertEquals(pair.peerProtocol.log, ["made", "data", "eof", "lost"]);
  });

  /** Without a half close the answer of `eofReceived()` changes nothing. */
  function* endBothAtOnce(stage: Stage): Coroutine<void> {
    const pair = yield* connect(stage, (_client, peer) => {
      peer.keepOpen = true;
    });
    pair.client.write(utf8("request"));
    pair.client.close();
    yield* pair.clientProtocol.lost;
    yield* pair.peerProtocol.lost;
    assertEquals(pair.clientProtocol.log, ["made", "lost"]);
    assertEquals(pair.peerProtocol.log, ["made", "data", "eof", "lost"]);
  }

  test(
    "X10 an error in dataReceived() is reported and ends the connection with it",
    function* (stage) {
      const failure = new Error("data");
      const pair = yield* connect(stage, (client) => {
        client.dataReceived = () => {
          throw failure;
        };
      });

      pair.peer.write(utf8("x"));
      assertEquals(yield* pair.clientProtocol.lost, failure);

      const [report, ...others] = stage.takeReports();
      assertEquals(report, {
        message: "Fatal error: protocol.dataReceived() call failed",
        exception: failure,
        protocol: pair.clientProtocol,
        transport: pair.client,
      });
      assertEquals(others, []);
      yield* pair.peerProtocol.lost;
    },
  );

  test(
    "X10 an error in eofReceived() is reported and ends the connection with it",
    function* (stage) {
      const failure = new Error("eof");
      const pair = yield* connect(stage, (client) => {
        client.eofReceived = () => {
          throw failure;
        };
      });

      endStream(pair.peer);
      assertEquals(yield* pair.clientProtocol.lost, failure);

      const messages = stage.takeReports().map((report) => report.message);
      assertEquals(messages, ["Fatal error: protocol.eofReceived() call failed"]);
      yield* pair.peerProtocol.lost;
    },
  );

  test(
    "X10 an error in connectionMade() is reported, and the connection stands",
    function* (stage) {
      const failure = new Error("made");
      const pair = yield* connect(stage, (client) => {
        client.connectionMade = () => {
          throw failure;
        };
      });

      const reports = stage.takeReports().map(({ message, exception }) => ({ message, exception }));
      assertEquals(reports, [{
        message: "Exception in protocol.connectionMade()",
        exception: failure,
      }]);
      pair.peer.write(utf8("still"));
      yield* pair.clientProtocol.received(5);
      yield* closePair(pair);
    },
  );

  test("X10 an error in connectionLost() is reported, once", function* (stage) {
    const failure = new Error("lost");
    const told = stage.loop.createFuture<void>();
    const pair = yield* connectPair(backend, stage.loop, new Recorder(stage.loop), {
      connectionLost() {
        told.setResult();
        throw failure;
      },
    } as ProtocolLike);

    pair.peer.abort();
    yield* told;
    yield* pair.clientProtocol.lost;
    assertEquals(stage.takeReports().map((report) => report.exception), [failure]);
  });

  test("what a protocol throws and is no error arrives as the cause of one", function* (stage) {
    const pair = yield* connect(stage, (client) => {
      client.dataReceived = () => {
        // deno-lint-ignore no-throw-literal -- what happens then is the point
        throw "a string";
      };
    });

    pair.peer.write(utf8("x"));
    const error = yield* pair.clientProtocol.lost;
    assertInstanceOf(error, Error);
    assertEquals(error.cause, "a string");
    assertEquals(stage.takeReports().map((report) => report.exception), ["a string"]);
    yield* pair.peerProtocol.lost;
  });

  test("X15 a buffered protocol reads into its own memory", function* (stage) {
    const log: (number | string)[] = [];
    const text: string[] = [];
    const lost = stage.loop.createFuture<void>();
    const memory = new Uint8Array(4);
    class Four extends BufferedProtocol {
      override getBuffer(sizeHint: number): Uint8Array {
        assertEquals(sizeHint, -1);
        return memory;
      }
      override bufferUpdated(count: number): void {
        log.push(count);
        text.push(new TextDecoder().decode(memory.subarray(0, count)));
      }
      override eofReceived(): void {
        log.push("eof");
      }
      override connectionLost(): void {
        lost.setResult();
      }
    }
    const pair = yield* connectPair(backend, stage.loop, new Four(), new Recorder(stage.loop));

    pair.peer.write(utf8("0123456789"));
    endStream(pair.peer);
    yield* lost;

    assertEquals(log, [4, 4, 2, "eof"]);
    assertEquals(text.join(""), "0123456789");
    yield* pair.peerProtocol.lost;
  });

  test("X15 a buffered protocol without room loses its connection", function* (stage) {
    const lost = stage.loop.createFuture<Error | null>();
    const pair = yield* connectPair(backend, stage.loop, {
      getBuffer: () => new Uint8Array(0),
      connectionLost: (error: Error | null) => lost.setResult(error),
    } as ProtocolLike, new Recorder(stage.loop));
    // Pipes ask for room only when something has come.
    pair.peer.write(utf8("x"));

    assertInstanceOf(yield* lost, TypeError);
    const messages = stage.takeReports().map((report) => report.message);
    assertEquals(messages, ["Fatal error: protocol.getBuffer() call failed"]);
    yield* pair.peerProtocol.lost;
  });

  test(
    "X15 an error in bufferUpdated() is reported and ends the connection with it",
    function* (stage) {
      const failure = new Error("updated");
      const lost = stage.loop.createFuture<Error | null>();
      const pair = yield* connectPair(backend, stage.loop, {
        getBuffer: () => new Uint8Array(8),
        bufferUpdated() {
          throw failure;
        },
        connectionLost: (error: Error | null) => lost.setResult(error),
      } as ProtocolLike, new Recorder(stage.loop));

      pair.peer.write(utf8("x"));
      assertEquals(yield* lost, failure);
      const messages = stage.takeReports().map((report) => report.message);
      assertEquals(messages, ["Fatal error: protocol.bufferUpdated() call failed"]);
      yield* pair.peerProtocol.lost;
    },
  );

  test("a buffered protocol may echo from the memory that it reads into", function* (stage) {
    const { loop } = stage;
    const memory = new Uint8Array(10_000);
    let echo: Transport | null = null;
    const pair = yield* connectPair(backend, loop, new Recorder(loop), {
      connectionMade: (transport: Transport) => void (echo = transport),
      getBuffer: () => memory,
      bufferUpdated(count: number) {
        // The second piece waits for the first one.
        echo?.write(memory.subarray(0, count >> 1));
        echo?.write(memory.subarray(count >> 1, count));
      },
    } as ProtocolLike);
    const { client, clientProtocol } = pair;
    const sent = pattern(backend.capacity);

    // The client reads only once the links are full, so the echo has to wait with its reads.
    client.pauseReading();
    client.write(sent);
    yield* passIterations(20);
    client.resumeReading();
    yield* clientProtocol.received(sent.length);

    assert(sameBytes(clientProtocol.bytes(), sent));
    client.abort();
    yield* clientProtocol.lost;
  });

  test("setProtocol() hands over in mid-stream, in every combination of kinds", function* (stage) {
    const { loop } = stage;
    for (
      const [from, to] of [["plain", "plain"], ["plain", "buffered"], ["buffered", "plain"], [
        "buffered",
        "buffered",
      ]]
    ) {
      const first = new Taker(loop, from === "buffered");
      const second = new Taker(loop, to === "buffered");
      const pair = yield* connectPair(backend, loop, first.protocol, new Recorder(loop));
      pair.peer.write(utf8("before"));
      yield* first.received(6);

      pair.client.setProtocol(second.protocol);
      assertEquals(pair.client.getProtocol(), second.protocol);
      pair.peer.write(utf8("and after"));
      yield* second.received(9);

      assertEquals([first.text, second.text], ["before", "and after"], `${from} to ${to}`);
      pair.client.abort();
      yield* pair.peerProtocol.lost;
    }
  });

  test("bytes that come one at a time arrive whole, for every kind of protocol", function* (stage) {
    const { loop } = stage;
    const bytes = pattern(2000).map((byte) => byte & 0x7f);
    for (const isBuffered of [false, true]) {
      const taker = new Taker(loop, isBuffered);
      const pair = yield* connectPair(backend, loop, taker.protocol, new Recorder(loop));
      const received = taker.received(bytes.length);
      for (let index = 0; index < bytes.length; index += 1) {
        pair.peer.write(bytes.subarray(index, index + 1));
        yield;
      }
      yield* received;
      assertEquals(taker.text, new TextDecoder().decode(bytes));
      pair.client.abort();
      yield* pair.peerProtocol.lost;
    }
  });

  test("data that a protocol has kept is its own", function* (stage) {
    const pair = yield* connect(stage);
    for (const text of ["first", "second", "third"]) {
      pair.peer.write(utf8(text));
      yield* pair.clientProtocol.received(pair.clientProtocol.size + text.length);
    }
    assertEquals(pair.clientProtocol.text(), "firstsecondthird");

    // Not even a program that gives the memory away disturbs what comes later.
    structuredClone(null, { transfer: [pair.clientProtocol.chunks[0]?.buffer as ArrayBuffer] });
    const second = new Recorder(stage.loop);
    pair.client.setProtocol(second);
    pair.peer.write(utf8("fourth"));
    yield* second.received(6);
    assertEquals(second.text(), "fourth");
    pair.client.abort();
    yield* pair.peerProtocol.lost;
  });
}

/** A protocol of either kind that collects text. */
class Taker {
  readonly protocol: ProtocolLike;
  text = "";
  readonly #loop: DenoEventLoop;
  #wanted: { size: number; future: Future<void> } | null = null;

  constructor(loop: DenoEventLoop, isBuffered: boolean) {
    this.#loop = loop;
    const memory = new Uint8Array(4);
    this.protocol = isBuffered
      ? {
        getBuffer: () => memory,
        bufferUpdated: (count) => this.#take(memory.subarray(0, count)),
      }
      : { dataReceived: (data) => this.#take(data) };
  }

  /** Waits until `size` bytes have come in all. */
  received(size: number): Future<void> {
    const future = this.#loop.createFuture<void>();
    this.#wanted = { size, future };
    this.#take(new Uint8Array(0));
    return future;
  }

  #take(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
    if (this.#wanted !== null && this.text.length >= this.#wanted.size) {
      this.#wanted.future.setResult();
      this.#wanted = null;
    }
  }
}
