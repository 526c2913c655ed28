/**
 * Calls the functions that its arguments name, one test each, and says what came of it: a line
 * `permitted <name>`, or `refused <name>: <message>`. Started by permissions_test.ts with fewer
 * permissions each time; the sanitizers look for what a refusal leaves open.
 *
 * @module
 */
import {
  createSubprocessExec,
  createSubprocessShell,
  DenoEventLoop,
  moduleFunction,
  openConnection,
  openUnixConnection,
  type Process,
  ProcessPoolExecutor,
  run,
  type Server,
  serveWorkers,
  startServer,
  startUnixServer,
  toThread,
} from "../../../mod.ts";
import { BullmqBroker } from "../../../executor/queue/bullmq.ts";
import { NatsBroker } from "../../../executor/queue/nats.ts";
import { SqliteBroker } from "../../../executor/queue/sqlite.ts";
import { startInspector } from "../../../inspector/mod.ts";
import {
  nativePlatform,
  newNativeEventLoop,
  socket,
  socketpair,
} from "../../../transports/native/mod.ts";

/** What the places of the table stand for: `<hostname>` and so on. */
const [values = "{}", ...names] = Deno.args;
const { hostname = "", port = "", path = "", command = "", address = "", file = "" } = JSON.parse(
  values,
) as Record<string, string>;
const tcp = { hostname, port: Number(port) };

/** Calls a function, and lets go of what it gives. */
type Probe = (loop: DenoEventLoop) => Promise<unknown>;

const PROBES: Readonly<Record<string, Probe>> = {
  createConnection: async (loop) => (await loop.createConnection(Object, tcp))[0].abort(),
  "createConnection with family": async (loop) =>
    (await loop.createConnection(Object, { ...tcp, family: "ipv4" }))[0].abort(),
  "createConnection with localAddress": async (loop) => {
    const localAddress = { hostname: "127.0.0.2", port: 0 };
    (await loop.createConnection(Object, { ...tcp, localAddress }))[0].abort();
  },
  openConnection: async () => (await openConnection(tcp))[1].close(),
  createServer: async (loop) => await close(await loop.createServer(Object, tcp)),
  startServer: async () => await close(await startServer(() => {}, tcp)),
  createUnixConnection: async (loop) =>
    (await loop.createUnixConnection(Object, { path }))[0].abort(),
  openUnixConnection: async () => (await openUnixConnection({ path }))[1].close(),
  createUnixServer: async (loop) => await close(await loop.createUnixServer(Object, { path })),
  startUnixServer: async () => await close(await startUnixServer(() => {}, { path })),
  createDatagramEndpoint: async (loop) => {
    const options = { localAddress: { hostname: "127.0.0.1", port: 0 }, remoteAddress: tcp };
    (await loop.createDatagramEndpoint(() => ({}), options))[0].abort();
  },
  getaddrinfo: async (loop) => await loop.getaddrinfo(hostname, 80),
  getnameinfo: async (loop) => await loop.getnameinfo({ hostname: address, port: 80 }),
  subprocessExec: async (loop) => (await loop.subprocessExec(() => ({}), command))[0].close(),
  createSubprocessExec: async () => await end(await createSubprocessExec(command)),
  "createSubprocessExec with stderr": async () =>
    await end(await createSubprocessExec(command, { stdout: "piped", stderr: "stdout" })),
  subprocessShell: async (loop) => (await loop.subprocessShell(() => ({}), "true"))[0].close(),
  createSubprocessShell: async () => await end(await createSubprocessShell("true")),
  killGroup: async () => {
    const options = { startNewSession: true, stdin: "piped" } as const;
    await using child = await createSubprocessExec("cat", options);
    child.killGroup("SIGTERM");
  },
  ProcessPoolExecutor: async () => {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    await pool.submit(() => 1);
  },
  serveWorkers: async () => {
    const ending = new AbortController();
    const app = new URL("./shared_port_app.ts", import.meta.url);
    const onServing = () => ending.abort();
    await serveWorkers(app, { ...tcp, workers: 1, signal: ending.signal, onServing });
  },
  newNativeEventLoop: async () => await newNativeEventLoop().close(),
  // deno-lint-ignore require-await -- what it throws is a rejection
  nativePlatform: async () => nativePlatform(),
  // deno-lint-ignore require-await -- what it throws is a rejection
  socket: async () => socket().close(),
  // deno-lint-ignore require-await -- what it throws is a rejection
  socketpair: async () => socketpair().forEach((one) => one.close()),
  sockConnect: () =>
    natively(async (loop) => {
      using one = socket();
      await loop.sockConnect(one, tcp);
    }),
  sockSendto: () =>
    natively(async (loop) => {
      using one = socket("ipv4", "datagram");
      await loop.sockSendto(one, new Uint8Array(1), tcp);
    }),
  startInspector: async (loop) =>
    await (await startInspector({ ...tcp, loop, print: () => {} })).close(),
  BullmqBroker: async (loop) =>
    await new BullmqBroker({ url: `redis://${hostname}:${port}` }).open(loop),
  NatsBroker: async (loop) =>
    await new NatsBroker({ url: `nats://${hostname}:${port}` }).open(loop),
  SqliteBroker: async (loop) => {
    const broker = new SqliteBroker({ path });
    await broker.open(loop);
    await broker.close();
    await Deno.remove(path);
  },
  moduleFunction: async () => await toThread(moduleFunction(new URL(`file://${file}`), "answer")),
};

async function close(server: Server): Promise<void> {
  server.close();
  await server.waitClosed();
}

async function end(process: Process): Promise<void> {
  await process.communicate();
}

/** Says what came of a call. A network that does not answer has permitted it all the same. */
async function report(name: string, probe: Probe, loop: DenoEventLoop): Promise<void> {
  try {
    await probe(loop);
    console.log(`permitted ${name}`);
  } catch (error) {
    const refused = error instanceof Deno.errors.NotCapable;
    const expected = error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ECONNREFUSED";
    if (!refused && !expected) throw error;
    console.log(refused ? `refused ${name}: ${error.message}` : `permitted ${name}`);
  }
}

/** Calls `probe` on a loop of the native backend. */
async function natively(probe: Probe): Promise<void> {
  const loop = newNativeEventLoop();
  await run(() => probe(loop), { loopFactory: () => loop, signals: [] });
}

/** What has a loop of its own. */
const OUTSIDE = ["serveWorkers", "sockConnect", "sockSendto"];

for (const name of names) {
  Deno.test(name, async () => {
    const loop = new DenoEventLoop();
    if (OUTSIDE.includes(name)) {
      await report(name, PROBES[name] as Probe, loop);
      return loop.close();
    }
    const signals: Deno.Signal[] = [];
    await run(() => report(name, PROBES[name] as Probe, loop), {
      loopFactory: () => loop,
      signals,
    });
  });
}
