import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BrokenExecutor,
  CancelledError,
  ContextVar,
  createCallbackPort,
  createJob,
  DenoEventLoop,
  Event,
  gather,
  getRunningLoop,
  InvalidStateError,
  moduleFunction,
  Queue,
  QueueFull,
  run,
  toThread,
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
} from "../../mod.ts";

/** Runs `body` with a pool that is shut down afterwards. */
function withPool(
  options: WorkerPoolExecutorOptions,
  body: (pool: WorkerPoolExecutor) => Promise<void>,
): Promise<void> {
  return run(async () => {
    await using pool = new WorkerPoolExecutor(options);
    await body(pool);
  });
}

/** A job that says `started`, waits for a go, and says what it was given. */
const gated = async (ports: [MessagePort, SharedArrayBuffer], value: string) => {
  const [port, gate] = ports;
  port.postMessage(["started"]);
  await Atomics.waitAsync(new Int32Array(gate), 0, 0).value;
  port.postMessage([value]);
  port.close();
  return value;
};

/** Opens and closes a gate for {@linkcode gated} jobs. */
class Gate {
  readonly #memory = new SharedArrayBuffer(4);
  readonly #said = new Queue<string>();

  /** Submits a job that waits for the gate. */
  submit(pool: WorkerPoolExecutor, value: string) {
    const { port } = createCallbackPort((text: string) => this.#said.putNowait(text));
    return pool.submit(createJob(gated, { transfer: [port] }), [port, this.#memory], value);
  }

  open(): void {
    const view = new Int32Array(this.#memory);
    Atomics.store(view, 0, 1);
    Atomics.notify(view, 0);
  }

  /** What a job says next. */
  said() {
    return this.#said.get();
  }
}

Deno.test("runInExecutor() starts the job at once, awaited or not (E01)", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const started = new Event();
    const { port } = createCallbackPort(() => started.set());
    const job = createJob((port: MessagePort) => {
      port.postMessage([]);
      port.close();
      return "done";
    }, { transfer: [port] });

    const future = loop.runInExecutor(null, job, port);

    await started.wait();
    assertEquals(await future, "done");
  });
});

Deno.test("Cancelling a running job detaches it: the work goes on (E02)", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const gate = new Gate();
    const job = gate.submit(pool, "finished");
    assertEquals(await gate.said(), "started");

    assert(job.cancel("enough"));
    assert(job.cancelled());
    await assertRejects(async () => await job, CancelledError, "enough");

    gate.open();
    assertEquals(await gate.said(), "finished");
  });
});

Deno.test("An executor that was shut down takes no job (E03)", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    await pool.shutdown();
    assertThrows(() => pool.submit(() => 1), InvalidStateError, "the executor was shut down");
    await assertRejects(async () => await pool.warmUp(), InvalidStateError, "was shut down");

    assertEquals(await toThread(() => 1), 1);
    await loop.shutdownDefaultExecutor();
    assertThrows(() => toThread(() => 1), InvalidStateError, "the executor was shut down");
    await loop.shutdownDefaultExecutor();
  });
});

Deno.test("Callbacks of a job have the context of its caller; the job itself has none (E04)", async () => {
  const user = new ContextVar("user", { default: "nobody" });
  await withPool({ maxWorkers: 1 }, async (pool) => {
    user.set("caller");
    const seen: string[] = [];
    const job = createJob((report: (value: number) => void) => report(1), {
      onProgress: () => seen.push(`progress ${user.get()}`),
    });

    await pool.submit(job);
    seen.push(`result ${user.get()}`);

    assertEquals(seen, ["progress caller", "result caller"]);
    assertThrows(() => toThread(() => user.get()), TypeError, '"user" from the scope around it');
  });
});

Deno.test("Jobs on a closed loop are refused", () => {
  const loop = new DenoEventLoop();
  loop.close();
  assertThrows(
    () => loop.runInExecutor(null, () => 1),
    InvalidStateError,
    "the event loop is closed",
  );
});

