/**
 * Kinds of scheduling work, for bench/schedule.ts and bench/peers.ts.
 *
 * @module
 */
import type * as Gyre from "@gyre/asyncio";
import type { Coroutine, EventLoop, StreamReader, TaskGroup, Transport } from "@gyre/asyncio";

/** Does a slice, in a loop that it runs, and gives the number of operations. */
export type Work = (loop: EventLoop) => Promise<number>;

/** How many operations a slice has. */
export interface Sizes {
  /** Of cheap kinds. */
  readonly many: number;
  /** Of dear ones. */
  readonly few: number;
  /** Of those that are all there at once. */
  readonly gathered: number;
}

function* nothing(): Coroutine<void> {}

function noop(): void {}

/** A slice within a coroutine. */
function inCoroutine(
  count: number,
  body: (count: number, loop: EventLoop) => Coroutine<void>,
): Work {
  return (loop) =>
    loop.runUntilComplete(function* () {
      yield* body(count, loop);
      return count;
    });
}

/** A slice within an async function. */
function inAsync(count: number, body: (count: number, loop: EventLoop) => Promise<void>): Work {
  return (loop) =>
    loop.runUntilComplete(async () => {
      await body(count, loop);
      return count;
    });
}

const CHUNK = new TextEncoder().encode("a line of forty bytes, with its end   \r\n");

