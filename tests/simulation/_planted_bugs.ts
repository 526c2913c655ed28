import { assert, assertEquals } from "@std/assert";
import {
  type Coroutine,
  createTask,
  type Future,
  gather,
  getRunningLoop,
  openConnection,
  type ProtocolLike,
  sleep,
  startServer,
  timeout,
  TimeoutError,
  type Transport,
} from "../../mod.ts";
import type { Simulation, SimulationMain } from "../../simulation/mod.ts";

/** A program with a mistake that only some runs show, and the same program without it. */
export interface PlantedBug {
  readonly name: string;
  readonly buggy: SimulationMain<unknown>;
  readonly fixed: SimulationMain<unknown>;
}

/** What all programs of this file listen on. */
const HERE = { hostname: "127.0.0.1", port: 80 };

function plant(
  name: string,
  create: (isFixed: boolean) => SimulationMain<unknown>,
): PlantedBug {
  return { name, buggy: create(false), fixed: create(true) };
}

/** A lock written by hand. The mistake: it looks, waits for something else, and only then queues. */
class HandWrittenLock {
  #isLocked = false;
  readonly #waiters: Future<void>[] = [];
  readonly #isFixed: boolean;

  constructor(isFixed: boolean) {
    this.#isFixed = isFixed;
  }

  async acquire(): Promise<void> {
    if (!this.#isFixed && this.#isLocked) {
      await sleep(0.001 * Math.random());
      await this.#wait();
    }
    while (this.#isLocked) await this.#wait();
    this.#isLocked = true;
  }

  release(): void {
    this.#isLocked = false;
    const waiter = this.#waiters.shift();
    if (waiter?.done() === false) waiter.setResult();
  }

  async #wait(): Promise<void> {
    const waiter = getRunningLoop().createFuture<void>();
    this.#waiters.push(waiter);
    await waiter;
  }
}

const lostWakeUp = plant("a lost wake-up in a hand-written lock", (isFixed) => async () => {
  const lock = new HandWrittenLock(isFixed);
  const worker = async () => {
    await sleep(0.01 * Math.random());
    await lock.acquire();
    await sleep(0.002 * Math.random());
    lock.release();
  };
  await gather([worker, worker, worker]);
});

const tornUpdate = plant("a torn read-modify-write", (isFixed) =>
  function* () {
    let balance = 100;
    function* withdraw(amount: number): Coroutine<void> {
      const before = balance;
      // An audit that is asked for one amount in eight, at random.
      if (Math.random() < 0.125) yield* sleep(0);
      balance = (isFixed ? balance : before) - amount;
    }
    yield* gather([withdraw(10), withdraw(20), withdraw(30)]);
    assertEquals(balance, 40);
  });

const missingDrain = plant("a missing drain", (isFixed) => async ({ random }) => {
  let mostBuffered = 0;
  const server = await startServer(async (_reader, writer) => {
    const transport = writer.transport;
    for (let block = 0; block < 40; block += 1) {
      writer.write(new Uint8Array(16 * 1024));
      if (isFixed) await writer.drain();
      mostBuffered = Math.max(mostBuffered, transport.getWriteBufferSize());
      await sleep(0.001);
    }
    writer.close();
    await writer.waitClosed();
  }, HERE);
  const [reader, writer] = await openConnection(HERE);
  const isSlow = random.chance(0.05);
  while ((await reader.read(32 * 1024)).length > 0) if (isSlow) await sleep(0.01);
  writer.close();
  server.close();
  await server.waitClosed();
  assert(mostBuffered <= 128 * 1024, `${mostBuffered} bytes were buffered`);
});

