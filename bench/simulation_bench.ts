// Simulation: an hour with a thousand clients, the cost of a jump of the clock, and of a run.
//   deno bench -P=pure bench/simulation_bench.ts
// The hour prints a line of its own: simulated seconds and events for each second of the machine.
import { type Coroutine, createTask, type ProtocolLike, sleep, type Transport } from "../mod.ts";
import { simulate, type Simulation } from "../simulation/mod.ts";

const CLIENTS = 1000;
const HOUR = 3600;
const PING = new Uint8Array([1]);

/** Sends everything back. */
function createEcho(): ProtocolLike {
  let transport: Transport;
  return {
    connectionMade: (made) => {
      transport = made;
    },
    dataReceived: (data) => transport.write(data),
  };
}

/** Sends a byte every ten seconds or so, waits for its echo, and connects again when it is lost. */
function* runClient({ loop }: Simulation, count: () => void): Coroutine<never> {
  for (;;) {
    let heard = loop.createFuture<void>();
    const hear = () => void (heard.done() || heard.setResult());
    const factory = (): ProtocolLike => ({ dataReceived: hear, connectionLost: hear });
    const [transport] = yield* loop.createConnection(factory, { hostname: "server", port: 7 });
    while (!transport.isClosing()) {
      transport.write(PING);
      yield* heard;
      heard = loop.createFuture();
      count();
      yield* sleep(20 * Math.random());
    }
    yield* sleep(Math.random());
  }
}

/** Every five minutes the server is cut off for five seconds, and then all connections break. */
function* plague({ network }: Simulation): Coroutine<never> {
  for (;;) {
    yield* sleep(300);
    network.partition("server");
    yield* sleep(5);
    network.heal();
    network.reset("server");
  }
}

async function simulateHour(): Promise<void> {
  const start = performance.now();
  let echoes = 0;
  const events = await simulate(async (sim) => {
    const server = sim.host("server");
    await server.run(() => server.loop.createServer(createEcho, { port: 7 }));
    for (let client = 0; client < CLIENTS; client += 1) {
      createTask(runClient(sim, () => echoes += 1));
    }
    createTask(plague(sim));
    await sleep(HOUR);
    return sim.loop.statistics().callbacks + server.loop.statistics().callbacks;
  }, { seed: 1, network: { loss: 0.001 } });
  const seconds = (performance.now() - start) / 1000;
  const perSecond = (amount: number) => Math.round(amount / seconds).toLocaleString("en");
  console.log(
    `An hour with ${CLIENTS} clients took ${seconds.toFixed(1)} s: ` +
      `${perSecond(HOUR)} simulated seconds, ${perSecond(events)} events and ` +
      `${perSecond(echoes)} echoes each second`,
  );
}

await simulateHour();

// Deno waits for async functions only.
Deno.bench("1,000 sleeps of a second", { group: "time", baseline: true }, async () => {
  await simulate(function* () {
    for (let count = 0; count < 1000; count += 1) yield* sleep(1);
  });
});

Deno.bench("1,000 sleeps of a second, async function", { group: "time" }, async () => {
  await simulate(async () => {
    for (let count = 0; count < 1000; count += 1) await sleep(1);
  });
});

function* takeTenSteps(): Coroutine<void> {
  for (let step = 0; step < 10; step += 1) yield* sleep(0);
}

for (const schedule of ["fifo", "random", "pct"] as const) {
  const baseline = schedule === "fifo";
  Deno.bench(`100 tasks of 10 steps, ${schedule}`, { group: "schedules", baseline }, async () => {
    await simulate(function* () {
      for (let count = 0; count < 100; count += 1) createTask(takeTenSteps());
      yield* takeTenSteps();
    }, { schedule });
  });
}

Deno.bench("a run that does nothing", async () => {
  await simulate(() => {});
});