/** Returns every kind of work by its name, done by a checkout of the package. */
export function createWork(
  gyre: typeof Gyre,
  { many, few, gathered }: Sizes,
): Record<string, Work> {
  const { createTask, gather, getRunningLoop, Lock, Queue, run, sleep } = gyre;
  const { StreamReader: Reader, taskGroup, timeout } = gyre;

  /** Feeds copies of `chunk` and has `read` take them. */
  function streams(size: number, read: (reader: StreamReader) => Coroutine<unknown>): Work {
    return inCoroutine(few, function* (count) {
      const reader = new Reader({ limit: 1 << 20 });
      const part = new Uint8Array(16_000);
      for (let at = 0; at < part.length; at += CHUNK.length) part.set(CHUNK, at);
      let left = count;
      let fed = 0;
      const feed = () => {
        for (; fed < size * (count - left + 1) || fed === 0; fed += part.length) {
          reader.feedData(part.slice());
        }
      };
      while (left > 0) {
        feed();
        yield* read(reader);
        left -= 1;
      }
    });
  }

  /** Sends messages over loopback, each after the echo of the one before. */
  async function echo(): Promise<number> {
    const count = Math.ceil(few / 8);
    const message = new Uint8Array(10 * 1024);
    return await run(async () => {
      const loop = getRunningLoop();
      const server = await loop.createServer(() => {
        let peer: Transport;
        return {
          connectionMade: (transport: Transport) => void (peer = transport),
          dataReceived: (data: Uint8Array) => void peer.write(data),
        };
      }, { hostname: "127.0.0.1", port: 0 });
      const done = loop.createFuture<void>();
      const [address] = server.addresses;
      const port = address !== undefined && "port" in address ? address.port : undefined;
      const [transport] = await loop.createConnection(() => {
        let left = count;
        let missing = message.length;
        let peer: Transport;
        return {
          connectionMade: (made: Transport) => (peer = made).write(message),
          dataReceived(data: Uint8Array) {
            missing -= data.length;
            if (missing > 0) return;
            missing = message.length;
            left -= 1;
            if (left > 0) peer.write(message);
            else done.setResult();
          },
        };
      }, { hostname: "127.0.0.1", port });
      await done;
      transport.close();
      server.close();
      await server.waitClosed();
      return count;
    });
  }

  return {
    async "callSoon chain"(loop) {
      let left = many;
      const step = () => {
        left -= 1;
        if (left > 0) loop.callSoon(step);
        else loop.stop();
      };
      loop.callSoon(step);
      await loop.runForever();
      return many;
    },
    async "callSoon batch"(loop) {
      for (let index = 0; index < many; index += 1) loop.callSoon(noop);
      loop.callSoon(() => loop.stop());
      await loop.runForever();
      return many;
    },
    "callLater and cancel"(loop) {
      for (let index = 0; index < many; index += 1) loop.callLater(100, noop).cancel();
      return Promise.resolve(many);
    },
    async "100,000 timers"(loop) {
      const now = loop.time();
      let left = gathered;
      const step = () => {
        left -= 1;
        if (left === 0) loop.stop();
      };
      for (let index = 0; index < gathered; index += 1) {
        loop.callAt(now - 1 + (index * 7919) % 100_003 * 1e-9, step);
      }
      await loop.runForever();
      return gathered;
    },
    "sleep(0) in a coroutine": inCoroutine(many, function* (count) {
      for (let index = 0; index < count; index += 1) yield* sleep(0);
    }),
    "sleep(0) in an async function": inAsync(many, async (count) => {
      for (let index = 0; index < count; index += 1) await sleep(0);
    }),
    "task of a coroutine": inCoroutine(many, function* (count) {
      for (let index = 0; index < count; index += 1) yield* createTask(nothing());
    }),
    "task of a generator function": inCoroutine(many, function* (count) {
      for (let index = 0; index < count; index += 1) yield* createTask(nothing);
    }),
    "task of a plain function": inCoroutine(many, function* (count) {
      for (let index = 0; index < count; index += 1) yield* createTask(noop);
    }),
    "task of an async function": inCoroutine(few, function* (count) {
      const body = async () => {};
      for (let index = 0; index < count; index += 1) yield* createTask(body);
    }),
    "task of an async function that sleeps": inAsync(few, async (count) => {
      const body = async () => {
        await sleep(0);
      };
      for (let index = 0; index < count; index += 1) await createTask(body);
    }),
    "task with a name": inCoroutine(many, function* (count) {
      for (let index = 0; index < count; index += 1) {
        yield* createTask(nothing(), { name: "named" });
      }
    }),
    "gather of 100,000": inCoroutine(gathered, function* (count) {
      yield* gather(Array.from({ length: count }, () => nothing()));
    }),
    "gather of 10": inCoroutine(few, function* (count) {
      for (let index = 0; index < count; index += 1) {
        yield* gather(Array.from({ length: 10 }, () => nothing()));
      }
    }),
    "bare future in a coroutine": inCoroutine(many, function* (count, loop) {
      for (let index = 0; index < count; index += 1) {
        const future = loop.createFuture<number>();
        future.setResult(index);
        yield* future;
      }
    }),
    "bare future in an async function": inAsync(many, async (count, loop) => {
      for (let index = 0; index < count; index += 1) {
        const future = loop.createFuture<number>();
        future.setResult(index);
        await future;
      }
    }),
    "bare future, set later, in a coroutine": inCoroutine(many, function* (count, loop) {
      for (let index = 0; index < count; index += 1) {
        const future = loop.createFuture<number>();
        loop.callSoon((value) => future.setResult(value), index);
        yield* future;
      }
    }),
    "done callback": inCoroutine(many, function* (count, loop) {
      for (let index = 0; index < count; index += 1) {
        const future = loop.createFuture<number>();
        future.addDoneCallback(noop);
        future.setResult(index);
        if (index % 100 === 0) yield* sleep(0);
      }
    }),
    "lock in a coroutine": inCoroutine(many, function* (count) {
      const lock = new Lock();
      for (let index = 0; index < count; index += 1) {
        yield* lock.acquire();
        lock.release();
      }
    }),
    "queue in a coroutine": inCoroutine(many, function* (count) {
      const queue = new Queue<number>({ maxSize: 10 });
      const producer = createTask(function* () {
        for (let index = 0; index < count; index += 1) yield* queue.put(index);
      });
      for (let index = 0; index < count; index += 1) yield* queue.get();
      yield* producer;
    }),
    "cancelled task of a coroutine": inCoroutine(few, function* (count) {
      for (let index = 0; index < count; index += 1) {
        const task = createTask(function* () {
          yield* sleep(100);
        });
        yield* sleep(0);
        task.cancel();
        yield* gather([task], { returnExceptions: true });
      }
    }),
    "cancelled task of an async function": inCoroutine(few, function* (count) {
      for (let index = 0; index < count; index += 1) {
        const task = createTask(async () => {
          await sleep(100);
        });
        yield* sleep(0);
        yield* sleep(0);
        task.cancel();
        yield* gather([task], { returnExceptions: true });
      }
    }),
    "taskGroup of 10": inCoroutine(few / 10, function* (count) {
      for (let index = 0; index < count; index += 1) {
        yield* taskGroup(function* (group: TaskGroup) {
          for (let child = 0; child < 10; child += 1) group.createTask(nothing());
          yield* sleep(0);
        });
      }
    }),
    "timeout() in a coroutine": inCoroutine(few, function* (count) {
      for (let index = 0; index < count; index += 1) {
        yield* timeout(100, function* () {
          yield* sleep(0);
        });
      }
    }),
    "timeout() in an async function": inAsync(few, async (count) => {
      for (let index = 0; index < count; index += 1) {
        await timeout(100, async () => {
          await sleep(0);
        });
      }
    }),
    "lines of a stream": streams(40, (reader) => reader.readLine()[Symbol.iterator]()),
    "100 bytes of a stream": streams(100, (reader) => reader.readExactly(100)[Symbol.iterator]()),
    "1 KiB of a stream": streams(1024, (reader) => reader.readExactly(1024)[Symbol.iterator]()),
    "TCP echo of 10 KiB": () => echo(),
  };
}
