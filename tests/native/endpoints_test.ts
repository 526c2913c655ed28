import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import type { Coroutine, DenoEventLoop, SocketAddress } from "../../mod.ts";
import type { TransportSocket } from "../../transports/native/mod.ts";
import { connectPair, errorOf, passIterations, Recorder, utf8 } from "../transports/_backend.ts";
import { tcp } from "../transports/_tcp.ts";
import { unix } from "../unix/_unix.ts";
import { testNative } from "./_test_native.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

/** Opens an endpoint that counts what it receives. */
function* openCounter(loop: DenoEventLoop, options: object) {
  const addresses: SocketAddress[] = [];
  let wanted: { count: number; done: () => void } | null = null;
  const [transport] = yield* loop.createDatagramEndpoint(() => ({
    datagramReceived(_data: Uint8Array, address: SocketAddress) {
      addresses.push(address);
      if (addresses.length === wanted?.count) wanted.done();
    },
  }), { localAddress: LOCAL, ...options });
  return {
    transport,
    addresses,
    address: transport.getExtraInfo("sockname"),
    *received(count: number): Coroutine<void> {
      if (addresses.length >= count) return;
      const done = loop.createFuture<void>();
      wanted = { count, done: () => done.setResult() };
      yield* done;
    },
  };
}

testNative(
  "an endpoint with a remote address hears that nobody listens there, and goes on",
  function* (loop) {
    const gone = yield* openCounter(loop, {});
    gone.transport.close();
    yield* passIterations(5);
    const refused = loop.createFuture<Error>();
    const [transport] = yield* loop.createDatagramEndpoint(() => ({
      errorReceived: (error: Error) => refused.done() || refused.setResult(error),
    }), { remoteAddress: gone.address });
    transport.sendto(utf8("?"));
    const error = yield* refused;
    assertInstanceOf(error, Deno.errors.ConnectionRefused);
    assertEquals(transport.isClosing(), false);
    transport.close();
  },
);

testNative(
  "several endpoints share a port with reusePort, and each datagram reaches one of them",
  function* (loop) {
    const first = yield* openCounter(loop, { reusePort: true });
    const second = yield* openCounter(loop, { reusePort: true, localAddress: first.address });
    assertEquals(second.address, first.address);
    const alone = loop.createDatagramEndpoint(() => ({}), { localAddress: first.address });
    assertInstanceOf(yield* errorOf(alone), Deno.errors.AddrInUse);
    const senders = [];
    for (let index = 0; index < 40; index += 1) {
      const sender = yield* openCounter(loop, {});
      sender.transport.sendto(utf8("."), first.address);
      senders.push(sender);
    }
    while (first.addresses.length + second.addresses.length < 40) yield;
    assert(first.addresses.length > 0 && second.addresses.length > 0);
    for (const { transport } of [first, second, ...senders]) transport.close();
  },
);

testNative(
  "what a datagram has come from is one object for each peer, which nobody can change",
  function* (loop) {
    const receiver = yield* openCounter(loop, {});
    const [a, b] = [yield* openCounter(loop, {}), yield* openCounter(loop, {})];
    for (const sender of [a, b, a, b]) sender.transport.sendto(utf8("."), receiver.address);
    yield* receiver.received(4);
    const [first, second, third, fourth] = receiver.addresses;
    assert(first === third && second === fourth && first !== second);
    assert(receiver.addresses.every((address) => Object.isFrozen(address)));
    // An answer goes to the address as it came, and to one that is written anew.
    receiver.transport.sendto(utf8("."), fourth as SocketAddress);
    receiver.transport.sendto(utf8("."), { ...fourth as SocketAddress });
    receiver.transport.sendto(utf8("."), first as SocketAddress);
    yield* b.received(2);
    yield* a.received(1);
    assertEquals([a.addresses.length, b.addresses.length], [1, 2]);
    for (const { transport } of [receiver, a, b]) transport.close();
  },
);

testNative(
  "more datagrams than are received at once come in the order in which they were sent",
  function* (loop) {
    const sizes: number[] = [];
    const all = loop.createFuture<void>();
    const [receiver] = yield* loop.createDatagramEndpoint(() => ({
      datagramReceived(data: Uint8Array) {
        assert(data.every((byte) => byte === data.length % 251));
        if (sizes.push(data.length) === 60) all.setResult();
      },
    }), { localAddress: LOCAL });
    const sender = yield* openCounter(loop, {});
    const address = receiver.getExtraInfo("sockname");
    for (let size = 1; size <= 60; size += 1) {
      sender.transport.sendto(new Uint8Array(size).fill(size % 251), address);
    }
    yield* all;
    assertEquals(sizes, Array.from({ length: 60 }, (_, index) => index + 1));
    receiver.close();
    sender.transport.close();
  },
);

testNative(
  "abort() with bytes unsent resets the connection, and without any it ends it",
  function* (loop) {
    for (
      const [size, expected] of [[0, null], [32_000_000, Deno.errors.ConnectionReset]] as const
    ) {
      const pair = yield* connectPair(tcp, loop, new Recorder(loop), new Recorder(loop));
      pair.peer.pauseReading();
      pair.client.write(new Uint8Array(size));
      assertEquals(pair.client.getWriteBufferSize() > 0, size > 0);
      pair.client.abort();
      yield* pair.clientProtocol.lost;
      pair.peer.resumeReading();
      const error = yield* pair.peerProtocol.lost;
      if (expected === null) assertEquals(error, null);
      else assertInstanceOf(error, expected);
      yield* pair.server.waitClosed();
    }
  },
);

testNative(
  "a socket of a transport knows its number until it is closed, and takes settings",
  function* (loop) {
    const pair = yield* connectPair(tcp, loop, new Recorder(loop), new Recorder(loop));
    const socket = pair.client.getExtraInfo("socket") as TransportSocket;
    assert(socket.fd > 2);
    socket.setNoDelay(false);
    socket.setKeepAlive(true);
    pair.client.abort();
    assertEquals(socket.fd, -1);
    let error: unknown = null;
    try {
      socket.setKeepAlive(false);
    } catch (thrown) {
      error = thrown;
    }
    // Not the file that has the number by now.
    assertInstanceOf(error, Deno.errors.BadResource);
    yield* pair.peerProtocol.lost;
    yield* pair.server.waitClosed();
  },
);

testNative(
  "use of the network asks for the permission that Deno's own would have taken",
  function* (loop) {
    const elsewhere = { hostname: "192.0.2.1", port: 9 };
    const refused = [
      loop.createConnection(() => ({}), elsewhere),
      loop.createConnection(() => ({}), { port: 9, localAddress: elsewhere }),
      loop.createServer(() => ({}), elsewhere),
      loop.createDatagramEndpoint(() => ({}), { localAddress: elsewhere }),
      loop.createDatagramEndpoint(() => ({}), { localAddress: LOCAL, remoteAddress: elsewhere }),
      unix.serve(loop, () => ({})),
      loop.createUnixConnection(() => ({}), { path: "/var/gyre.sock" }),
    ];
    for (const each of refused) {
      const error = yield* errorOf(each);
      assertInstanceOf(error, Deno.errors.NotCapable);
      assert(/^Cannot .*: it requires --allow-/.test(error.message), error.message);
    }
  },
);
