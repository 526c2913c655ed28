import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { type Coroutine, InvalidStateError } from "../../mod.ts";
import {
  type Backend,
  closePair,
  connectPair,
  type Pair,
  passIterations,
  pattern,
  Recorder,
  runOn,
  sameBytes,
  type Stage,
  utf8,
} from "./_backend.ts";

/** What may become of memory that is still to be sent. */
const CHANGES: readonly [name: string, change: (buffer: ArrayBuffer) => void][] = [
  ["transferred", (buffer) => void structuredClone(buffer, { transfer: [buffer] })],
  ["shrunk", (buffer) => buffer.resize(buffer.byteLength >> 2)],
  ["shrunk to nothing", (buffer) => buffer.resize(0)],
  ["grown", (buffer) => buffer.resize(buffer.maxByteLength)],
];

/** What is written in the tests of closing. */
const LAST = "the last but one and another";

/** Tests the write buffer of transports, its marks and its end, over `backend`. */
export function testFlowControl(backend: Backend): void {
  const test = (name: string, main: (stage: Stage) => Coroutine<void>) => {
    Deno.test(`${backend.name}: ${name}`, () => runOn(backend, main));
  };

  /** Connects a client to a peer that does not read until it is told to. */
  function* connectToSilent({ loop }: Stage): Coroutine<Pair<Recorder, Recorder>> {
    const peer = new Recorder(loop);
    peer.connectionMade = (transport) => transport.pauseReading();
    return yield* connectPair(backend, loop, new Recorder(loop), peer);
  }

  /** Writes more than the connection takes, with marks too high to notice. */
  function* fill({ client }: Pair<Recorder, Recorder>): Coroutine<Uint8Array> {
    client.setWriteBufferLimits({ high: backend.capacity * 2 });
    const bytes = pattern(backend.capacity);
    client.write(bytes);
    yield* passIterations(3);
    return bytes;
  }

  test("X03 the marks are 16 KiB and 64 KiB, and each gives the other", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client } = pair;
    assertEquals(client.getWriteBufferLimits(), [16_384, 65_536]);

    client.setWriteBufferLimits({ high: 1000 });
    assertEquals(client.getWriteBufferLimits(), [250, 1000]);
    client.setWriteBufferLimits({ low: 100 });
    assertEquals(client.getWriteBufferLimits(), [100, 400]);
    client.setWriteBufferLimits({ high: 0 });
    assertEquals(client.getWriteBufferLimits(), [0, 0]);
    client.setWriteBufferLimits();
    assertEquals(client.getWriteBufferLimits(), [16_384, 65_536]);
    assertThrows(
      () => client.setWriteBufferLimits({ high: 10, low: 20 }),
      RangeError,
      "Cannot set write buffer limits as high must be >= low must be >= 0: high is 10 and low is 20",
    );
    assertThrows(() => client.setWriteBufferLimits({ low: -1 }), RangeError);
    assertThrows(() => client.setWriteBufferLimits({ high: NaN }), RangeError);
    assertEquals(client.getWriteBufferLimits(), [16_384, 65_536]);
    yield* closePair(pair);
  });

  test("X04 pauseWriting() comes once, above the high mark and not at it", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client, clientProtocol } = pair;
    yield* fill(pair);

    const high = client.getWriteBufferSize() + 10;
    client.setWriteBufferLimits({ high, low: 5 });
    client.write(new Uint8Array(10));
    assertEquals(client.getWriteBufferSize(), high);
    assertEquals(clientProtocol.log, ["made"]);

    client.write(new Uint8Array(1));
    assertEquals(clientProtocol.log, ["made", "pause"]);
    client.write(new Uint8Array(1));
    assertEquals(clientProtocol.log, ["made", "pause"]);
    yield* closePair(pair);
  });

  test(
    "X05 resumeWriting() comes once, at the low mark or below, and every byte arrives",
    function* (stage) {
      const pair = yield* connectToSilent(stage);
      const { client, clientProtocol, peer, peerProtocol } = pair;
      const sizes: number[] = [];
      clientProtocol.resumeWriting = () => {
        clientProtocol.log.push("resume");
        sizes.push(client.getWriteBufferSize());
      };
      const bytes = yield* fill(pair);
      const low = 1000;
      client.setWriteBufferLimits({ high: client.getWriteBufferSize() - 1, low });
      assertEquals(clientProtocol.log, ["made", "pause"]);
      client.write(pattern(3000));

      peer.resumeReading();
      yield* peerProtocol.received(bytes.length + 3000);
      yield* passIterations(20);

      assertEquals(clientProtocol.log, ["made", "pause", "resume"]);
      assertLess(sizes[0] as number, low + 1);
      assertEquals(client.getWriteBufferSize(), 0);
      const received = peerProtocol.bytes();
      assert(sameBytes(received.subarray(0, bytes.length), bytes));
      assert(sameBytes(received.subarray(bytes.length), pattern(3000)));
      yield* closePair(pair);
    },
  );

  test("X05 lower marks set later pause at once", function* (stage) {
    const pair = yield* connectToSilent(stage);
    yield* fill(pair);
    assertEquals(pair.clientProtocol.log, ["made"]);

    pair.client.setWriteBufferLimits({ high: pair.client.getWriteBufferSize() });
    assertEquals(pair.clientProtocol.log, ["made"]);
    pair.client.setWriteBufferLimits({ high: pair.client.getWriteBufferSize() - 1 });
    assertEquals(pair.clientProtocol.log, ["made", "pause"]);
    yield* closePair(pair);
  });

  test(
    "X10 errors in pauseWriting() and resumeWriting() are reported, and writing goes on",
    function* (stage) {
      const pair = yield* connectToSilent(stage);
      const { client, clientProtocol, peer, peerProtocol } = pair;
      clientProtocol.pauseWriting = () => {
        throw new Error("pause");
      };
      clientProtocol.resumeWriting = () => {
        throw new Error("resume");
      };
      const bytes = yield* fill(pair);
      client.setWriteBufferLimits({ high: 0 });

      peer.resumeReading();
      yield* peerProtocol.received(bytes.length);
      yield* passIterations(20);

      const messages = stage.takeReports().map((report) => report.message);
      assertEquals(messages, [
        "Exception in protocol.pauseWriting()",
        "Exception in protocol.resumeWriting()",
      ]);
      assertEquals(client.isClosing(), false);
      yield* closePair(pair);
    },
  );

  test("many small writes in one callback arrive whole and in order", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client, peer, peerProtocol } = pair;
    const bytes = pattern(300_000);
    for (let start = 0; start < bytes.length; start += 100) {
      client.write(bytes.subarray(start, start + 100));
    }
    peer.resumeReading();
    yield* peerProtocol.received(bytes.length);

    assert(sameBytes(peerProtocol.bytes(), bytes));
    yield* closePair(pair);
  });

  test("writes of every size, queued behind a full connection, arrive in order", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client, peer, peerProtocol } = pair;
    const filling = yield* fill(pair);
    const bytes = pattern(1_000_000);
    let start = 0;
    for (let size = 1; start < bytes.length; size = size * 2 + 1) {
      client.writelines([
        bytes.subarray(start, start + 1),
        bytes.subarray(start + 1, start + size),
      ]);
      start += size;
    }
    peer.resumeReading();
    yield* peerProtocol.received(filling.length + bytes.length);

    assert(sameBytes(peerProtocol.bytes().subarray(filling.length), bytes));
    yield* closePair(pair);
  });

  test("X09 close() sends what is buffered before the loss", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    const bytes = yield* fill(pair);
    client.write(utf8("the last"));

    client.close();
    client.write(utf8(" but one"));
    client.writelines([utf8(" and"), utf8(" another")]);
    yield* passIterations(3);
    assertEquals(clientProtocol.log, ["made"]);
    assertEquals(client.isClosing(), true);
    peer.resumeReading();
    assertEquals(yield* clientProtocol.lost, null);
    assertEquals(client.getWriteBufferSize(), 0);
    yield* peerProtocol.lost;

    assertEquals(new TextDecoder().decode(peerProtocol.bytes().subarray(bytes.length)), LAST);
    assertEquals(peerProtocol.log, ["data", "eof", "lost"]);
    yield* pair.server.waitClosed();
    // Nothing is there that would send it.
    client.write(utf8("dropped"));
    assertEquals(client.getWriteBufferSize(), 0);
  });

  test(
    "X09 close() waits for what a protocol writes as it is resumed, and for what that adds",
    function* (stage) {
      const pair = yield* connectToSilent(stage);
      const { client, clientProtocol, peer, peerProtocol } = pair;
      const bytes = pattern(backend.capacity);
      let resumed = 0;
      clientProtocol.resumeWriting = () => {
        clientProtocol.log.push("resume");
        client.write(++resumed === 1 ? bytes : utf8("the end"));
      };
      client.write(bytes);
      client.close();

      peer.resumeReading();
      assertEquals(yield* clientProtocol.lost, null);
      yield* peerProtocol.lost;
      assertEquals(clientProtocol.log, ["made", "pause", "resume", "pause", "resume", "lost"]);
      const sent = peerProtocol.bytes();
      assert(sameBytes(sent.subarray(0, bytes.length), bytes));
      assert(sameBytes(sent.subarray(bytes.length, bytes.length * 2), bytes));
      assertEquals(new TextDecoder().decode(sent.subarray(bytes.length * 2)), "the end");
    },
  );

  test(
    "close() after all went out waits for a protocol that is yet to be resumed",
    function* (stage) {
      const pair = yield* connectToSilent(stage);
      const { client, clientProtocol, peer, peerProtocol } = pair;
      const bytes = pattern(backend.capacity);
      clientProtocol.resumeWriting = () => {
        clientProtocol.log.push("resume");
        client.write(utf8("the end"));
      };
      client.write(bytes);
      peer.resumeReading();
      while (client.getWriteBufferSize() > 0) yield;
      client.close();

      assertEquals(yield* clientProtocol.lost, null);
      yield* peerProtocol.lost;
      assertEquals(clientProtocol.log, ["made", "pause", "resume", "lost"]);
      assertEquals(peerProtocol.size, bytes.length + "the end".length);
    },
  );

  for (const [name, change] of CHANGES) {
    test(
      `memory to send that is ${name} fails the connection, and nothing waits`,
      function* (stage) {
        for (const isQueued of [false, true]) {
          for (const pause of [0, 3]) {
            const pair = yield* connectToSilent(stage);
            const { client, clientProtocol, peer, peerProtocol } = pair;
            const bytes = pattern(backend.capacity);
            if (isQueued) client.write(bytes);
            const buffer = new ArrayBuffer(bytes.length, { maxByteLength: bytes.length * 2 });
            const data = new Uint8Array(buffer);
            data.set(bytes);
            client.write(data);
            yield* passIterations(pause);
            change(buffer);
            client.close();

            peer.resumeReading();
            const error = yield* clientProtocol.lost;
            yield* peerProtocol.lost;
            assertEquals(client.getWriteBufferSize(), 0);
            // Where the channel has made a copy in time, it sends that.
            if (error === null) assert(sameBytes(peerProtocol.bytes(), bytes));
            else {
              assertInstanceOf(error, InvalidStateError);
              assertStringIncludes(error.message, "its memory was transferred or resized");
            }
            if (isQueued) assert(error !== null);
          }
        }
      },
    );
  }

  test("write() takes any Uint8Array, and no memory that is gone", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client, peer, peerProtocol } = pair;
    const shared = new Uint8Array(new SharedArrayBuffer(7));
    shared.set(utf8("shared "));
    const resizable = new ArrayBuffer(10, { maxByteLength: 20 });
    const gone = new Uint8Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const outside = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 8 }), 4, 4);
    (outside.buffer as ArrayBuffer).resize(2);

    for (const memory of [gone, outside]) {
      assertThrows(() => client.write(memory), TypeError, "the memory of the data is gone");
      assertThrows(() => client.writelines([shared, memory]), TypeError, "is gone");
    }
    client.write(Buffer.from("a Buffer "));
    client.write(shared);
    new Uint8Array(resizable).set(utf8("resizable"));
    client.write(new Uint8Array(resizable, 0, 9));
    client.write(new Uint8Array(resizable, 3, 0));
    client.writelines([Buffer.from(" and"), shared.subarray(6), Buffer.from("joined")]);
    const text = "a Buffer shared resizable and joined";
    peer.resumeReading();
    yield* peerProtocol.received(text.length);
    assertEquals(peerProtocol.text(), text);
    yield* closePair(pair);
  });

  test("X09 writeEof() sends what is buffered before the end", function* (stage) {
    // Both directions end together: close() is tested above.
    if (backend.endsWhole) return;
    const pair = yield* connectToSilent(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    const bytes = yield* fill(pair);

    client.writeEof();
    peer.resumeReading();
    yield* peerProtocol.eof;
    assertEquals(peerProtocol.size, bytes.length);
    assertEquals(yield* clientProtocol.lost, null);
    assertEquals(clientProtocol.log, ["made", "eof", "lost"]);
    yield* peerProtocol.lost;
  });

  test("X09 abort() drops what is buffered, and the loss comes at once", function* (stage) {
    const pair = yield* connectToSilent(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    const bytes = yield* fill(pair);

    client.abort();
    assertEquals(client.getWriteBufferSize(), 0);
    assertEquals(clientProtocol.log, ["made"]);
    yield* passIterations(2);
    assertEquals(clientProtocol.log, ["made", "lost"]);
    assertEquals(clientProtocol.error, null);

    peer.resumeReading();
    yield* peerProtocol.lost;
    assertLess(peerProtocol.size, bytes.length);
  });

  test("X09 abort() while close() is flushing ends the wait", function* (stage) {
    const pair = yield* connectToSilent(stage);
    yield* fill(pair);
    pair.client.close();
    pair.client.abort();
    yield* passIterations(2);
    assertEquals(pair.clientProtocol.log, ["made", "lost"]);
    yield* closePair(pair);
  });

  test(
    "X16 writes after the loss are dropped, with a warning from the fifth on",
    function* (stage) {
      const pair = yield* connectToSilent(stage);
      const warnings: unknown[] = [];
      const warn = console.warn;
      console.warn = (message: unknown) => void warnings.push(message);
      try {
        pair.client.abort();
        for (let count = 0; count < 8; count += 1) pair.client.write(utf8("x"));
      } finally {
        console.warn = warn;
      }
      assertEquals(
        warnings,
        [5, 6, 7, 8].map((count) =>
          `Dropping write ${count} to a transport: the connection is lost`
        ),
      );
      yield* closePair(pair);
    },
  );
}
