// `task.signal` ends foreign promises: whatever they say then is the cancellation, and it is thrown
// once.
import { EventEmitter, once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers";
import { scheduler, setTimeout as pause } from "node:timers/promises";
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  CancelledError,
  createTask,
  currentTask,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { runVirtual } from "../_test_loop.ts";

/** What ends when a signal aborts, each in words of its own. */
const FOREIGN: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
  "the reason itself": (signal) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    ),
  "a DOMException": (signal) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(new DOMException("ended", "AbortError")))
    ),
  "an error with the reason as its cause": (signal) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(new Error("ended", { cause: signal.reason })))
    ),
  "setTimeout() of node:timers/promises": (signal) => pause(60_000, "value", { signal }),
  "scheduler.wait()": (signal) => scheduler.wait(60_000, { signal }),
  "once() of node:events": (signal) => once(new EventEmitter(), "never", { signal }),
  "a pipeline of streams": (signal) =>
    pipeline(new Readable({ read() {} }), new PassThrough(), { signal }),
  "a signal made of it": (signal) =>
    pause(60_000, "value", { signal: AbortSignal.any([signal, new AbortController().signal]) }),
};

const signalOf = () => (currentTask() as Task<unknown>).signal;

/** Lets the host have a few turns, which virtual time does not. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((end) => setImmediate(end));
}

async function errorOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return "no error";
}

for (const [name, start] of Object.entries(FOREIGN)) {
  const body = () => start(signalOf());

  Deno.test(`cancel() of a task that waits for ${name} ends it cancelled, with message and cause`, async () => {
    await runVirtual(async () => {
      const task = createTask(body);
      await sleep(0);
      task.cancel("stop", { cause: "cause" });
      const error = await errorOf(task);
      assertInstanceOf(error, CancelledError);
      assertEquals([error.message, error.cause, task.cancelled()], ["stop", "cause", true]);
    });
  });

  Deno.test(`A child that waits for ${name} and is cancelled does not fail its group`, async () => {
    await runVirtual(async () => {
      await taskGroup(async (group) => {
        const child = group.createTask(body);
        await sleep(0);
        child.cancel();
      });
    });
  });

  Deno.test(`timeout() and waitFor() of ${name} give their TimeoutError, wherever they run`, async () => {
    await runVirtual(async () => {
      const limited = [
        () => timeout(1, body),
        () => timeout(1, async () => await body()),
        () => timeout(1, ({ signal }) => start(signal)),
        () => waitFor(body, 1),
      ];
      for (const begin of limited) {
        assertInstanceOf(await errorOf(begin()), TimeoutError);
        assertInstanceOf(await begin().catch((error) => error), TimeoutError);
        assertInstanceOf(await createTask(begin).catch((error) => error), TimeoutError);
      }
      // The task itself was not cancelled: its signal is good for the next try.
      assertEquals(signalOf().aborted, false);
    });
  });

  Deno.test(`The cleanup after ${name}, beside other awaits, gets the cancellation no second time`, async () => {
    for (const beside of [[], [0.01], [0.01, 50]]) {
      await runVirtual(async () => {
        const log: string[] = [];
        const task = createTask(async () => {
          try {
            await Promise.all([body(), ...beside.map((seconds) => sleep(seconds))]);
          } finally {
            await sleep(1);
            log.push("cleaned up");
          }
        });
        await sleep(1);
        task.cancel();
        assertInstanceOf(await errorOf(task), CancelledError);
        assertEquals(log, ["cleaned up"]);
      });
    }
  });

  Deno.test(`A function may refuse the cancellation that ${name} has told it of`, async () => {
    await runVirtual(async () => {
      const task = createTask(async () => {
        await errorOf(body());
        return await sleep(1, "refused");
      });
      await sleep(1);
      task.cancel();
      assertEquals(await task, "refused");
    });
  });
}

/** Stands for `new Deno.Command(…, { signal }).output()`, which ends with a status when it aborts. */
function resolvesOnAbort(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => void turns().then(() => resolve("killed")))
  );
}

Deno.test("What resolves when the signal aborts does not take the cancellation", async () => {
  await runVirtual(async () => {
    const bodies = [
      () => resolvesOnAbort(signalOf()),
      async () => {
        await resolvesOnAbort(signalOf());
        await sleep(50);
      },
    ];
    for (const body of bodies) {
      const task = createTask<unknown>(body);
      await sleep(1);
      task.cancel("stop");
      const error = await errorOf(task);
      assertInstanceOf(error, CancelledError);
      assertEquals(error.message, "stop");
      assertInstanceOf(await errorOf(timeout<unknown>(1, body)), TimeoutError);
    }
    // A body that has read no signal has ended by itself, if late.
    assertEquals(await timeout(1, () => turns().then(() => "late")), "late");
  });
});

Deno.test("A signal that was read and given to nobody does not take the cancellation", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      assertEquals(signalOf().aborted, false);
      await turns();
      await sleep(50);
    });
    await Promise.resolve();
    await sleep(0);
    task.cancel("stop");
    assertEquals((await errorOf(task) as Error).message, "stop");
  });
});

Deno.test("A task that cancels itself, having read its signal, gets the error at its next await", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      const { signal } = currentTask() as Task<unknown>;
      currentTask()?.cancel("own");
      assertEquals(signal.aborted, true);
      await sleep(50);
    });
    assertEquals((await errorOf(task) as Error).message, "own");
  });
});

Deno.test("An AbortError of a signal of somebody else's is a failure", async () => {
  await runVirtual(async () => {
    const controller = new AbortController();
    const task = createTask(() => pause(60_000, null, { signal: controller.signal }));
    await sleep(0);
    controller.abort();
    assertEquals((await errorOf(task) as Error).name, "AbortError");
    assertEquals(task.cancelled(), false);
  });
});

Deno.test("A task cancelled in its block and again in its disposal is cancelled, with the newest message", async () => {
  await runVirtual(async () => {
    const disposing = async () => {
      await using _outer = { [Symbol.asyncDispose]: async () => await sleep(5) };
      await using _inner = { [Symbol.asyncDispose]: async () => await sleep(5) };
      await sleep(50);
    };
    const bodies = [
      disposing,
      () => timeout(40, disposing),
      () => taskGroup(disposing),
      () => waitFor(disposing, 40),
    ];
    for (const body of bodies) {
      const task = createTask<unknown>(body);
      for (const message of ["first", "second", "third"]) {
        await sleep(1);
        task.cancel(message);
      }
      assertEquals((await errorOf(task) as Error).message, "third");
      assertEquals(task.cancelled(), true);
    }
  });
});

Deno.test("A disposal that fails after a cancellation fails the task", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await using _resource = {
        [Symbol.asyncDispose]: () => Promise.reject(new Error("planted")),
      };
      await sleep(50);
    });
    await sleep(1);
    task.cancel();
    assertInstanceOf(await errorOf(task), SuppressedError);
    assertEquals(task.cancelled(), false);
  });
});
