/**
 * One kind of scheduling work on one checkout of this package, for bench/schedule.ts: for each line
 * on stdin it does a slice of it, and prints the nanoseconds of CPU time that an operation took.
 *
 * Usage: work.ts <folder of the checkout> <name of the work>
 *
 * @module
 */
import process from "node:process";
import type * as Package from "@gyre/asyncio";
import type { Coroutine, EventLoop, StreamReader, TaskGroup, Transport } from "@gyre/asyncio";

const [folder = "", name = ""] = Deno.args;
const {
  createTask,
  EventLoop: Loop,
  gather,
  getRunningLoop,
  Lock,
  Queue,
  run,
  sleep,
  StreamReader: Reader,
  taskGroup,
  timeout,
} = await import(new URL("mod.ts", `file://${folder}`).href) as typeof Package;

/** How many operations a slice has, of cheap kinds and of dear ones. */
const COUNT = 20_000;
const FEW = 4_000;

/** Does a slice, in a loop that it runs, and gives the number of operations. */
type Work = (loop: EventLoop) => Promise<number>;

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

/** Feeds copies of `chunk` and has `read` take them. */
function streams(size: number, read: (reader: StreamReader) => Coroutine<unknown>): Work {
  return inCoroutine(FEW, function* (count) {
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
  const count = 500;
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
    const { port } = server.address;
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

const WORK: Record<string, Work> = {
  async "callSoon chain"(loop) {
    let left = COUNT;
    const step = () => {
      left -= 1;
      if (left > 0) loop.callSoon(step);
      else loop.stop();
    };
    loop.callSoon(step);
    await loop.runForever();
    return COUNT;
  },
  async "callSoon batch"(loop) {
    for (let index = 0; index < COUNT; index += 1) loop.callSoon(noop);
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    return COUNT;
  },
  "callLater and cancel"(loop) {
    for (let index = 0; index < COUNT; index += 1) loop.callLater(100, noop).cancel();
    return Promise.resolve(COUNT);
  },
  async "100,000 timers"(loop) {
    const now = loop.time();
    let left = 100_000;
    const step = () => {
      left -= 1;
      if (left === 0) loop.stop();
    };
    for (let index = 0; index < 100_000; index += 1) {
      loop.callAt(now - 1 + (index * 7919) % 100_003 * 1e-9, step);
    }
    await loop.runForever();
    return 100_000;
  },
  "sleep(0) in a coroutine": inCoroutine(COUNT, function* (count) {
    for (let index = 0; index < count; index += 1) yield* sleep(0);
  }),
  "sleep(0) in an async function": inAsync(COUNT, async (count) => {
    for (let index = 0; index < count; index += 1) await sleep(0);
  }),
  "task of a coroutine": inCoroutine(COUNT, function* (count) {
    for (let index = 0; index < count; index += 1) yield* createTask(nothing());
  }),
  "task of a generator function": inCoroutine(COUNT, function* (count) {
    for (let index = 0; index < count; index += 1) yield* createTask(nothing);
  }),
  "task of a plain function": inCoroutine(COUNT, function* (count) {
    for (let index = 0; index < count; index += 1) yield* createTask(noop);
  }),
  "task of an async function": inCoroutine(FEW, function* (count) {
    const body = async () => {};
    for (let index = 0; index < count; index += 1) yield* createTask(body);
  }),
  "task of an async function that sleeps": inAsync(FEW, async (count) => {
    const body = async () => {
      await sleep(0);
    };
    for (let index = 0; index < count; index += 1) await createTask(body);
  }),
  "task with a name": inCoroutine(COUNT, function* (count) {
    for (let index = 0; index < count; index += 1) {
      yield* createTask(nothing(), { name: "named" });
    }
  }),
  "gather of 100,000": inCoroutine(100_000, function* (count) {
    yield* gather(Array.from({ length: count }, () => nothing()));
  }),
  "gather of 10": inCoroutine(FEW, function* (count) {
    for (let index = 0; index < count; index += 1) {
      yield* gather(Array.from({ length: 10 }, () => nothing()));
    }
  }),
  "bare future in a coroutine": inCoroutine(COUNT, function* (count, loop) {
    for (let index = 0; index < count; index += 1) {
      const future = loop.createFuture<number>();
      future.setResult(index);
      yield* future;
    }
  }),
  "bare future in an async function": inAsync(COUNT, async (count, loop) => {
    for (let index = 0; index < count; index += 1) {
      const future = loop.createFuture<number>();
      future.setResult(index);
      await future;
    }
  }),
  "bare future, set later, in a coroutine": inCoroutine(COUNT, function* (count, loop) {
    for (let index = 0; index < count; index += 1) {
      const future = loop.createFuture<number>();
      loop.callSoon((value) => future.setResult(value), index);
      yield* future;
    }
  }),
  "done callback": inCoroutine(COUNT, function* (count, loop) {
    for (let index = 0; index < count; index += 1) {
      const future = loop.createFuture<number>();
      future.addDoneCallback(noop);
      future.setResult(index);
      if (index % 100 === 0) yield* sleep(0);
    }
  }),
  "lock in a coroutine": inCoroutine(COUNT, function* (count) {
    const lock = new Lock();
    for (let index = 0; index < count; index += 1) {
      yield* lock.acquire();
      lock.release();
    }
  }),
  "queue in a coroutine": inCoroutine(COUNT, function* (count) {
    const queue = new Queue<number>({ maxSize: 10 });
    const producer = createTask(function* () {
      for (let index = 0; index < count; index += 1) yield* queue.put(index);
    });
    for (let index = 0; index < count; index += 1) yield* queue.get();
    yield* producer;
  }),
  "cancelled task of a coroutine": inCoroutine(FEW, function* (count) {
    for (let index = 0; index < count; index += 1) {
      const task = createTask(function* () {
        yield* sleep(100);
      });
      yield* sleep(0);
      task.cancel();
      yield* gather([task], { returnExceptions: true });
    }
  }),
  "cancelled task of an async function": inCoroutine(FEW, function* (count) {
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
  "taskGroup of 10": inCoroutine(FEW / 10, function* (count) {
    for (let index = 0; index < count; index += 1) {
      yield* taskGroup(function* (group: TaskGroup) {
        for (let child = 0; child < 10; child += 1) group.createTask(nothing());
        yield* sleep(0);
      });
    }
  }),
  "timeout() in a coroutine": inCoroutine(FEW, function* (count) {
    for (let index = 0; index < count; index += 1) {
      yield* timeout(100, function* () {
        yield* sleep(0);
      });
    }
  }),
  "timeout() in an async function": inAsync(FEW, async (count) => {
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

if (name === "") {
  console.log(Object.keys(WORK).join("\n"));
  Deno.exit();
}
const work = WORK[name] as Work;
const output = Deno.stdout;
const encoder = new TextEncoder();
const buffer = new Uint8Array(1);
while (await Deno.stdin.read(buffer) !== null) {
  const loop = new Loop();
  const before = process.cpuUsage();
  const count = await work(loop);
  const { user, system } = process.cpuUsage(before);
  loop.close();
  await output.write(encoder.encode(`${(user + system) * 1e3 / count}\n`));
}