Deno.test("runInExecutor() serves a loop that does not run yet", async () => {
  const loop = new DenoEventLoop();
  const future = loop.runInExecutor(null, (a: number, b: number) => a * b, 6, 7);
  assertEquals(await loop.runUntilComplete(future), 42);
  await loop.runUntilComplete(loop.shutdownDefaultExecutor());
  loop.close();
});

Deno.test("setDefaultExecutor() sets what serves jobs without an executor", async () => {
  await run(async () => {
    const loop = getRunningLoop();
    const asked: unknown[] = [];
    loop.setDefaultExecutor({
      submit(_fn, ...args) {
        asked.push(...args);
        const future = loop.createFuture<never>();
        future.setResult("served" as never);
        return future;
      },
      shutdown: () => Promise.resolve(),
    });
    assertEquals(await toThread((n: number) => `${n}`, 5), "served");
    assertEquals(asked, [5]);
    assertThrows(() => loop.setDefaultExecutor(null as never), TypeError, "expected an executor");
  });
});

Deno.test("Jobs wait their turn in order, and each gets its own result", async () => {
  await withPool({ maxWorkers: 2 }, async (pool) => {
    const jobs = Array.from({ length: 20 }, (_, n) => pool.submit((n: number) => n * n, n));
    assertEquals(await gather(jobs), jobs.map((_, n) => n * n));
  });
});

Deno.test("Cancelling a job that waits removes it from the queue", async () => {
  await withPool({ maxWorkers: 1, maxQueued: 1 }, async (pool) => {
    const gate = new Gate();
    const running = gate.submit(pool, "first");
    await gate.said();
    const waiting = pool.submit(() => "second");
    assertThrows(() => pool.submit(() => "third"), QueueFull, "1 jobs are waiting");

    waiting.cancel();
    const third = pool.submit(() => "third");
    gate.open();

    assertEquals(await running, "first");
    assertEquals(await third, "third");
    assert(waiting.cancelled());
  });
});

Deno.test("A job that waits is sent with its arguments as they were", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const gate = new Gate();
    void gate.submit(pool, "first");
    const list = [1];
    const waiting = pool.submit((list: number[]) => list.length, list);
    list.push(2);
    gate.open();
    assertEquals(await waiting, 1);
  });
});

Deno.test("A worker is used again, and remembers what its jobs left in its globals", async () => {
  await withPool({ maxWorkers: 3 }, async (pool) => {
    const count = () => {
      const memory = globalThis as { count?: number };
      return memory.count = (memory.count ?? 0) + 1;
    };
    assertEquals(await pool.submit(count), 1);
    assertEquals(await pool.submit(count), 2);
  });
});

Deno.test("warmUp() starts workers before the first job", async () => {
  await withPool({ maxWorkers: 2 }, async (pool) => {
    await pool.warmUp();
    assertEquals(await gather([pool.submit(() => 1), pool.submit(() => 2)]), [1, 2]);
  });
});

Deno.test("map() gives results in the order of the items, and begins as many as wanted", async () => {
  await withPool({ maxWorkers: 2 }, async (pool) => {
    const taken: number[] = [];
    function* items() {
      for (const n of [30, 1, 20, 2]) {
        taken.push(n);
        yield n;
      }
    }
    const delayed = async (ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return ms;
    };
    const results = pool.map(delayed, items(), { concurrency: 2 });
    assertEquals(taken, [30, 1]);
    assertEquals(await Array.fromAsync(results), [30, 1, 20, 2]);
  });
});

Deno.test("map() ends with the error of a call, and cancels those that wait", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const results = pool.map(
      (n: number) => {
        if (n === 2) throw new RangeError(`no ${n}`);
        return n;
      },
      [1, 2, 3, 4],
    );
    assertEquals(await results.next(), { done: false, value: 1 });
    await assertRejects(async () => await results.next(), RangeError, "no 2");
    assertEquals(await results.next(), { done: true, value: undefined });
  });
});

Deno.test("Leaving a for await over map() ends it", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    let ended = false;
    function* items() {
      try {
        for (let n = 0;; n += 1) yield n;
      } finally {
        ended = true;
      }
    }
    for await (const n of pool.map((n: number) => n, items())) if (n === 3) break;
    assert(ended);
  });
});

