// What foreign code keeps in an AsyncLocalStorage goes with tasks, callbacks and operations to where
// they run, as context variables do.
import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import {
  createEngineContexts,
  findContextSwitch,
} from "../../../loop/scheduling/_deno_engine_context.ts";
import {
  asCompleted,
  type Coroutine,
  createTask,
  ensureFuture,
  gather,
  getRunningLoop,
  Lock,
  Queue,
  run,
  shield,
  sleep,
  taskGroup,
  timeout,
  waitFor,
} from "../../../loop/mod.ts";
import { SignalledLoop } from "../_signalled_loop.ts";
import { TestLoop } from "../_test_loop.ts";

const storage = new AsyncLocalStorage<string>();
const store = () => storage.getStore() ?? "nothing";

async function asyncBody(): Promise<string> {
  const first = store();
  await sleep(1);
  return `${first} ${store()}`;
}

function* coroutineBody(): Coroutine<string> {
  const first = store();
  yield* sleep(1);
  return `${first} ${store()}`;
}

/** Runs `work` in the foreign context "A", inside of a main that is outside of it. */
function within<T>(work: () => PromiseLike<T> | T): Promise<T> {
  return run(async () => await storage.run("A", async () => await work()), {
    loopFactory: () => new TestLoop(),
  });
}

/** Gives what a callback sees that `schedule` hands on. */
function seenBy(schedule: (callback: () => void) => unknown): () => Promise<string> {
  return () => new Promise((resolve) => void schedule(() => resolve(store())));
}

const KEPT: Readonly<Record<string, [work: () => PromiseLike<unknown> | unknown, seen: unknown]>> =
  {
    "createTask() of an async function": [() => createTask(asyncBody), "A A"],
    "createTask() of a coroutine function": [() => createTask(coroutineBody), "A A"],
    "createTask() of a coroutine": [() => createTask(coroutineBody()), "A A"],
    "createTask() of a plain function": [() => createTask(store), "A"],
    "createTask() that starts eagerly": [() => createTask(coroutineBody, { eager: true }), "A A"],
    "loop.createTask()": [() => getRunningLoop().createTask(asyncBody), "A A"],
    "taskGroup()": [
      async () => {
        const children = await taskGroup((group) => [
          group.createTask(asyncBody),
          group.createTask(coroutineBody),
        ]);
        return children.map((child) => child.result());
      },
      ["A A", "A A"],
    ],
    "taskGroup() in a coroutine": [
      () =>
        createTask(function* (): Coroutine<string> {
          const child = yield* taskGroup((group) => group.createTask(asyncBody));
          return `${child} ${store()}`;
        }),
      "A A A",
    ],
    "gather()": [() => gather([asyncBody, coroutineBody, coroutineBody()]), ["A A", "A A", "A A"]],
    "asCompleted()": [
      async () => {
        const results: string[] = [];
        for await (const result of asCompleted([asyncBody, coroutineBody()])) {
          results.push(String(await result), store());
        }
        return results;
      },
      ["A A", "A", "A A", "A"],
    ],
    "ensureFuture() of a coroutine": [() => ensureFuture(coroutineBody()), "A A"],
    "shield()": [() => shield(createTask(coroutineBody)), "A A"],
    "waitFor()": [() => waitFor(coroutineBody(), 5), "A A"],
    "timeout() that nobody awaits": [() => ensureFuture(timeout(5, coroutineBody)), "A A"],
    "a task in a task": [
      () => createTask(() => createTask(() => createTask(coroutineBody))),
      "A A",
    ],
    "a done callback": [
      seenBy((callback) => {
        const future = getRunningLoop().createFuture<void>();
        future.addDoneCallback(callback);
        storage.run("B", () => future.setResult());
      }),
      "A",
    ],
    "a done callback of a future that is done": [
      seenBy((callback) => {
        const future = getRunningLoop().createFuture<void>();
        future.setResult();
        future.addDoneCallback(callback);
      }),
      "A",
    ],
    "callSoon()": [seenBy((callback) => getRunningLoop().callSoon(callback)), "A"],
    "callSoonThreadsafe()": [
      seenBy((callback) => getRunningLoop().callSoonThreadsafe(callback)),
      "A",
    ],
    "callLater()": [seenBy((callback) => getRunningLoop().callLater(1, callback)), "A"],
    "callAt()": [seenBy((callback) => getRunningLoop().callAt(1, callback)), "A"],
    "a callback that a callback schedules": [
      seenBy((callback) =>
        getRunningLoop().callSoon(() => getRunningLoop().callLater(1, callback))
      ),
      "A",
    ],
  };

for (const [name, [work, seen]] of Object.entries(KEPT)) {
  Deno.test(`${name} keeps the foreign context of its caller`, async () => {
    assertEquals(await within(work), seen as never);
  });

  Deno.test(`${name} sees no foreign context where its caller has none`, async () => {
    const none = JSON.parse(JSON.stringify(seen).replaceAll("A", "nothing"));
    const loopFactory = () => new TestLoop();
    assertEquals(await run(async () => await work(), { loopFactory }), none);
  });

  Deno.test(`${name} sees the foreign context of run() where that is all there is`, async () => {
    const loopFactory = () => new TestLoop();
    const result = await storage.run("A", () => run(async () => await work(), { loopFactory }));
    assertEquals(result, seen as never);
  });
}