const lostReset = plant(
  "a lost reset",
  (isFixed) => async ({ host, network, random, loop }) => {
    const server = host("server");
    const size = 200_000;
    await server.run(() =>
      startServer(async (_reader, writer) => {
        for (let sent = 0; sent < size; sent += 10_000) {
          writer.write(new Uint8Array(10_000));
          await writer.drain();
          await sleep(0.001);
        }
        writer.close();
      }, { port: 80 })
    );
    if (random.chance(0.05)) {
      loop.callLater(0.01 * random.next(), () => network.reset("main", "server"));
    }
    const download = async () => {
      const [reader, writer] = await openConnection({ hostname: "server", port: 80 });
      let received = 0;
      try {
        for (let read = 1; read > 0; received += read) read = (await reader.read(65_536)).length;
      } catch (error) {
        // The mistake: whatever was read is taken for the file.
        if (isFixed) throw error;
      } finally {
        writer.close();
      }
      return received;
    };
    try {
      assertEquals(await download(), size);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  },
);

/** Answers a request once it has ended. The mistake: it lets the end of the request end all. */
function createAnswering(isFixed: boolean): ProtocolLike {
  let transport: Transport;
  const answer = async () => {
    // The look-up is in a cache, most of the time.
    if (Math.random() < 0.1) await sleep(0.01);
    transport.write(new TextEncoder().encode("answer"));
    transport.close();
  };
  return {
    connectionMade: (made) => {
      transport = made;
    },
    dataReceived: () => void createTask(answer),
    eofReceived: () => isFixed,
  };
}

const halfClose = plant("an unhandled half close", (isFixed) => async ({ loop }) => {
  const server = await loop.createServer(() => createAnswering(isFixed), HERE);
  const [reader, writer] = await openConnection(HERE);
  writer.write(new TextEncoder().encode("question"));
  await sleep(0.001);
  writer.writeEof();
  const answer = await reader.read();
  writer.close();
  server.close();
  assertEquals(new TextDecoder().decode(answer), "answer");
});

/** A pool of two places. */
class Pool {
  free = 2;
  users = 0;
  mostUsers = 0;
  readonly #waiters: Future<void>[] = [];

  async take(): Promise<void> {
    while (this.free === 0) {
      const waiter = getRunningLoop().createFuture<void>();
      this.#waiters.push(waiter);
      await waiter;
    }
    this.free -= 1;
    this.users += 1;
    this.mostUsers = Math.max(this.mostUsers, this.users);
  }

  giveBack(): void {
    this.free += 1;
    for (const waiter of this.#waiters.splice(0)) if (!waiter.done()) waiter.setResult();
  }
}

const doubleRelease = plant("a double release", (isFixed) => async () => {
  const pool = new Pool();
  const job = async () => {
    await sleep(0.02 * Math.random());
    await pool.take();
    try {
      await timeout(0.01, () => sleep(0.010_5 * Math.random()));
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      // The mistake: `finally` does it, too.
      if (!isFixed) pool.giveBack();
    } finally {
      pool.users -= 1;
      pool.giveBack();
    }
  };
  await gather([job, job, job, job]);
  assert(pool.mostUsers <= 2, `${pool.mostUsers} users of two places`);
});

/** A program with async functions, coroutines, streams and faults, which writes down all it sees. */
export async function mixedProgram(sim: Simulation): Promise<string> {
  const { host, network, random, loop } = sim;
  const log: string[] = [];
  const note = (text: string) => log.push(`${loop.time()} ${text}`);
  network.loss = 0.05;
  network.fragment = 0.2;
  const server = host("server");
  await server.run(() =>
    startServer(async (reader, writer) => {
      const answerAll = async () => {
        for (let line = await reader.readLine(); line.length > 0; line = await reader.readLine()) {
          await sleep(0.01 * Math.random());
          writer.write(line);
          await writer.drain();
        }
      };
      await answerAll().catch((error) => note(`server ${error}`));
      writer.close();
    }, { port: 80 })
  );
  loop.callLater(0.2 * random.next(), () => network.partition("main", "server"));
  loop.callLater(0.5, () => network.heal());
  if (random.chance(0.3)) loop.callLater(0.3, () => network.reset("main", "server"));
  const client = async (name: string) => {
    try {
      const [reader, writer] = await openConnection({ hostname: "server", port: 80 });
      for (let index = 0; index < 3; index += 1) {
        writer.write(new TextEncoder().encode(`${name}${index} ${Math.random()}\n`));
        note(new TextDecoder().decode(await reader.readLine()));
      }
      writer.close();
    } catch (error) {
      note(`${name} ${error}`);
    }
  };
  function* ticker(): Coroutine<void> {
    for (let index = 0; index < 5; index += 1) {
      yield* sleep(random.next() / 10);
      note(`tick ${index}`);
    }
  }
  await gather([() => client("a"), () => client("b"), ticker]);
  return log.join("\n");
}

/** The six bugs that exploring has to find. */
export const plantedBugs: readonly PlantedBug[] = [
  lostWakeUp,
  tornUpdate,
  missingDrain,
  lostReset,
  halfClose,
  doubleRelease,
];
