import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  createJob,
  Event,
  type Future,
  gather,
  moduleFunction,
  ProcessPoolExecutor,
  type ProcessPoolExecutorOptions,
  run,
} from "../../mod.ts";

function withPool(
  options: ProcessPoolExecutorOptions,
  body: (pool: ProcessPoolExecutor) => Promise<void>,
): Promise<void> {
  return run(async () => {
    await using pool = new ProcessPoolExecutor(options);
    await body(pool);
  });
}

/** Whether a process is there. */
async function isAlive(pid: number): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `kill -0 ${pid}`],
    stderr: "null",
  })
    .output();
  return success;
}

Deno.test("ProcessPoolExecutor runs jobs in processes of their own", async () => {
  await withPool({ maxWorkers: 2 }, async (pool) => {
    const pids = await gather([pool.submit(() => Deno.pid), pool.submit(() => Deno.pid)]);
    assertEquals(new Set([...pids, Deno.pid]).size, 3);
  });
});

Deno.test("ProcessPoolExecutor grants nothing unless told", async () => {
  const states = () =>
    (["env", "ffi", "net", "read", "run", "sys", "write"] as const)
      .filter((name) => Deno.permissions.querySync({ name }).state === "granted");
  await withPool({ maxWorkers: 1 }, async (pool) => {
    assertEquals(await pool.submit(states), []);
    await assertRejects(
      async () => await pool.submit(() => Deno.readTextFileSync("/etc/hostname")),
      Deno.errors.NotCapable,
    );
  });
  await withPool({ maxWorkers: 1, permissions: { sys: true, read: ["/tmp"] } }, async (pool) => {
    assertEquals(await pool.submit(states), ["sys"]);
    const state = (path: string) => Deno.permissions.querySync({ name: "read", path }).state;
    assertEquals(await pool.submit(state, "/tmp/x"), "granted");
    assertEquals(await pool.submit(state, "/etc"), "prompt");
  });
});

Deno.test("Cancelling a running job kills its process, and the next job gets a new one", async () => {
  let pid = 0;
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const started = new Event();
    const endless = pool.submit(createJob((report: (pid: number) => void) => {
      report(Deno.pid);
      for (;;);
    }, {
      onProgress: (itsPid: number) => {
        pid = itsPid;
        started.set();
      },
    }));
    await started.wait();
    const next = pool.submit(() => Deno.pid);

    endless.cancel();

    await assertRejects(async () => await endless, CancelledError);
    assert(await next !== pid);
  });
  assertEquals(await isAlive(pid), false);
});

Deno.test("shutdown() leaves no process", async () => {
  let pid = 0;
  await withPool({ maxWorkers: 1 }, async (pool) => {
    pid = await pool.submit(() => Deno.pid);
    assertEquals(await isAlive(pid), true);
  });
  assertEquals(await isAlive(pid), false);
});

Deno.test("Data crosses to a process and back, large and small", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const echo = (value: unknown) => value;
    const values = [
      null,
      new Map([["a", new Set([1n])]]),
      new Date(5),
      { nested: [undefined, NaN, "ü"] },
      new Uint8Array(3_000_000).fill(7),
    ];
    for (const value of values) assertEquals(await pool.submit(echo, value), value);
  });
});

Deno.test("A process job may print without harm", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const job = () => {
      Deno.stdout.writeSync(new Uint8Array(0));
      console.log();
      return "printed";
    };
    assertEquals(await pool.submit(job), "printed");
  });
});

Deno.test("A process job that reads stdin finds it empty, and takes nothing from the next job", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const job = async () => {
      const bytes = new Uint8Array(100);
      const parts = await Array.fromAsync(Deno.stdin.readable);
      return [await Deno.stdin.read(bytes), Deno.stdin.readSync(bytes), parts.length];
    };
    const results: Future<unknown>[] = [pool.submit(job), pool.submit(job)];
    results.push(pool.submit(() => "next"));
    assertEquals(await gather(results), [[null, null, 0], [null, null, 0], "next"]);
  });
});

Deno.test("moduleFunction() in a process needs the permission to read it", async () => {
  const url = new URL("_jobs.ts", import.meta.url);
  const countWords = moduleFunction<typeof import("./_jobs.ts").countWords>(url, "countWords");
  await withPool({ maxWorkers: 1 }, async (pool) => {
    await assertRejects(
      async () => await pool.submit(countWords, "a"),
      Deno.errors.NotCapable,
      "--allow-read",
    );
  });
  await withPool({ maxWorkers: 1, permissions: { read: [url] } }, async (pool) => {
    assertEquals(await pool.submit(countWords, "a b"), 2);
  });
});

Deno.test("A process takes nothing by transfer", async () => {
  await withPool({ maxWorkers: 1 }, async (pool) => {
    const memory = new SharedArrayBuffer(4);
    assertThrows(() => pool.submit((_: unknown) => {}, memory), TypeError, "it is shared memory");
    const bytes = new ArrayBuffer(1);
    const job = createJob((_: ArrayBuffer) => {}, { transfer: [bytes] });
    assertThrows(() => pool.submit(job, bytes), TypeError, "nothing can be transferred");
    await assertRejects(async () => await pool.submit((_: unknown) => {}, { memory }));
    await pool.submit(() => 1);
  });
});