Deno.test("a coroutine keeps its foreign context, whoever wakes it", async () => {
  const loopFactory = () => new TestLoop();
  const seen = await run(async () => {
    const lock = new Lock();
    const queue = new Queue<string>();
    function* waiting(): Coroutine<string> {
      const seen = [store()];
      using _ = yield* lock.acquire();
      seen.push(store());
      seen.push(yield* queue.get(), store());
      yield* taskGroup((group) => group.createTask(() => sleep(1)));
      yield* timeout(5, () => sleep(1));
      seen.push(store());
      return seen.join(" ");
    }
    await lock.acquire();
    const tasks = ["A", "B"].map((name) => storage.run(name, () => createTask(waiting)));
    const outside = createTask(waiting);
    await sleep(1);
    storage.run("C", () => lock.release());
    await sleep(1);
    for (const item of ["1", "2", "3"]) storage.run("D", () => queue.putNowait(item));
    return [await tasks[0], await tasks[1], await outside];
  }, { loopFactory });
  assertEquals(seen, ["A A 1 A A", "B B 2 B B", "nothing nothing 3 nothing nothing"]);
});

Deno.test("an operation that ends in its foreign context does not hand that to who waits for it", async () => {
  const loopFactory = () => new TestLoop();
  const seen = await run(function* (): Coroutine<string[]> {
    const seen = [store()];
    const started = storage.run("A", () => timeout(5, coroutineBody));
    seen.push(yield* started);
    seen.push(store());
    const task = storage.run("A", () => createTask(coroutineBody));
    seen.push(yield* task);
    seen.push(store());
    return seen;
  }, { loopFactory });
  assertEquals(seen, ["nothing", "nothing nothing", "nothing", "A A", "nothing"]);
});

Deno.test("a callback that throws in a foreign context leaves none behind", async () => {
  const loop = new TestLoop();
  const seen: string[] = [];
  await run(async () => {
    storage.run("A", () =>
      loop.callSoon(() => {
        seen.push(store());
        throw new Error("planted");
      }));
    loop.callSoon(() => seen.push(store()));
    await sleep(1);
    assertEquals(loop.takeMessages().length, 1);
  }, { loopFactory: () => loop });
  assertEquals([seen, store()], [["A", "nothing"], "nothing"]);
});

Deno.test("a signal handler runs in the foreign context of who added it", async () => {
  const loop = new SignalledLoop();
  const seen = await run(() =>
    new Promise<string>((resolve) => {
      storage.run("A", () => loop.addSignalHandler("SIGUSR2", () => resolve(store())));
      loop.raise("SIGUSR2");
    }), { loopFactory: () => loop });
  assertEquals(seen, "A");
});

Deno.test("a loop inside of a foreign context leaves the context of its caller alone", async () => {
  const loopFactory = () => new TestLoop();
  const seen = await storage.run("A", async () => {
    const inner = await storage.run("B", () => run(() => createTask(asyncBody), { loopFactory }));
    return `${inner} ${store()}`;
  });
  assertEquals(seen, "B B A");
});

const engine = findContextSwitch();
/** An engine whose contexts look unlike those that are known. */
const strange = { getAsyncContext: () => ({ one: 1, two: 2 }), setAsyncContext: () => {} };

for (const [name, given] of [["the engine", engine], ["Node", null], ["Node", strange]] as const) {
  Deno.test(`contexts kept by ${name}${given === strange ? ", as the engine is strange," : ""} are those of the capture`, async () => {
    const asyncFrames = new AsyncLocalStorage<string | undefined>();
    const contexts = createEngineContexts(asyncFrames, given);
    const seen = () => `${store()} ${asyncFrames.getStore() ?? "no frame"}`;
    const captured = asyncFrames.run("frame", () => storage.run("A", () => contexts.capture()));
    assertEquals(contexts.runIn(captured, seen), "A no frame");
    assertEquals(storage.run("B", () => contexts.runIn(captured, seen)), "A no frame");
    assertEquals(seen(), "nothing no frame");
    const nothing = asyncFrames.run("frame", () => contexts.capture());
    assertEquals(asyncFrames.run("frame", () => contexts.runIn(nothing, seen)), "nothing no frame");
    const later = contexts.runIn(captured, async () => {
      await Promise.resolve();
      return seen();
    });
    assertEquals(await later, "A no frame");
  });
}

Deno.test("Deno has what contexts are kept by at the least cost", () => {
  assertEquals(engine !== null, true);
  const asyncFrames = new AsyncLocalStorage<string | undefined>();
  const contexts = createEngineContexts(asyncFrames, engine);
  assertEquals(asyncFrames.run("frame", () => contexts.capture()), null);
  const captured = storage.run("A", () => contexts.capture());
  assertEquals(contexts.runIn(captured, () => contexts.capture()), captured);
  assertEquals(contexts.runIn(captured, () => contexts.isIn(captured)), true);
});
