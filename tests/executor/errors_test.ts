// What crosses when a job fails, and when its worker does. Each case runs on a thread and in a process.
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  BrokenExecutor,
  type PoolExecutor,
  ProcessPoolExecutor,
  run,
  WorkerPoolExecutor,
} from "../../mod.ts";

const POOLS: Record<string, () => PoolExecutor> = {
  thread: () => new WorkerPoolExecutor({ maxWorkers: 1, heapLimitMb: 64 }),
  process: () => new ProcessPoolExecutor({ maxWorkers: 1, heapLimitMb: 64 }),
};

/** Tests `body` with each kind of pool. */
function test(name: string, body: (pool: PoolExecutor) => Promise<void>): void {
  for (const [kind, createPool] of Object.entries(POOLS)) {
    Deno.test(`${name} (${kind})`, () =>
      run(async () => {
        await using pool = createPool();
        await body(pool);
      }));
  }
}

/** Runs a job that fails, and returns what it failed with. */
async function failureOf(pool: PoolExecutor, job: () => unknown): Promise<unknown> {
  try {
    await pool.submit(job);
  } catch (error) {
    return error;
  }
  throw new Error("Expected the job to fail");
}

test("An error keeps class, message, stack, cause and code", async (pool) => {
  const error = await failureOf(pool, function failing() {
    const cause = new RangeError("why");
    throw Object.assign(new TypeError("what", { cause }), { code: "E_WHAT", detail: { n: 1 } });
  });
  assertInstanceOf(error, TypeError);
  assertEquals(error.message, "what");
  assert(error.stack?.includes("failing"));
  assertInstanceOf(error.cause, RangeError);
  assertEquals(error.cause.message, "why");
  assertEquals((error as { code?: unknown }).code, "E_WHAT");
  assertEquals((error as { detail?: unknown }).detail, { n: 1 });
});

test("An error of a class of the job keeps its name, and the class that it extends", async (pool) => {
  const error = await failureOf(pool, () => {
    class OutOfStock extends RangeError {
      override name = "OutOfStock";
    }
    throw new OutOfStock("no tea");
  });
  assertInstanceOf(error, RangeError);
  assertEquals(String(error), "OutOfStock: no tea");
});

test("An AggregateError keeps its errors", async (pool) => {
  const error = await failureOf(pool, () => {
    throw new AggregateError([new SyntaxError("a"), new Error("b")], "both");
  });
  assertInstanceOf(error, AggregateError);
  assertEquals(error.errors.map(String), ["SyntaxError: a", "Error: b"]);
});

test("Errors of the host and of the web keep their classes", async (pool) => {
  assertInstanceOf(
    await failureOf(pool, () => {
      throw new Deno.errors.NotFound("gone");
    }),
    Deno.errors.NotFound,
  );
  const aborted = await failureOf(pool, () => AbortSignal.abort().throwIfAborted());
  assertInstanceOf(aborted, DOMException);
  assertEquals(aborted.name, "AbortError");
});

test("What is no error is thrown as it is", async (pool) => {
  assertEquals(await failureOf(pool, () => Promise.reject({ a: 1 })), { a: 1 });
  assertEquals(await failureOf(pool, () => Promise.reject(undefined)), undefined);
});

test("An error with itself as its cause ends somewhere", async (pool) => {
  const error = await failureOf(pool, () => {
    const error = new Error("loop");
    error.cause = error;
    throw error;
  });
  assertInstanceOf((error as Error).cause, Error);
});

test("A result that cannot be sent fails its job only", async (pool) => {
  await assertRejects(
    async () => await pool.submit(() => () => 1),
    TypeError,
    "Cannot return the result of a job",
  );
  assertEquals(await pool.submit(() => undefined), undefined);
});

/** Ways in which a job can break its worker, and what its error says. */
const DEATHS: [name: string, job: () => unknown, says: string][] = [
  ["exits", () => Deno.exit(3), "exited with code 3"],
  ["fails outside of its promise", () => {
    setTimeout(() => {
      throw new Error("stray");
    });
    return new Promise(() => {});
  }, 'outside of what the job returned ("Error: stray")'],
  ["leaves a rejection", () => {
    void Promise.reject(new RangeError("lost"));
    return new Promise(() => {});
  }, 'outside of what the job returned ("RangeError: lost")'],
  ["runs out of memory", () => {
    const all: unknown[] = [];
    for (;;) all.push(new Array(100_000).fill(0.5));
  }, "its worker "],
  ["runs out of memory after an await", async () => {
    await undefined;
    const all: unknown[] = [];
    for (;;) all.push(new Array(100_000).fill(0.5));
  }, "its worker "],
];

for (const [name, job, says] of DEATHS) {
  test(`A job that ${name} fails alone, and its worker is replaced`, async (pool) => {
    const failing = pool.submit(job);
    const next = pool.submit(() => "next");
    await assertRejects(async () => await failing, BrokenExecutor, says);
    assertEquals(await next, "next");
  });
}

/** What a job can do to the port that the pool uses; on threads only. */
const GARBAGE: [name: string, job: () => unknown, says: string][] = [
  ["closes its worker", () => globalThis.close(), "exited with code 0"],
];

for (const [name, job, says] of GARBAGE) {
  Deno.test(`A job that ${name} fails alone, and its worker is replaced (thread)`, () =>
    run(async () => {
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      const failing = pool.submit(job);
      const next = pool.submit(() => "next");
      await assertRejects(async () => await failing, BrokenExecutor, says);
      assertEquals(await next, "next");
    }));
}

Deno.test("A worker that fails between jobs is replaced", async () => {
  await run(async () => {
    await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    await pool.submit(() => void setTimeout(() => Deno.exit(1), 1));
    let failures = 0;
    // The worker dies during one of these jobs or between two.
    for (let n = 0; n < 20; n += 1) {
      const job = pool.submit(() => new Promise((resolve) => setTimeout(resolve, 1, "ran")));
      await job.then((said) => assertEquals(said, "ran"), () => failures += 1);
    }
    assert(failures <= 1);
  });
});
