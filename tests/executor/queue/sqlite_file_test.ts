// What is of the file: who locks it, who reads it how often, and a lease that nobody took over.
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createTask, getRunningLoop, InvalidStateError, run, sleep } from "@gyre/asyncio";
import { JobWorker, type TakenJob } from "@gyre/asyncio/queue";
import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
import jobs from "./_jobs.ts";

const NEVER = new AbortController().signal;
const order = { caller: "me", payload: new Uint8Array([1]), priority: 0, delay: 0 };

/** Runs `body` with a broker that is open on a file of its own. */
function withBroker(
  body: (broker: SqliteBroker, path: string) => Promise<void>,
  lease = 10,
): Promise<void> {
  return run(async () => {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "gyre-queue-" });
    const broker = new SqliteBroker({ path: `${folder}/jobs.db`, lease });
    try {
      await broker.open(getRunningLoop());
      await body(broker, `${folder}/jobs.db`);
    } finally {
      await broker.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function take(broker: SqliteBroker): Promise<TakenJob> {
  const job = await broker.take(NEVER);
  assert(job !== null);
  return job;
}

Deno.test("SqliteBroker waits for who writes to the file, and the loop goes on meanwhile", () =>
  withBroker(async (broker, path) => {
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    let isAdded = false;
    const added = broker.add({ ...order, id: "a" }).then(() => isAdded = true);
    for (let turn = 0; turn < 20; turn += 1) await sleep(0.001);
    assert(!isAdded);
    other.exec("COMMIT");
    await added;
    assertEquals(await broker.size(), 1);
  }));

Deno.test("SqliteBroker.close() fails what is not written yet", () =>
  withBroker(async (broker) => {
    const added = broker.add({ ...order, id: "a" });
    const refused = assertRejects(() => added, InvalidStateError, "it was closed");
    await broker.close();
    await refused;
    await assertRejects(() => broker.size(), InvalidStateError, "the broker is not open");
  }));

Deno.test("SqliteBroker lets a worker keep a job whose lease has ended, until another one takes it", () =>
  withBroker(async (broker) => {
    await broker.add({ ...order, id: "a" });
    const first = await take(broker);
    await sleep(0.002);
    assertEquals(await broker.renew(first), "held");
    await sleep(0.002);
    const second = await take(broker);
    assertEquals([second.id, second.attempt], ["a", 2]);
    assertEquals(await broker.renew(first), "lost");
    await broker.finish(first, new Uint8Array([1]));
    assertEquals((await broker.lookUp(["a"])).map(({ state }) => state), ["running"]);
    await broker.finish(second, new Uint8Array([2]));
    assertEquals({ ...(await broker.lookUp(["a"]))[0] }, {
      state: "done",
      reply: new Uint8Array([2]),
    });
  }, 0.001));

Deno.test("SqliteBroker tells of each reply once, also of more than it reads at once", () =>
  withBroker(async (broker) => {
    const count = 1200;
    const told: string[] = [];
    const ids = Array.from({ length: count }, (_, index) => `key-${index}`);
    await Promise.all(ids.map((id) => broker.add({ ...order, id })));
    const stop = broker.onEvent("me", ({ id }) => told.push(id));
    for (let index = 0; index < count; index += 1) {
      await broker.finish(await take(broker), new Uint8Array([1]));
    }
    while (told.length < count) await sleep(0.001);
    // Two more looks.
    await sleep(0.05);
    stop();
    assertEquals(told.toSorted(), ids.toSorted());
  }));

Deno.test("SqliteBroker lets go of a job that was cancelled when it ends, is given back or is lost", () =>
  withBroker(async (broker) => {
    for (const id of ["a", "b", "c"]) await broker.add({ ...order, id });
    const [a, b] = [await take(broker), await take(broker), await take(broker)];
    for (const id of ["a", "b", "c"]) await broker.cancel(id);
    await broker.finish(a, new Uint8Array([1]));
    await broker.giveBack(b, 0, true);
    await sleep(0.06);
    await broker.add({ ...order, id: "d" });
    assertEquals((await take(broker)).id, "d");
    const states = await broker.lookUp(["a", "b", "c"]);
    assertEquals(states.map(({ state }) => state), ["unknown", "unknown", "unknown"]);
  }, 0.05));

Deno.test("JobWorker.run() fails when a process cannot load the module of its jobs, and takes none", () =>
  withBroker(async (broker, path) => {
    await broker.add({ ...order, id: "a" });
    const url = new URL("../no-such-module.ts", import.meta.url).href;
    const worker = new JobWorker(new SqliteBroker({ path }), { jobs, url });
    await assertRejects(() => worker.run(), TypeError, "no-such-module.ts");
    assertEquals((await broker.lookUp(["a"])).map(({ state }) => state), ["waiting"]);
  }));

Deno.test("JobWorker.run() ends without an error when it is told to while its processes start", () =>
  withBroker(async (_broker, path) => {
    const url = new URL("./_jobs.ts", import.meta.url).href;
    const ending = new AbortController();
    const options = { jobs, url, concurrency: 2, signal: ending.signal };
    const worker = createTask(() => new JobWorker(new SqliteBroker({ path }), options).run());
    await sleep(0.001);
    ending.abort();
    await worker;
  }));

Deno.test("SqliteBroker.open() refuses a table that another version has made, and takes its own again", () =>
  withBroker(async (broker, path) => {
    await broker.close();
    await broker.open(getRunningLoop());
    await broker.close();
    using other = new DatabaseSync(path);
    other.exec("ALTER TABLE gyre_jobs ADD COLUMN more TEXT");
    await assertRejects(
      () => broker.open(getRunningLoop()),
      InvalidStateError,
      `Cannot open a queue: the table gyre_jobs in "${path}" was made by another version`,
    );
  }));
