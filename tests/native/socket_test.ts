import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { InvalidStateError, SendfileNotAvailableError } from "../../mod.ts";
import { type Socket, socket, socketpair } from "../../transports/native/mod.ts";
import { errorOf, passIterations, pattern, sameBytes, utf8 } from "../transports/_backend.ts";
import { testNative } from "./_test_native.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function portOf(sock: Socket): number {
  const { address } = sock;
  return "port" in address ? address.port : -1;
}

testNative(
  "sockAccept(), sockConnect(), sockSendall() and sockRecv() make and use a connection",
  function* (loop, keep) {
    for (const [family, hostname] of [["ipv4", "127.0.0.1"], ["ipv6", "::1"]] as const) {
      const listening = keep(socket(family));
      listening.bind({ hostname, port: 0 });
      listening.listen();
      const accepting = loop.sockAccept(listening);
      const client = keep(socket(family));
      yield* loop.sockConnect(client, { hostname, port: portOf(listening) });
      const [peer, address] = yield* accepting;
      keep(peer);
      assertEquals(address, client.address);
      assertEquals(client.peerAddress, listening.address);
      yield* loop.sockSendall(client, utf8("hello"));
      client.shutdownWrite();
      assertEquals(text(yield* loop.sockRecv(peer, 100)), "hello");
      assertEquals((yield* loop.sockRecv(peer, 100)).length, 0);
    }
  },
);

testNative("sockConnect() is refused where nobody listens", function* (loop, keep) {
  const free = keep(socket());
  free.bind(LOCAL);
  const client = keep(socket());
  const error = yield* errorOf(loop.sockConnect(client, { ...LOCAL, port: portOf(free) }));
  assertInstanceOf(error, Deno.errors.ConnectionRefused);
  assertEquals(error.code, "ECONNREFUSED");
});

testNative("sockSendall() waits for room, and every byte arrives", function* (loop, keep) {
  const [first, second] = socketpair().map(keep) as [Socket, Socket];
  const bytes = pattern(3_000_000);
  const sending = loop.createTask(() => loop.sockSendall(first, bytes));
  const received = new Uint8Array(bytes.length);
  for (let size = 0; size < bytes.length;) {
    size += yield* loop.sockRecvInto(second, received.subarray(size));
  }
  yield* sending;
  assert(sameBytes(received, bytes));
});

testNative(
  "sockRecv() that is cancelled takes no bytes, and another one may wait",
  function* (loop, keep) {
    const [first, second] = socketpair().map(keep) as [Socket, Socket];
    const waiting = loop.createTask(() => loop.sockRecv(second, 10));
    yield* passIterations(3);
    const beside = yield* errorOf(loop.createTask(() => loop.sockRecv(second, 10)));
    assertInstanceOf(beside, InvalidStateError);
    waiting.cancel();
    yield* errorOf(waiting);
    yield* loop.sockSendall(first, utf8("kept"));
    assertEquals(text(yield* loop.sockRecv(second, 10)), "kept");
  },
);

testNative(
  "sockSendto() and sockRecvfrom() pass datagrams, with who has sent them",
  function* (loop, keep) {
    const [a, b] = [keep(socket("ipv4", "datagram")), keep(socket("ipv4", "datagram"))];
    a.bind(LOCAL);
    b.bind(LOCAL);
    assertEquals(yield* loop.sockSendto(a, utf8("one"), { ...LOCAL, port: portOf(b) }), 3);
    const [bytes, address] = yield* loop.sockRecvfrom(b, 100);
    assertEquals([text(bytes), address], ["one", a.address]);
    yield* loop.sockSendto(a, utf8("longer"), { ...LOCAL, port: portOf(b) });
    const memory = new Uint8Array(4);
    const [count] = yield* loop.sockRecvfromInto(b, memory);
    assertEquals([count, text(memory)], [4, "long"]);
  },
);

