// The paths of Unix sockets: who they belong to, and what can be wrong with them.
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { host } from "../transports/_host.ts";
import {
  type Coroutine,
  type DenoEventLoop,
  ensureFuture,
  InvalidStateError,
  type ProtocolLike,
} from "../../mod.ts";
import {
  cancelAtEachIteration,
  errorOf,
  neverCalled,
  Recorder,
  runOn,
  type Stage,
} from "../transports/_backend.ts";
import { freshPath, unix } from "./_unix.ts";

function test(name: string, main: (stage: Stage) => Coroutine<void>, ignore = false): void {
  Deno.test({ name, ignore, fn: () => runOn(unix, main) });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a client of `path` has got `text`, which its server sends. */
function* hears(loop: DenoEventLoop, path: string, text: string): Coroutine<void> {
  const client = new Recorder(loop);
  yield* loop.createUnixConnection(() => client, { path });
  yield* client.lost;
  assertEquals(client.text(), text);
}

/** A protocol that sends `text` and closes. */
function says(text: string): () => ProtocolLike {
  return () => ({
    connectionMade(transport) {
      transport.write(new TextEncoder().encode(text));
      transport.close();
    },
  });
}

/** Whether file permissions are checked: root may do everything. */
function isRoot(): boolean {
  const folder = Deno.makeTempDirSync({ dir: "/tmp" });
  Deno.chmodSync(folder, 0);
  try {
    Deno.readDirSync(folder)[Symbol.iterator]().next();
    return true;
  } catch {
    return false;
  } finally {
    Deno.chmodSync(folder, 0o700);
    Deno.removeSync(folder);
  }
}

test("V07 a server removes its path when it is closed", function* ({ loop }) {
  const path = freshPath();
  const server = yield* loop.createUnixServer(says("hi"), { path });
  assertEquals(server.addresses, [{ transport: "unix", path }]);
  assert(exists(path));
  yield* hears(loop, path, "hi");

  server.close();
  yield* server.waitClosed();

  assertEquals(exists(path), false);
  const error = yield* errorOf(loop.createUnixConnection(neverCalled, { path }));
  assertInstanceOf(error, Deno.errors.NotFound);
  assertEquals(
    error.message,
    `Cannot connect to "${path}": no such file or directory (os error 2)`,
  );
  assertEquals(error.code, "ENOENT");
});

test("V07 a server that never accepted removes its path too", function* ({ loop }) {
  const path = freshPath();
  const server = yield* loop.createUnixServer(neverCalled, { path, startServing: false });
  assert(exists(path));
  server.close();
  yield* server.waitClosed();
  assertEquals(exists(path), false);
});

test("V07 a socket that a program has left behind is replaced", function* ({ loop }) {
  const path = freshPath();
  const kept = `${path}.kept`;
  using abandoned = Deno.listen({ transport: "unix", path });
  Deno.renameSync(path, kept);
  abandoned.close();
  Deno.renameSync(kept, path);
  const refused = yield* errorOf(loop.createUnixConnection(neverCalled, { path }));
  assertInstanceOf(refused, Deno.errors.ConnectionRefused);
  assertStringIncludes(refused.message, `Cannot connect to "${path}": connection refused`);

  const server = yield* loop.createUnixServer(says("new"), { path });
  yield* hears(loop, path, "new");
  server.close();
  yield* server.waitClosed();
});

test("V07 anything else at the path stays, and is in use", function* ({ loop }) {
  const path = freshPath();
  Deno.writeTextFileSync(path, "precious");

  const error = yield* errorOf(loop.createUnixServer(neverCalled, { path }));

  assertInstanceOf(error, Deno.errors.AddrInUse);
  assertEquals(error.message, `Cannot listen on "${path}": address already in use (os error 98)`);
  assertEquals(error.code, "EADDRINUSE");
  assertEquals(Deno.readTextFileSync(path), "precious");
  Deno.removeSync(path);
});

test("V07 a server that was replaced leaves the path to its successor", function* ({ loop }) {
  const path = freshPath();
  const first = yield* loop.createUnixServer(says("first"), { path });
  const second = yield* loop.createUnixServer(says("second"), { path });
  yield* hears(loop, path, "second");

  first.close();
  yield* first.waitClosed();
  yield* hears(loop, path, "second");

  second.close();
  yield* second.waitClosed();
  assertEquals(exists(path), false);
});

test("V07 a file that was put at the path of a server survives its end", function* ({ loop }) {
  const path = freshPath();
  const server = yield* loop.createUnixServer(neverCalled, { path });
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, "precious");

  server.close();
  yield* server.waitClosed();

  assertEquals(Deno.readTextFileSync(path), "precious");
  Deno.removeSync(path);
});

