// What real sockets do to a connection and to a server: resets, lost resources, crowds.
import { assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { connect as connectNodeSocket } from "node:net";
import { type Coroutine, EventLoop, type Future, sleep } from "../../../mod.ts";
import { DenoListener } from "../../../transports/deno/_deno_listener.ts";
import { Recorder, runOn, type Stage } from "../_backend.ts";
import { tcp } from "../_tcp.ts";

function test(name: string, main: (stage: Stage) => Coroutine<void>): void {
  Deno.test(name, () => runOn(tcp, main));
}

/** Connects and resets; only a socket of Node's can. */
function connectAndReset(loop: EventLoop, port: number): Future<void> {
  const closed = loop.createFuture<void>();
  const socket = connectNodeSocket({ host: "127.0.0.1", port }, () => socket.resetAndDestroy());
  socket.on("close", () => closed.setResult());
  return closed;
}

test(
  "X14 a reset ends the connection with ConnectionReset, and is not reported",
  function* ({ loop }) {
    const peer = new Recorder(loop);
    const server = yield* loop.createServer(() => peer, { hostname: "127.0.0.1" });

    yield* connectAndReset(loop, server.address.port);

    assertInstanceOf(yield* peer.lost, Deno.errors.ConnectionReset);
    assertEquals(peer.log, ["made", "lost"]);
    server.close();
    yield* server.waitClosed();
  },
);

test("X14 writing to a peer that is gone ends the connection with an error", function* ({ loop }) {
  const peer = new Recorder(loop);
  peer.keepOpen = true;
  const server = yield* loop.createServer(() => peer, { hostname: "127.0.0.1" });
  const client = new Recorder(loop);
  yield* loop.createConnection(() => client, { port: server.address.port });
  client.transport?.abort();
  yield* peer.eof;

  for (let count = 0; count < 5 && !peer.lost.done(); count += 1) {
    peer.transport?.write(new Uint8Array(1));
    yield* client.lost;
    yield;
  }
  assertInstanceOf(yield* peer.lost, Error);
  server.close();
  yield* server.waitClosed();
});

test(
  "Server survives a client that resets before it is accepted",
  function* ({ loop, takeReports }) {
    const served: Recorder[] = [];
    const server = yield* loop.createServer(() => {
      const recorder = new Recorder(loop);
      served.push(recorder);
      return recorder;
    }, { hostname: "127.0.0.1", startServing: false });
    const port = server.address.port;
    assertEquals(server.isServing(), false);
    for (let count = 0; count < 5; count += 1) yield* connectAndReset(loop, port);

    yield* server.startServing();
    const client = new Recorder(loop);
    yield* loop.createConnection(() => client, { port });
    client.transport?.close();
    yield* client.lost;

    server.close();
    yield* server.waitClosed();
    assertEquals(takeReports(), []);
    assertGreater(served.length, 0);
  },
);

Deno.test("DenoListener waits a second after a lack of descriptors, and says so", async () => {
  const delays: number[] = [];
  class ImpatientLoop extends EventLoop {
    override callLater<A extends unknown[]>(
      delay: number,
      callback: (...args: A) => unknown,
      ...args: A
    ) {
      delays.push(delay);
      return super.callLater(0, callback, ...args);
    }
  }
  const failure = Object.assign(new Error("Too many open files"), { code: "EMFILE" });
  let attempts = 0;
  const fake = {
    addr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    accept: () =>
      ++attempts < 3
        ? Promise.reject(failure)
        : Promise.reject(new Deno.errors.BadResource("Listener has been closed")),
    close: () => {},
  } as unknown as Deno.Listener;
  const failures: Error[] = [];
  const loop = new ImpatientLoop();

  await loop.runUntilComplete(function* () {
    const listener = new DenoListener(loop, fake);
    const closed = loop.createFuture<void>();
    listener.start({
      accepted() {},
      failed(error) {
        failures.push(error);
        if (attempts === 2) listener.close();
      },
      closed: () => closed.setResult(),
    });
    yield* closed;
  });
  loop.close();

  assertEquals(failures, [failure, failure]);
  assertEquals(delays, [1, 1]);
});

test(
  "callSoon() that reschedules itself for ever starves neither sockets nor timers",
  function* ({ loop }) {
    let spins = 0;
    let spinning = true;
    const spin = () => {
      spins += 1;
      if (spinning) loop.callSoon(spin);
    };
    const server = yield* loop.createServer(() => {
      const recorder = new Recorder(loop);
      recorder.dataReceived = (data) => recorder.transport?.write(data);
      return recorder;
    }, { hostname: "127.0.0.1" });
    loop.callSoon(spin);

    const client = new Recorder(loop);
    yield* loop.createConnection(() => client, { port: server.address.port });
    const fired = loop.createFuture<void>();
    loop.callLater(0.001, () => fired.setResult());
    for (let count = 1; count <= 20; count += 1) {
      client.transport?.write(new Uint8Array(1));
      yield* client.received(count);
    }
    yield* fired;

    spinning = false;
    assertGreater(spins, 20);
    client.transport?.close();
    server.close();
    yield* server.waitClosed();
  },
);

/** Counts the turns of the host that somebody waits for: each is a small piece of cryptography. */
function countTurns(): Disposable & { readonly pending: number } {
  let pending = 0;
  const { digest } = crypto.subtle;
  crypto.subtle.digest = (...args) => {
    pending += 1;
    return digest.apply(crypto.subtle, args).finally(() => pending -= 1);
  };
  return {
    get pending() {
      return pending;
    },
    [Symbol.dispose]: () => void (crypto.subtle.digest = digest),
  };
}

test(
  "busy connections share the host fairly when it cannot serve all in a turn",
  function* ({ loop }) {
    using turns = countTurns();
    const rounds = new Array<number>(300).fill(0);
    const done = loop.createFuture<void>();
    const server = yield* loop.createServer(() => {
      const recorder = new Recorder(loop);
      recorder.dataReceived = (data) => recorder.transport?.write(data);
      return recorder;
    }, { hostname: "127.0.0.1", backlog: 300 });
    const clients: Recorder[] = [];
    for (let index = 0; index < rounds.length; index += 1) {
      const client = new Recorder(loop);
      client.dataReceived = () => {
        const round = rounds[index] = (rounds[index] as number) + 1;
        if (round === 60 && !done.done()) done.setResult();
        client.transport?.write(new Uint8Array(100));
      };
      yield* loop.createConnection(() => client, { port: server.address.port });
      clients.push(client);
    }

    for (const client of clients) client.transport?.write(new Uint8Array(100));
    yield* done;

    assertGreater(Math.min(...rounds), 3);
    server.close();
    server.abortClients();
    for (const client of clients) client.transport?.abort();
    yield* server.waitClosed();
    // What holds reads back notices only turns later that there is none left.
    do yield* sleep(0.01); while (turns.pending > 0);
  },
);
