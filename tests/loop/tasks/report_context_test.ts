// In which context the exception handler runs, and that each error is reported once, if at all.
import { AsyncLocalStorage } from "node:async_hooks";
import * as inside from "../../../loop/inside.ts";
import { assertEquals } from "@std/assert";
import {
  asCompleted,
  ContextVar,
  createTask,
  ensureFuture,
  type Future,
  gather,
  shield,
  sleep,
  taskGroup,
  timeout,
} from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { runVirtual, type TestLoop } from "../_test_loop.ts";

const user = new ContextVar("user", { default: "nobody" });
/** What foreign code keeps, such as the span of a request. */
const request = new AsyncLocalStorage<string>();

/** Collects "message of the error as user in request" of each report. */
function collect(loop: TestLoop): string[] {
  const log: string[] = [];
  loop.setExceptionHandler((_loop, { exception }) => {
    const place = request.getStore();
    const where = place === undefined ? "" : ` in ${place}`;
    log.push(`${(exception as Error).message} as ${user.get()}${where}`);
  });
  return log;
}

const fail = (name: string) => {
  user.set(name);
  throw new Error(name);
};

/** What fails in the name of a user, with nobody who looks. */
const FAILURES: Readonly<Record<string, (loop: TestLoop, name: string) => void>> = {
  "a coroutine": (_loop, name) =>
    void createTask(function* () {
      yield* sleep(0.01);
      fail(name);
    }),
  "an async function": (_loop, name) =>
    void createTask(async () => {
      user.set(name);
      await sleep(0.01);
      fail(name);
    }),
  "a gathering": (_loop, name) =>
    void createTask(function* () {
      gather([() => fail(name), sleep(0.5)]);
      yield* sleep(0.01);
    }),
  "a shield": (_loop, name) => void shield(createTask(() => fail(name))),
  "a future": (loop, name) =>
    void createTask(() => {
      user.set(name);
      loop.createFuture().setException(new Error(name));
    }),
  "a callback": (loop, name) => loop.callSoon(() => fail(name)),
  "a callback that is an async function": (loop, name) =>
    loop.callSoon(async () => {
      user.set(name);
      await Promise.resolve();
      throw new Error(name);
    }),
  "a timer": (loop, name) => loop.callLater(0.01, () => fail(name)),
  "a done callback": (loop, name) => {
    const future = loop.createFuture<void>();
    future.addDoneCallback(() => fail(name));
    future.setResult();
  },
};

for (const [what, start] of Object.entries(FAILURES)) {
  Deno.test(`the failure of ${what} is reported with its context variables, whoever failed first`, async () => {
    await runVirtual(async (loop) => {
      const log = collect(loop);
      for (const name of ["ann", "bob"]) start(loop, name);
      await sleep(3);
      assertEquals(log, ["ann as ann", "bob as bob"]);
    });
  });

  Deno.test(`the failure of ${what} is reported in its foreign context, or in none`, async () => {
    await runVirtual(async (loop) => {
      const log = collect(loop);
      for (const name of ["ann", "bob"]) request.run(`request of ${name}`, () => start(loop, name));
      start(loop, "eve");
      await sleep(3);
      assertEquals(log, [
        "ann as ann in request of ann",
        "bob as bob in request of bob",
        "eve as eve",
      ]);
    });
  });
}

Deno.test("callExceptionHandler() with a task reports in its foreign context, and without one where it was called", async () => {
  await runVirtual(async (loop) => {
    const log = collect(loop);
    const task = request.run("a request", () =>
      createTask(async () => {
        user.set("ann");
        await sleep(1);
        throw new Error("left");
      }));
    const exception = await rejectionOf(task);
    request.run("another request", () => {
      loop.callExceptionHandler({ message: "planted", exception, task });
    });
    request.run("another request", () => {
      loop.callExceptionHandler({ message: "planted", exception: new Error("nobody's") });
    });
    assertEquals(log, ["left as ann in a request", "nobody's as nobody in another request"]);
  });
});

Deno.test("shield() does not report an error that somebody else looks at", async () => {
  await runVirtual(async (loop) => {
    const inner = createTask(async () => {
      await sleep(1);
      throw new Error("planted");
    });
    const outer = createTask(async () => await shield(inner));
    await sleep(0.5);
    outer.cancel();
    await rejectionOf(outer);
    assertEquals(String(await rejectionOf(inner)), "Error: planted");
    await sleep(10);
    assertEquals(loop.takeReports(), []);
  });
});

Deno.test("asCompleted() that is left reports what fails later in time, and the wait at hand goes on", async () => {
  const leave: Readonly<Record<string, (of: Future<void>[]) => Promise<unknown>>> = {
    "for await and break": async (of) => {
      for await (const done of asCompleted(of)) {
        await done;
        break;
      }
    },
    "for and break": async (of) => {
      for (const next of asCompleted(of)) {
        await next;
        break;
      }
    },
    "destructuring": async (of) => {
      const [first] = asCompleted(of);
      await first;
    },
    "a time limit": async (of) => {
      const waits = async () => {
        for await (const done of asCompleted(of, { timeout: 0.2 })) await done;
      };
      await rejectionOf(ensureFuture(waits));
    },
    "a cancellation": async (of) => {
      const waits = timeout(0.2, async () => {
        for await (const done of asCompleted(of)) await done;
      });
      await rejectionOf(waits);
    },
  };
  for (const [how, wait] of Object.entries(leave)) {
    await runVirtual(async (loop) => {
      const start = loop.time();
      const log: string[] = [];
      loop.setExceptionHandler(() => void log.push((loop.time() - start).toFixed(2)));
      const bad = createTask(async () => {
        await sleep(0.5);
        throw new Error("planted");
      });
      await wait([createTask(() => sleep(0.1)), bad]);
      await sleep(5);
      assertEquals(log, ["1.50"], how);
    });
  }
});

Deno.test("an error that was looked at leaves no timer", async () => {
  await runVirtual(async (loop) => {
    await timeout(1, () => sleep(10)).catch(() => {});
    await gather([() => fail("ann")], { returnExceptions: true });
    await taskGroup((group) => void group.createTask(() => fail("bob"))).catch(() => {});
    assertEquals(loop[inside.timers].list(), []);
  });
});