test("V07 a path is free for the next server right after close()", function* ({ loop }) {
  const path = freshPath();
  const first = yield* loop.createUnixServer(says("first"), { path });
  first.close();
  const second = yield* loop.createUnixServer(says("second"), { path });
  yield* first.waitClosed();
  yield* hears(loop, path, "second");
  second.close();
  yield* second.waitClosed();
});

Deno.test("V07 closing the loop removes the path of a server", async () => {
  const path = freshPath();
  const loop = unix.createLoop();
  await loop.runUntilComplete(loop.createUnixServer(neverCalled, { path }));
  loop.close();
  while (exists(path)) await new Promise((resolve) => setTimeout(resolve, 1));
});

test("an abstract name is no file", function* ({ loop }) {
  const path = `\0gyre-${crypto.randomUUID()}`;
  const server = yield* loop.createUnixServer(says("abstract"), { path });
  assertEquals(server.addresses, [{ transport: "unix", path }]);
  yield* hears(loop, path, "abstract");
  server.close();
  yield* server.waitClosed();
});

test("a relative path counts from the working directory", function* ({ loop }) {
  const absolute = freshPath();
  const path = `${"../".repeat(12)}${absolute.slice(1)}`;
  const server = yield* loop.createUnixServer(says("relative"), { path });
  assert(exists(absolute));
  yield* hears(loop, path, "relative");
  yield* hears(loop, absolute, "relative");
  server.close();
  yield* server.waitClosed();
  assertEquals(exists(absolute), false);
});

test("a path that cannot be one is refused, with its name", function* ({ loop }) {
  const folder = freshPath();
  const nowhere = `${folder}/none.sock`;
  const missing = yield* errorOf(loop.createUnixServer(neverCalled, { path: nowhere }));
  assertInstanceOf(missing, Deno.errors.NotFound);
  assertStringIncludes(missing.message, `Cannot listen on "${nowhere}": no such file or directory`);

  const long = `/tmp/${"x".repeat(120)}`;
  for (
    const error of [
      yield* errorOf(loop.createUnixServer(neverCalled, { path: long })),
      yield* errorOf(loop.createUnixConnection(neverCalled, { path: long })),
    ]
  ) {
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, `"${long}": path must be shorter than SUN_LEN`);
  }

  for (const path of ["", undefined, 7]) {
    const options = { path: path as string };
    for (
      const error of [
        yield* errorOf(loop.createUnixServer(neverCalled, options)),
        yield* errorOf(loop.createUnixConnection(neverCalled, options)),
      ]
    ) assertInstanceOf(error, TypeError);
  }
});

test("a path outside of the granted folders is refused by Deno's own error", function* ({ loop }) {
  const path = "/var/gyre.sock";
  for (
    const error of [
      yield* errorOf(loop.createUnixServer(neverCalled, { path })),
      yield* errorOf(loop.createUnixConnection(neverCalled, { path })),
    ]
  ) {
    assertInstanceOf(error, Deno.errors.NotCapable);
    assertStringIncludes(error.message, path);
  }
});

test("a path that the system keeps closed is PermissionDenied", function* ({ loop }) {
  const folder = Deno.makeTempDirSync({ dir: "/tmp" });
  const path = `${folder}/closed.sock`;
  Deno.chmodSync(folder, 0);
  for (
    const error of [
      yield* errorOf(loop.createUnixServer(neverCalled, { path })),
      yield* errorOf(loop.createUnixConnection(neverCalled, { path })),
    ]
  ) {
    assertInstanceOf(error, Deno.errors.PermissionDenied);
    assertEquals(error.code, "EACCES");
  }
  Deno.chmodSync(folder, 0o700);
  Deno.removeSync(folder);
}, isRoot());

test("createUnixConnection() leaves nothing open, whenever it is cancelled", function* ({ loop }) {
  const path = freshPath();
  const server = yield* loop.createUnixServer(() => ({}), { path });
  const connect = (factory: () => ProtocolLike) => loop.createUnixConnection(factory, { path });
  yield* cancelAtEachIteration(loop, 20, connect);
  server.close();
  yield* server.waitClosed();
});

