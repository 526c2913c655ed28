import { closeSync, openSync } from "node:fs";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DenoEventLoop, InvalidStateError } from "../../mod.ts";
import {
  newNativeEventLoop,
  type Socket,
  socket,
  socketpair,
} from "../../transports/native/mod.ts";
import { errorOf, passIterations, utf8 } from "../transports/_backend.ts";
import { eventDescriptor, pipeDescriptors, timerDescriptor } from "./_descriptors.ts";
import { testNative } from "./_test_native.ts";

testNative(
  "addReader() calls as long as there is something to read, with its arguments",
  function* (loop) {
    const [first, second] = socketpair();
    const enough = loop.createFuture<void>();
    const calls: string[] = [];
    loop.addReader(second, (name: string) => {
      calls.push(name);
      if (calls.length === 3) enough.setResult();
    }, "read");
    yield* loop.sockSendall(first, utf8("."));
    yield* enough;
    assertEquals(calls, ["read", "read", "read"]);
    assertEquals([loop.removeReader(second), loop.removeReader(second)], [true, false]);
    yield* passIterations(5);
    assertEquals(calls.length, 3);
    first.close();
    second.close();
  },
);

testNative("addReader() replaces a callback, and what it throws is reported", function* (loop) {
  const [first, second] = socketpair();
  const reports: unknown[] = [];
  loop.setExceptionHandler((_loop, { exception }) => {
    reports.push(exception);
    loop.removeReader(second.fd);
    done.setResult();
  });
  const done = loop.createFuture<void>();
  loop.addReader(second, () => assert(false, "it was replaced"));
  const error = new Error("planted");
  loop.addReader(second.fd, () => {
    throw error;
  });
  yield* loop.sockSendall(first, utf8("."));
  yield* done;
  assertEquals(reports, [error]);
  first.close();
  second.close();
});

testNative(
  "addWriter() and addReader() stand beside each other on one descriptor",
  function* (loop) {
    const [first, second] = socketpair();
    const writable = loop.createFuture<void>();
    const readable = loop.createFuture<void>();
    loop.addReader(first, () => (loop.removeReader(first), readable.setResult()));
    loop.addWriter(first, () => (loop.removeWriter(first), writable.setResult()));
    yield* writable;
    assertEquals(readable.done(), false);
    yield* loop.sockSendall(second, utf8("."));
    yield* readable;
    first.close();
    second.close();
  },
);

testNative(
  "addReader() is told of pipes, events and timers, and of a pipe's other end that closes",
  function* (loop) {
    const [reading, writing] = pipeDescriptors();
    for (const source of [reading, eventDescriptor(), timerDescriptor()]) {
      const ready = loop.createFuture<void>();
      loop.addReader(source, () => (loop.removeReader(source), ready.setResult()));
      if (source === reading) {
        yield* passIterations(3);
        assertEquals(ready.done(), false);
        writing.close();
      }
      yield* ready;
      source.close();
    }
  },
);

testNative(
  "addReader() refuses a file, a number that is none, and what a transport uses",
  function* (loop) {
    const file = openSync("deno.json", "r");
    assertThrows(
      () => loop.addReader(file, () => {}),
      Deno.errors.PermissionDenied,
      "not permitted",
    );
    closeSync(file);
    assertThrows(() => loop.addReader(-1, () => {}), TypeError, "expected its number");
    assertThrows(() => loop.addReader({} as never, () => {}), TypeError, "expected its number");
    assertThrows(
      () => loop.addReader(999_999, () => {}),
      Deno.errors.BadResource,
      "watch descriptor",
    );
    const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
    const [transport] = yield* loop.createConnection(() => ({}), { port: server.address.port });
    const { fd } = transport.getExtraInfo("socket") as { fd: number };
    assertThrows(() => loop.addReader(fd, () => {}), InvalidStateError, "a transport or a server");
    transport.abort();
    server.close();
    server.abortClients();
    yield* server.waitClosed();
  },
);

testNative(
  "a descriptor that is closed while it is watched leaves the next one of its number alone",
  function* (loop) {
    const [first, second] = socketpair();
    loop.addReader(second, () => assert(false, "nothing was sent to it"));
    const { fd } = second;
    second.close();
    first.close();
    // The lowest numbers are free: a connection gets them.
    const received = loop.createFuture<string>();
    const server = yield* loop.createServer(() => ({
      dataReceived: (data: Uint8Array) => received.setResult(new TextDecoder().decode(data)),
    }), { hostname: "127.0.0.1" });
    const [transport] = yield* loop.createConnection(() => ({}), { port: server.address.port });
    const used = [transport.getExtraInfo("socket") as { fd: number }].map((socket) => socket.fd);
    loop.removeReader(fd);
    transport.write(utf8("whole"));
    assertEquals(yield* received, "whole");
    assert(used.length === 1);
    transport.abort();
    server.close();
    server.abortClients();
    yield* server.waitClosed();
  },
);