Deno.test("createJob() moves what is in its transfer list, and results if wanted", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const bytes = new Uint8Array([1, 2, 3]);
    const options = { transfer: [bytes.buffer], transferResult: true };
    const doubled = await pool.submit(
      createJob((bytes: Uint8Array) => bytes.map((byte) => byte * 2), options),
      bytes,
    );
    assertEquals(doubled, new Uint8Array([2, 4, 6]));
    assertEquals(bytes.length, 0);
  });
});

Deno.test("createJob() hears of progress in order, before the result", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const seen: unknown[] = [];
    const job = createJob((limit: number, report: (n: number) => void) => {
      for (let n = 0; n < limit; n += 1) report(n);
      return "end";
    }, { onProgress: (n: number) => seen.push(n) });
    seen.push(await pool.submit(job, 3));
    assertEquals(seen, [0, 1, 2, "end"]);
  });
});

Deno.test("createCallbackPort() calls back from a worker, in order, and wakes an idle loop", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const said = new Queue<string>();
    using calls = createCallbackPort((...words: string[]) => said.putNowait(words.join(" ")));
    const job = createJob((port: MessagePort) => {
      port.postMessage(["hello", "loop"]);
      port.postMessage("alone");
    }, { transfer: [calls.port] });
    await pool.submit(job, calls.port);
    assertEquals([await said.get(), await said.get()], ["hello loop", "alone"]);
  });
});

Deno.test("moduleFunction() runs the export of a module", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const url = new URL("_jobs.ts", import.meta.url);
    const countWords = moduleFunction<typeof import("./_jobs.ts").countWords>(url, "countWords");
    assertEquals(await pool.submit(countWords, "to be or not"), 4);

    const missing = moduleFunction<() => void>(url, "missing");
    await assertRejects(async () => await pool.submit(missing), TypeError, "it is not exported");
    const nowhere = moduleFunction<() => void>("file:///tmp/no-such-module.ts");
    await assertRejects(async () => await pool.submit(nowhere), TypeError, "no-such-module");
    for (const path of ["./_jobs.ts", "/_jobs.ts", "C:\\_jobs.ts", "c:/_jobs.ts"]) {
      assertThrows(() => moduleFunction(path), TypeError, "the URL is not absolute");
    }
  });
});

Deno.test("WorkerPoolExecutor refuses permissions, and names what can restrict", () => {
  const refused = assertThrows(
    () => new WorkerPoolExecutor({ permissions: "none" } as never),
    TypeError,
  );
  assert(refused.message.includes("--unstable-worker-options"));
  assert(refused.message.includes("ProcessPoolExecutor"));
  assertThrows(() => new WorkerPoolExecutor({ maxWorkers: 0 }), RangeError, "maxWorkers");
});

Deno.test("shutdown() waits for running and queued jobs", async () => {
  await run(async () => {
    const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    const jobs = [1, 2, 3].map((n) => pool.submit((n: number) => n, n));
    await pool.shutdown();
    assertEquals(await gather(jobs), [1, 2, 3]);
    await pool.shutdown();
  });
});

Deno.test("shutdown() can cancel what waits, and return at once", async () => {
  await run(async () => {
    const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    const gate = new Gate();
    const running = gate.submit(pool, "first");
    await gate.said();
    const waiting = pool.submit(() => 2);
    await pool.shutdown({ wait: false, cancelFutures: true });
    assert(waiting.cancelled());
    gate.open();
    assertEquals(await running, "first");
  });
});

Deno.test("shutdown() ends workers by force after its timeout", async () => {
  await run(async () => {
    const pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    const gate = new Gate();
    const running = gate.submit(pool, "never");
    await gate.said();
    const waiting = pool.submit(() => 2);
    await pool.shutdown({ timeout: 0.01 });
    await assertRejects(async () => await running, BrokenExecutor, "within 0.01 seconds");
    assert(waiting.cancelled());
  });
});
