import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  InvalidStateError,
  type SendableFile,
  SendfileNotAvailableError,
  type WriteTransport,
} from "../../mod.ts";
import {
  type Backend,
  closePair,
  connectPair,
  errorOf,
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

/** Tests `loop.sendfile()` over `backend`. */
export function testSendfile(backend: Backend): void {
  const test = (name: string, main: (stage: Stage) => Coroutine<void>) => {
    Deno.test(`${backend.name}: sendfile() ${name}`, () => runOn(backend, main));
  };

  function* connect({ loop }: Stage): Coroutine<Pair<Recorder, Recorder>> {
    return yield* connectPair(backend, loop, new Recorder(loop), new Recorder(loop));
  }

  test("sends a file whole, and gives its length", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peerProtocol } = pair;
    const file = new MemoryFile(pattern(backend.capacity));
    const size = file.bytes.length;
    client.write(utf8("before "));

    assertEquals(yield* stage.loop.sendfile(client, file), size);
    assertEquals(client.getWriteBufferSize(), 0);
    assertEquals(client.getWriteBufferLimits(), [16_384, 65_536]);
    assertEquals(client.getProtocol(), clientProtocol);
    client.write(utf8(" after"));
    yield* peerProtocol.received(size + 13);

    assert(sameBytes(peerProtocol.bytes().subarray(7, size + 7), file.bytes));
    assertEquals(peerProtocol.text().slice(-6), " after");
    assertEquals(file.position, size);
    assertEquals(clientProtocol.log, ["made"]);
    yield* closePair(pair);
  });

  test("sends a part, and stops at the end of the file", function* (stage) {
    const pair = yield* connect(stage);
    const { client, peerProtocol } = pair;
    const file = new MemoryFile(utf8("0123456789"));
    const { loop } = stage;

    assertEquals(yield* loop.sendfile(client, file, { offset: 3, count: 4 }), 4);
    assertEquals(file.position, 7);
    assertEquals(yield* loop.sendfile(client, file, { offset: 8, count: 100 }), 2);
    assertEquals(yield* loop.sendfile(client, file, { offset: 99 }), 0);
    yield* peerProtocol.received(6);

    assertEquals(peerProtocol.text(), "345689");
    yield* closePair(pair);
  });

  test("reads no more than two pieces ahead of a peer that does not read", function* (stage) {
    const pair = yield* connect(stage);
    const { client, peer, peerProtocol } = pair;
    peer.pauseReading();
    const file = new MemoryFile(pattern(backend.capacity * 2));
    const size = file.bytes.length;

    const sending = stage.loop.sendfile(client, file);
    yield* settled(() => file.position);
    assertLess(client.getWriteBufferSize(), 256 * 1024 + 1);
    assertLess(file.position, backend.capacity + 512 * 1024);
    assertEquals(sending.done(), false);
    peer.resumeReading();

    assertEquals(yield* sending, size);
    yield* peerProtocol.received(size);
    assert(sameBytes(peerProtocol.bytes(), file.bytes));
    yield* closePair(pair);
  });

  test("keeps data back until it is done", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    const file = new MemoryFile(pattern(150_000));
    const gate = Promise.withResolvers<void>();
    file.gate = gate.promise;

    const sending = stage.loop.sendfile(client, file);
    peer.write(utf8("meanwhile"));
    yield* peerProtocol.received(100_000);
    yield* passIterations(20);
    assertEquals(clientProtocol.text(), "");
    gate.resolve();
    yield* sending;
    yield* clientProtocol.received(9);

    assertEquals(clientProtocol.text(), "meanwhile");
    yield* closePair(pair);
  });

  test("leaves reading paused that was paused before", function* (stage) {
    const pair = yield* connect(stage);
    pair.client.pauseReading();
    yield* stage.loop.sendfile(pair.client, new MemoryFile(utf8("x")));
    assertEquals(pair.client.isReading(), false);
    yield* closePair(pair);
  });

  test("goes on where a protocol was paused, and resumes it", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    peer.pauseReading();
    client.write(pattern(backend.capacity));
    assertEquals(clientProtocol.log, ["made", "pause"]);

    const sending = stage.loop.sendfile(client, new MemoryFile(utf8("file")));
    peer.resumeReading();
    assertEquals(yield* sending, 4);
    yield* peerProtocol.received(backend.capacity + 4);

    assertEquals(clientProtocol.log, ["made", "pause", "resume"]);
    yield* closePair(pair);
  });

  test("ends with ConnectionReset when the connection is lost", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    peer.pauseReading();
    const file = new MemoryFile(pattern(backend.capacity * 2));

    const sending = stage.loop.sendfile(client, file);
    yield* settled(() => file.position);
    client.abort();

    assertInstanceOf(yield* errorOf(sending), Deno.errors.ConnectionReset);
    yield* clientProtocol.lost;
    assertEquals(clientProtocol.log, ["made", "lost"]);
    assertEquals(client.getProtocol(), clientProtocol);
    peer.abort();
    yield* peerProtocol.lost;
  });

  test("can be cancelled, and the connection goes on", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    peer.pauseReading();
    const file = new MemoryFile(pattern(backend.capacity * 2));
    // The protocol is paused for what is left, and for that only.
    client.setWriteBufferLimits({ high: 1 });

    const sending = stage.loop.sendfile(client, file);
    yield* settled(() => file.position);
    assertEquals(clientProtocol.log, ["made"]);
    sending.cancel();
    assertInstanceOf(yield* errorOf(sending), CancelledError);
    const sent = file.position;
    assertEquals(client.getProtocol(), clientProtocol);
    assertEquals(clientProtocol.log.slice(0, 2), ["made", "pause"]);
    peer.resumeReading();
    yield* peerProtocol.received(sent);
    yield* ping(pair);

    assert(sameBytes(peerProtocol.bytes().subarray(0, sent), file.bytes.subarray(0, sent)));
    assertEquals(peerProtocol.size, sent + 1);
    yield* settled(() => clientProtocol.log.length);
    assertEquals(clientProtocol.log, ["made", "pause", "resume"]);
    yield* closePair(pair);
  });

  test("passes on what reading the file throws, and the connection goes on", function* (stage) {
    const pair = yield* connect(stage);
    const failure = new Error("the disk is gone");
    const file = new MemoryFile(pattern(600_000));
    file.failure = failure;

    assertEquals(yield* errorOf(stage.loop.sendfile(pair.client, file)), failure);
    const sent = file.position;
    yield* pair.peerProtocol.received(sent);
    yield* ping(pair);
    assertEquals(pair.peerProtocol.size, sent + 1);
    yield* closePair(pair);
  });

  test("lets nobody write, end the stream, start TLS or send another file", function* (stage) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    const { loop } = stage;
    peer.pauseReading();
    const file = new MemoryFile(pattern(backend.capacity * 2));
    const size = file.bytes.length;

    const sending = loop.sendfile(client, file);
    yield* settled(() => file.position);
    const refusal = "a file is being sent";
    assertThrows(() => client.write(utf8("x")), InvalidStateError, refusal);
    assertThrows(() => client.writelines([utf8("x"), utf8("y")]), InvalidStateError, refusal);
    if (client.canWriteEof()) assertThrows(() => client.writeEof(), InvalidStateError, refusal);
    const other = new MemoryFile(utf8("other"));
    const again = yield* errorOf(loop.sendfile(client, other));
    assertInstanceOf(again, InvalidStateError);
    assertStringIncludes(again.message, refusal);
    const options = { tls: true, serverHostname: "localhost" } as const;
    const securing = yield* errorOf(loop.startTls(client, clientProtocol, options));
    assertInstanceOf(securing, InvalidStateError);
    assertStringIncludes(securing.message, refusal);
    peer.resumeReading();

    assertEquals(yield* sending, size);
    assertEquals(yield* loop.sendfile(client, other), 5);
    client.write(utf8("."));
    yield* peerProtocol.received(size + 6);
    assert(sameBytes(peerProtocol.bytes().subarray(0, size), file.bytes));
    assertEquals(peerProtocol.text().slice(-6), "other.");
    assertEquals(clientProtocol.log, ["made"]);
    yield* closePair(pair);
  });

  test("goes on when marks or the protocol are set meanwhile", function* (stage) {
    const pair = yield* connect(stage);
    const { client, peer, peerProtocol } = pair;
    peer.pauseReading();
    const file = new MemoryFile(pattern(backend.capacity * 2));
    const next = new Recorder(stage.loop);

    const sending = stage.loop.sendfile(client, file);
    yield* settled(() => file.position);
    client.setWriteBufferLimits({ high: backend.capacity * 4 });
    client.setProtocol(next);
    peer.resumeReading();
    assertEquals(yield* sending, file.bytes.length);
    assertEquals(client.getProtocol(), next);
    assertEquals(client.getWriteBufferLimits()[1], backend.capacity * 4);
    yield* peerProtocol.received(file.bytes.length);
    client.abort();
    yield* next.lost;
    yield* peerProtocol.lost;
  });

  test("ends with ConnectionReset when close() is called, and what was read goes out", function* (
    stage,
  ) {
    const pair = yield* connect(stage);
    const { client, clientProtocol, peer, peerProtocol } = pair;
    peer.pauseReading();
    const file = new MemoryFile(pattern(backend.capacity * 2));

    const sending = stage.loop.sendfile(client, file);
    yield* settled(() => file.position);
    client.close();
    assertInstanceOf(yield* errorOf(sending), Deno.errors.ConnectionReset);
    // It does not wait for the peer.
    assertEquals(clientProtocol.lost.done(), false);
    peer.resumeReading();
    assertEquals(yield* clientProtocol.lost, null);
    yield* peerProtocol.lost;
    assertEquals(peerProtocol.size, file.position);
    assert(sameBytes(peerProtocol.bytes(), file.bytes.subarray(0, peerProtocol.size)));
  });

  for (const end of ["close", "abort", "cancel"] as const) {
    test(`ends at ${end}() while reading the file never ends`, function* (stage) {
      const pair = yield* connect(stage);
      const { client, clientProtocol, peerProtocol } = pair;
      const file = new MemoryFile(pattern(600_000));
      file.gate = new Promise(() => {});

      const sending = stage.loop.sendfile(client, file);
      yield* settled(() => file.position + peerProtocol.size);
      if (end === "cancel") sending.cancel();
      else client[end]();
      const error = yield* errorOf(sending);
      if (end === "cancel") {
        assertInstanceOf(error, CancelledError);
        client.write(utf8("after"));
        client.close();
      } else assertInstanceOf(error, Deno.errors.ConnectionReset);
      assertEquals(yield* clientProtocol.lost, null);
      yield* peerProtocol.lost;
      assertEquals(peerProtocol.text().endsWith("after"), end === "cancel");
      yield* pair.server.waitClosed();
    });
  }

  for (const [size, isEnd] of [[0, true], [-1], [0.5], [NaN], [600_000], [undefined]] as const) {
    test(`${isEnd ? "ends at" : "refuses"} a read() that gives ${size}`, function* (stage) {
      const pair = yield* connect(stage);
      const file = { read: () => Promise.resolve(size), seek: () => Promise.resolve(0) };
      const sending = stage.loop.sendfile(pair.client, file as SendableFile);
      if (isEnd) assertEquals(yield* sending, 0);
      else assertInstanceOf(yield* errorOf(sending), TypeError);
      yield* ping(pair);
      yield* closePair(pair);
    });
  }

  test("refuses no fallback, a range that is none, and a closing transport", function* (stage) {
    const { loop } = stage;
    const pair = yield* connect(stage);
    const { client } = pair;
    const file = new MemoryFile(utf8("0123456789"));

    const unavailable = yield* errorOf(loop.sendfile(client, file, { fallback: false }));
    assertInstanceOf(unavailable, SendfileNotAvailableError);
    for (const options of [{ offset: -1 }, { offset: 0.5 }, { count: 0 }, { count: NaN }]) {
      assertInstanceOf(yield* errorOf(loop.sendfile(client, file, options)), RangeError);
    }
    const foreign = yield* errorOf(loop.sendfile({} as WriteTransport, file));
    assertInstanceOf(foreign, TypeError);
    client.close();
    assertInstanceOf(yield* errorOf(loop.sendfile(client, file)), InvalidStateError);
    yield* closePair(pair);
  });
}

/** A file in memory. Reads give at most 100,000 bytes. */
class MemoryFile implements SendableFile {
  readonly bytes: Uint8Array;
  position = 0;
  /** What reads behind the middle of the file wait for, and what they throw. */
  gate: Promise<void> = Promise.resolve();
  failure: Error | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  async read(bytes: Uint8Array): Promise<number | null> {
    if (this.position > this.bytes.length / 2) {
      await this.gate;
      if (this.failure !== null) throw this.failure;
    }
    const size = Math.min(bytes.length, 100_000, this.bytes.length - this.position);
    if (size <= 0) return null;
    bytes.set(this.bytes.subarray(this.position, this.position + size));
    this.position += size;
    return size;
  }

  seek(offset: number): Promise<number> {
    return Promise.resolve(this.position = offset);
  }
}

/** Waits until `value` has stayed the same for a while. */
function* settled(value: () => number): Coroutine<void> {
  let last = NaN;
  for (let same = 0; same < 50; same = value() === last ? same + 1 : 0) {
    last = value();
    yield;
  }
}