testNative(
  "a descriptor that is closed and opened anew within a batch gets no event of the former",
  function* (loop) {
    const pairs = Array.from({ length: 6 }, () => socketpair());
    const fresh: [Socket, Socket][] = [];
    let calls = 0;
    for (const [, reader] of pairs) {
      loop.addReader(reader, () => {
        calls += 1;
        // All others are closed while their events are in the batch; their numbers are used at once.
        for (const [other, otherReader] of pairs) {
          if (otherReader.fd < 0) continue;
          loop.removeReader(otherReader);
          otherReader.close();
          other.close();
        }
        for (let index = 0; index < 6; index += 1) {
          const pair = socketpair();
          fresh.push(pair);
          for (const sock of pair) loop.addReader(sock, () => assert(false, "nothing was sent"));
        }
      });
    }
    for (const [writer] of pairs) yield* loop.sockSendall(writer, utf8("."));
    while (calls === 0) yield;
    yield* passIterations(10);
    assertEquals(calls, 1);
    for (const pair of fresh) {
      for (const sock of pair) {
        loop.removeReader(sock);
        sock.close();
      }
    }
  },
);

Deno.test("the low-level methods of a loop on Deno's own backend say which one has them", async () => {
  const loop = new DenoEventLoop();
  const [first, second] = socketpair();
  for (const call of [() => loop.addReader(first, () => {}), () => loop.removeWriter(first)]) {
    assertThrows(call, InvalidStateError, '"@gyre/asyncio/native"');
  }
  const file = { read: () => Promise.resolve(null), seek: () => Promise.resolve(0) };
  await loop.runUntilComplete(function* () {
    const errors = [
      loop.sockAccept(first),
      loop.sockConnect(first, { path: "/tmp/x" }),
      loop.sockRecv(first, 1),
      loop.sockRecvInto(first, new Uint8Array(1)),
      loop.sockRecvfrom(first, 1),
      loop.sockRecvfromInto(first, new Uint8Array(1)),
      loop.sockSendall(first, utf8(".")),
      loop.sockSendto(first, utf8("."), { path: "/tmp/x" }),
      loop.sockSendfile(first, file),
    ];
    for (const error of errors) assertInstanceOf(yield* errorOf(error), InvalidStateError);
  });
  loop.close();
  first.close();
  second.close();
});

Deno.test("a loop with permissions watches descriptors only where it may read all, and checks addresses", async () => {
  const loop = newNativeEventLoop({ permissions: { net: ["127.0.0.1"] } });
  const [first, second] = socketpair();
  assertThrows(() => loop.addReader(second, () => {}), Deno.errors.NotCapable, "watch descriptor");
  await loop.runUntilComplete(function* () {
    const elsewhere = loop.sockConnect(first, { hostname: "127.0.0.2", port: 9 });
    const error = yield* errorOf(elsewhere);
    assertInstanceOf(error, Deno.errors.NotCapable);
    assertStringIncludes(error.message, 'Cannot connect to "127.0.0.2:9"');
    const connecting = loop.createConnection(() => ({}), { hostname: "127.0.0.2", port: 9 });
    assertInstanceOf(yield* errorOf(connecting), Deno.errors.NotCapable);
  });
  loop.close();
  first.close();
  second.close();
});

Deno.test("a loop with permissions connects and sends to the address that it has checked", async () => {
  const loop = newNativeEventLoop({ permissions: { net: ["127.0.0.1"], write: true } });
  const server = socket();
  const datagrams = socket("ipv4", "datagram");
  const client = socket();
  server.bind({ hostname: "127.0.0.1", port: 0 });
  server.listen();
  const own = server.address;
  assert(own.transport === "tcp");
  const { port } = own;
  let asked = 0;
  const address = {
    get hostname() {
      asked += 1;
      return asked % 2 === 1 ? "127.0.0.1" : "127.0.0.2";
    },
    port,
  };
  await loop.runUntilComplete(function* () {
    yield* loop.sockConnect(client, address);
    assertEquals([asked, client.peerAddress], [1, own]);
    asked = 0;
    assertEquals(yield* loop.sockSendto(datagrams, new Uint8Array(1), address), 1);
    assertEquals(asked, 1);
    for (const wrong of [null, 5] as never[]) {
      assertInstanceOf(yield* errorOf(loop.sockConnect(client, wrong)), TypeError);
      assertInstanceOf(
        yield* errorOf(loop.sockSendto(client, new Uint8Array(1), wrong)),
        TypeError,
      );
    }
  });
  loop.close();
  for (const sock of [server, datagrams, client]) sock.close();
});