test("createUnixConnection() ends with the reason of a signal that aborts", function* ({ loop }) {
  const reason = new Error("no longer wanted");
  const signal = AbortSignal.abort(reason);
  const connecting = loop.createUnixConnection(neverCalled, { path: freshPath(), signal });
  assertEquals(yield* errorOf(connecting), reason);
});

test("the path of a server can be listened on again right after close()", function* ({ loop }) {
  const path = freshPath();
  for (const text of ["one", "two", "three"]) {
    const server = yield* loop.createUnixServer(says(text), { path });
    yield* hears(loop, path, text);
    server.close();
    if (text === "two") continue;
    const error = yield* errorOf(loop.createUnixConnection(neverCalled, { path }));
    assertInstanceOf(error, Deno.errors.NotFound);
  }
});

test("cleanupSocket: false leaves the socket, and nobody behind it", function* ({ loop }) {
  const path = freshPath();
  const listenHere = () => Deno.listen({ transport: "unix", path });
  for (
    const open of [
      () => loop.createUnixServer(says("hi"), { path, cleanupSocket: false }),
      () => loop.createUnixServer(says("hi"), { path, cleanupSocket: false, startServing: false }),
      () => loop.createUnixServer(says("hi"), { sock: listenHere(), cleanupSocket: false }),
    ]
  ) {
    if (exists(path)) Deno.removeSync(path);
    const server = yield* open();
    yield* server.startServing();
    yield* hears(loop, path, "hi");
    server.close();
    const refused = yield* errorOf(loop.createUnixConnection(neverCalled, { path }));
    assertInstanceOf(refused, Deno.errors.ConnectionRefused);
    yield* server.waitClosed();
    assert(Deno.lstatSync(path).isSocket);
  }
  const last = yield* loop.createUnixServer(says("last"), { path, cleanupSocket: true });
  yield* hears(loop, path, "last");
  last.close();
  yield* last.waitClosed();
  assertEquals(exists(path), false);
});

test("a sock that exists is served, and connected with", function* ({ loop }) {
  const path = freshPath();
  const listener = Deno.listen({ transport: "unix", path });
  const server = yield* loop.createUnixServer(says("hi"), { sock: listener });
  assertEquals(server.addresses, [{ transport: "unix", path }]);
  const client = new Recorder(loop);
  const connection = Deno.connect({ transport: "unix", path });
  const sock = yield* ensureFuture(connection);
  yield* loop.createUnixConnection(() => client, { sock });
  yield* client.lost;
  assertEquals(client.text(), "hi");

  const again = yield* errorOf(loop.createUnixServer(neverCalled, { sock: listener }));
  assertInstanceOf(again, InvalidStateError);
  const twice = yield* errorOf(loop.createUnixConnection(neverCalled, { sock }));
  assertInstanceOf(twice, InvalidStateError);
  server.close();
  yield* server.waitClosed();
  assertEquals(exists(path), false);
});

test("a sock that is no Unix socket, or comes with a path, is refused", function* ({ loop }) {
  const path = freshPath();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const unixListener = Deno.listen({ transport: "unix", path });
  for (
    const options of [
      { sock: listener },
      { sock: unixListener, path },
      { sock: null },
      { sock: 7 },
      { sock: {} },
      {},
    ]
  ) {
    const wrong = options as unknown as { sock: Deno.UnixListener };
    assertInstanceOf(yield* errorOf(loop.createUnixServer(neverCalled, wrong)), TypeError);
    const other = options as unknown as { sock: Deno.UnixConn };
    assertInstanceOf(yield* errorOf(loop.createUnixConnection(neverCalled, other)), TypeError);
  }
  listener.close();
  unixListener.close();
});

test("a backlog is as long as Deno's, or refused", function* ({ loop }) {
  const path = freshPath();
  if (host.isNative) {
    const server = yield* loop.createUnixServer(() => ({}), { path, backlog: 1025 });
    server.close();
    return yield* server.waitClosed();
  }
  const error = yield* errorOf(loop.createUnixServer(neverCalled, { path, backlog: 1025 }));
  assertInstanceOf(error, Deno.errors.NotSupported);
  assertEquals(
    error.message,
    `Cannot listen on "${path}": Deno lets 1024 connections wait, not 1025`,
  );
  const server = yield* loop.createUnixServer(() => ({}), { path, backlog: 5 });
  server.close();
  yield* server.waitClosed();
});
