// How long the end of an `await using` block waits for the connections of its server.
import { assertEquals } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  EventLoop,
  type ProtocolLike,
  sleep,
  StreamReader,
  StreamReaderProtocol,
  type StreamWriter,
} from "../../../mod.ts";
import type { Acceptor, ByteChannel, Listener } from "../../../loop/platform/platform.ts";
import { Server } from "../../../transports/endpoints/server.ts";
import { VirtualClock } from "../../loop/_virtual_clock.ts";
import { MemoryWire } from "../_memory_wire.ts";

/** A listener to which clients come when a test says so. */
class MemoryListener implements Listener {
  readonly address: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  acceptor: Acceptor | null = null;

  start(acceptor: Acceptor): void {
    this.acceptor = acceptor;
  }

  close(): void {
    this.acceptor?.closed();
  }
}

type Serve = (reader: StreamReader, writer: StreamWriter) => PromiseLike<unknown>;

/** A client of a server, at the other end of `wire`, and how it is served. */
interface Scene {
  /** Serves it with streams; with a plain protocol by default. */
  serve?: Serve;
  /** What the client does. */
  client?: (wire: MemoryWire, near: MemoryWire) => Coroutine<void>;
  /** Whether the client is still in a handshake. */
  isShakingHands?: boolean;
  /** Seconds until the block ends. */
  takes: number;
  /** Whether who serves it is cancelled. */
  isCancelled?: boolean;
}

const bytes = (count = 1) => new Uint8Array(count);

/** Sends a byte every 0.3 seconds, `count` times, and goes. */
function* talk(wire: MemoryWire, count: number): Coroutine<void> {
  for (let sent = 0; sent < count; sent += 1) {
    yield* sleep(0.3);
    wire.write(bytes());
  }
  wire.abort();
}

/** Reads until the client goes. */
const read: Serve = async (reader, writer) => {
  while ((await reader.read(100)).length > 0);
  writer.close();
};

const SCENES: Readonly<Record<string, Scene>> = {
  "no connection": { client: (wire) => talk(wire, 0), takes: 0 },
  "a connection on which nothing happens": { takes: 0.5 },
  "a task that waits for a silent client": { serve: read, takes: 0.5, isCancelled: true },
  "a task that has ended and left its connection open": {
    serve: () => Promise.resolve(),
    takes: 0.5,
  },
  "a task that works for a client": { serve: () => sleep(3), takes: 3.5 },
  "a task that sends to a client": {
    serve: async (_reader, writer) => {
      for (let count = 0; count < 8; count += 1) {
        writer.write(bytes());
        await sleep(0.3);
      }
      writer.close();
    },
    takes: 2.4,
  },
  "a client that talks and goes": { serve: read, client: (wire) => talk(wire, 9), takes: 2.7 },
  "a client that talks on and on": {
    serve: read,
    client: (wire) => talk(wire, 90),
    takes: 5,
    isCancelled: true,
  },
  "a client that talks to a plain protocol": { client: (wire) => talk(wire, 90), takes: 5 },
  "a client that falls silent": {
    serve: read,
    client: function* (wire) {
      yield* sleep(0.3);
      wire.write(bytes());
    },
    takes: 1,
    isCancelled: true,
  },
  "a client that does not read": {
    serve: async (_reader, writer) => {
      writer.write(bytes(1024 * 1024));
      await writer.drain();
    },
    client: function* (_wire, near) {
      near.isFull = true;
      yield* sleep(0);
    },
    takes: 1,
    isCancelled: true,
  },
  "a task that refuses its cancellation": {
    serve: async (reader) => {
      for (let count = 0; count < 3; count += 1) await reader.read(100).catch(() => {});
    },
    takes: 1,
  },
  "a handshake that goes on": { isShakingHands: true, takes: 0.5 },
};

for (const [name, scene] of Object.entries(SCENES)) {
  Deno.test(`Server at the end of its block gives ${name} ${scene.takes} seconds`, async () => {
    const loop = new EventLoop({ clock: new VirtualClock() });
    let cancelled = false;
    const serve: Serve | null = scene.serve === undefined ? null : async (reader, writer) => {
      try {
        await scene.serve?.(reader, writer);
      } catch (error) {
        cancelled = error instanceof CancelledError;
        throw error;
      }
    };
    const factory = (): ProtocolLike =>
      serve === null ? {} : new StreamReaderProtocol(new StreamReader({ loop }), {
        loop,
        clientConnected: serve,
      });
    const shakeHands = function* (): Coroutine<ByteChannel> {
      return yield* loop.createFuture<ByteChannel>();
    };
    const failure = new Error("the block");
    await loop.runUntilComplete(async () => {
      const listener = new MemoryListener();
      let begin = 0;
      try {
        await using server = new Server(loop, [listener], factory, {
          secure: scene.isShakingHands ? shakeHands : null,
        });
        await server.startServing();
        const [near, far] = MemoryWire.pair(loop);
        loop.createTask(() => scene.client?.(far, near));
        await sleep(0);
        listener.acceptor?.accepted(near);
        for (let turn = 0; turn < 5; turn += 1) await sleep(0);
        begin = loop.time();
        throw failure;
      } catch (error) {
        assertEquals(error, failure);
      }
      assertEquals(Math.round((loop.time() - begin) * 100) / 100, scene.takes);
      assertEquals(cancelled, scene.isCancelled ?? false);
    });
    loop.close();
  });
}
