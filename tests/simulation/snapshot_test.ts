// What a snapshot says that tasks wait for of connections, processes and jobs.
import { assert, assertEquals } from "@std/assert";
import {
  type Coroutine,
  createSubprocessExec,
  createTask,
  type Future,
  getRunningLoop,
  openConnection,
  PIPE,
  sleep,
  startServer,
  type StreamReader,
  type StreamWriter,
  toThread,
} from "../../mod.ts";
import { simulate, type SimulationMain } from "../../simulation/mod.ts";
import { KINDS } from "../loop/_outcome.ts";

type Streams = [reader: StreamReader, writer: StreamWriter];

/** A kind of wait: prepares it, and gives what begins it. */
interface Wait {
  readonly name: string;
  readonly prepare: (sim: Parameters<SimulationMain<void>>[0]) => Promise<() => Future<unknown>>;
  readonly words: RegExp;
}

/** A connection to a server that reads nothing and says nothing. */
async function connectToSilence(): Promise<Streams> {
  await startServer(async () => await sleep(3600), { hostname: "127.0.0.1", port: 80 });
  return await openConnection({ hostname: "127.0.0.1", port: 80 });
}

const reading = (read: (reader: StreamReader) => Future<unknown>) => async () => {
  const [reader] = await connectToSilence();
  return () => read(reader);
};

const WAITS: readonly Wait[] = [
  {
    name: "readLine",
    prepare: reading((r) => r.readLine()),
    words: /^readLine from 127.0.0.1:80$/,
  },
  { name: "read", prepare: reading((r) => r.read(5)), words: /^read from 127.0.0.1:80$/ },
  { name: "read of all", prepare: reading((r) => r.read()), words: /^read to the end from 127/ },
  {
    name: "readExactly",
    prepare: reading((r) => r.readExactly(5)),
    words: /^readExactly from 127/,
  },
  { name: "readUntil", prepare: reading((r) => r.readUntil("x")), words: /^readUntil from 127/ },
  {
    name: "readInto",
    prepare: reading((r) => r.readInto(new Uint8Array(5))),
    words: /^readInto from 127.0.0.1:80$/,
  },
  {
    name: "readLine with a part of the line",
    prepare: async () => {
      const server = await startServer(async (_reader, writer) => {
        writer.write(new TextEncoder().encode("part"));
        await sleep(3600);
      }, { hostname: "127.0.0.1", port: 80 });
      const [reader] = await openConnection(server.address);
      return () => reader.readLine();
    },
    words: /^readLine from 127.0.0.1:80 \(4 bytes unread\)$/,
  },
  {
    name: "a line of an iteration",
    prepare: reading((r) => r[Symbol.asyncIterator]().next() as Future<unknown>),
    words: /^readLine from 127.0.0.1:80$/,
  },
  {
    name: "drain",
    prepare: async () => {
      const [, writer] = await connectToSilence();
      writer.write(new Uint8Array(4_000_000));
      return () => writer.drain();
    },
    words: /^drain to 127.0.0.1:80$/,
  },
  {
    name: "waitClosed of a writer",
    prepare: async () => {
      const [, writer] = await connectToSilence();
      return () => writer.waitClosed();
    },
    words: /^waitClosed of connection to 127.0.0.1:80$/,
  },
  {
    name: "connect",
    prepare: async ({ host, network }) => {
      await host("server").run(() => startServer(() => {}, { port: 80 }));
      network.partition("main", "server");
      return () => openConnection({ hostname: "server", port: 80 });
    },
    words: /^connect to server:80$/,
  },
  {
    name: "accept",
    prepare: async () => {
      const server = await startServer(() => {}, { hostname: "127.0.0.1", port: 80 });
      return () => server.serveForever();
    },
    words: /^serveForever of server on 127.0.0.1:80$/,
  },
  {
    name: "process wait",
    prepare: async ({ program }) => {
      program("sleep", () => sleep(3600));
      const child = await createSubprocessExec("sleep", { args: ["secret"] });
      return () => child.wait();
    },
    words: /^process.wait of process \d+ \(sleep\)$/,
  },
  {
    name: "process communicate",
    prepare: async ({ program }) => {
      program("sleep", () => sleep(3600));
      const child = await createSubprocessExec("sleep", { stdin: PIPE, stdout: PIPE });
      return () => child.communicate();
    },
    words: /^process.communicate with process \d+ \(sleep\)$/,
  },
  {
    name: "executor job",
    prepare: () =>
      Promise.resolve(() =>
        toThread(async function crunch() {
          await new Promise((resolve) => setTimeout(resolve, 3_600_000));
        })
      ),
    words: /^executor job "crunch"$/,
  },
];

for (const kind of KINDS) {
  for (const { name, prepare, words } of WAITS) {
    Deno.test(`snapshot() says that ${kind} waits for ${name}`, async () => {
      let told: string[] | undefined;
      let text = "";
      await simulate(async (sim) => {
        const begin = await prepare(
          {
            ...sim,
            host: (name) => sim.host(name),
            program: (name, body) => sim.program(name, body),
            network: sim.network,
          } as typeof sim,
        );
        const body = kind === "coroutine"
          ? function* (): Coroutine<void> {
            yield* begin();
          }
          : async () => void await begin();
        createTask(body, { name: "waiter" });
        await sleep(1);
        const snapshot = getRunningLoop().snapshot();
        told = snapshot.tasks.find((task) => task.name === "waiter")?.waitsFor;
        text = JSON.stringify(snapshot);
        assertEquals(JSON.parse(text), snapshot);
      });
      assertEquals(told?.length, 1);
      assert(words.test(told?.[0] ?? ""), `It said ${told}`);
      assert(!text.includes("secret"));
    });
  }
}

Deno.test("snapshot() has processes and executors", async () => {
  await simulate(async (sim) => {
    sim.program("sleep", () => sleep(10));
    const child = await createSubprocessExec("/bin/sleep".slice(5), { stdout: PIPE });
    const jobs = [1, 2, 3, 4, 5].map((seconds) =>
      toThread(async (time: number) => {
        await new Promise((resolve) => setTimeout(resolve, time * 1000));
      }, seconds)
    );
    await sleep(0.5);
    const { processes, executors, transports } = sim.loop.snapshot();
    const [process] = processes;
    assertEquals([process?.pid, process?.state, process?.pipes], [child.pid, "running", 1]);
    assertEquals(transports.map((each) => [each.what, each.kind]), [["pipe to read", "pipe"]]);
    const [executor] = executors;
    assertEquals(
      [executor?.what, executor?.workers, executor?.running, executor?.queued],
      ["thread pool", 4, 4, 1],
    );
    for (const job of jobs) await job;
    const [idle] = sim.loop.snapshot().executors;
    assertEquals([idle?.workers, idle?.running, idle?.queued], [4, 0, 0]);
    await child.wait();
    assertEquals(sim.loop.snapshot().processes, []);
  });
});