testNative(
  "a connected datagram socket hears that nobody listens at the other end",
  function* (loop, keep) {
    const gone = keep(socket("ipv4", "datagram"));
    gone.bind(LOCAL);
    const port = portOf(gone);
    gone.close();
    const sock = keep(socket("ipv4", "datagram"));
    yield* loop.sockConnect(sock, { ...LOCAL, port });
    yield* loop.sockSendall(sock, utf8("?"));
    assertInstanceOf(yield* errorOf(loop.sockRecv(sock, 1)), Deno.errors.ConnectionRefused);
  },
);

testNative(
  "sockSendfile() sends a part of a file by the system, and copies what is no file",
  function* (loop, keep) {
    const [first, second] = socketpair().map(keep) as [Socket, Socket];
    const path = Deno.makeTempFileSync({ dir: "/tmp" });
    Deno.writeFileSync(path, pattern(1_000_000));
    using file = Deno.openSync(path);
    Deno.removeSync(path);
    const sending = loop.createTask(() =>
      loop.sockSendfile(first, file, { offset: 5, count: 900_000, fallback: false })
    );
    const received = new Uint8Array(900_000);
    for (let size = 0; size < received.length;) {
      size += yield* loop.sockRecvInto(second, received.subarray(size));
    }
    assertEquals(yield* sending, 900_000);
    assertEquals(file.seekSync(0, Deno.SeekMode.Current), 900_005);
    assert(sameBytes(received, pattern(1_000_000).subarray(5, 900_005)));

    let place = 0;
    const memoryFile = {
      read(into: Uint8Array): Promise<number | null> {
        const bytes = utf8("in memory").subarray(place, place + into.length);
        into.set(bytes);
        place += bytes.length;
        return Promise.resolve(bytes.length === 0 ? null : bytes.length);
      },
      seek: (offset: number) => Promise.resolve(place = offset),
    };
    assertEquals(yield* loop.sockSendfile(first, memoryFile, { offset: 3 }), 6);
    assertEquals(text(yield* loop.sockRecv(second, 100)), "memory");
    const refused = loop.sockSendfile(first, memoryFile, { fallback: false });
    assertInstanceOf(yield* errorOf(refused), SendfileNotAvailableError);
  },
);

testNative("a socket that is closed, or is none, is refused", function* (loop, keep) {
  const sock = keep(socket());
  sock.close();
  sock.close();
  assertEquals(sock.fd, -1);
  assertInstanceOf(yield* errorOf(loop.sockRecv(sock, 1)), InvalidStateError);
  assertThrows(() => sock.bind(LOCAL), InvalidStateError, "it is closed");
  assertInstanceOf(yield* errorOf(loop.sockRecv({} as never, 1)), TypeError);
  assertThrows(() => socket("ipx" as never), TypeError, "no such family");
  const open = keep(socket());
  for (
    const address of [{ path: "/tmp/x" }, { hostname: "::1", port: 1 }, {
      hostname: "localhost",
      port: 1,
    }]
  ) {
    assertInstanceOf(yield* errorOf(loop.sockConnect(open, address)), TypeError);
  }
  const port = { hostname: "127.0.0.1", port: 70_000 };
  assertInstanceOf(yield* errorOf(loop.sockConnect(open, port)), RangeError);
  const elsewhere = { hostname: "192.0.2.1", port: 9 };
  assertInstanceOf(yield* errorOf(loop.sockConnect(open, elsewhere)), Deno.errors.NotCapable);
});

testNative("snapshot() says that tasks wait for a socket", function* (loop, keep) {
  const listening = keep(socket("ipv4"));
  listening.bind(LOCAL);
  listening.listen();
  const [a, b] = socketpair().map(keep) as [Socket, Socket];
  const accepting = loop.createTask(() => loop.sockAccept(listening), { name: "accept" });
  const receiving = loop.createTask(() => loop.sockRecv(a, 5), { name: "receive" });
  yield* passIterations(3);
  const waits = loop.snapshot().tasks.flatMap(({ name, waitsFor }) =>
    waitsFor.map((words) => `${name}: ${words}`)
  );
  assertEquals(waits, ["accept: wait to read from Socket", "receive: wait to read from Socket"]);
  accepting.cancel();
  yield* loop.sockSendall(b, utf8("x"));
  yield* receiving;
});
