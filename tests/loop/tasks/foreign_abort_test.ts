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
  "Promise.any() in Promise.any()": (signal) =>
    Promise.any([
      pause(60_000, "value", { signal }),
      Promise.any([pause(60_000, "value", { signal }), sleep(50)]),
    ]),
  "Promise.any() as a cause of a cause": (signal) =>
    Promise.any([pause(60_000, "value", { signal }), once(new EventEmitter(), "never", { signal })])
      .catch((cause) => Promise.reject(new Error("first", { cause })))
      .catch((cause) => Promise.reject(new Error("second", { cause }))),
  "disposals that end by it in Promise.any()": (signal) =>
    Promise.any([disposing(signal), disposing(signal)]),
};

async function disposing(signal: AbortSignal): Promise<void> {
  await using _resource = {
    [Symbol.asyncDispose]: () => Promise.any([pause(60_000, undefined, { signal })]),
  };
  await Promise.any([pause(60_000, "value", { signal })]);
}

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

/** Errors that a function throws after it was cancelled, made of what its awaits have thrown. */
const WRAPPED: Readonly<Record<string, [wrap: (error: Error) => Error, isCancelled: boolean]>> = {
  "an AggregateError of AggregateErrors": [
    (error) => new AggregateError([new AggregateError([error]), error]),
    true,
  ],
  "a SuppressedError of AggregateErrors": [
    (error) => new SuppressedError(new AggregateError([error]), new AggregateError([error])),
    true,
  ],
  "an AggregateError of SuppressedErrors": [
    (error) => new AggregateError([new SuppressedError(error, error)]),
    true,
  ],
  "a SuppressedError of SuppressedErrors": [
    (error) =>
      new SuppressedError(new SuppressedError(error, error), new SuppressedError(error, error)),
    true,
  ],
  "forty AggregateErrors, each twice in the next": [(error) => nested(error, 40), true],
  "a hundred thousand in one AggregateError": [
    (error) => new AggregateError(Array.from({ length: 1e5 }, () => error)),
    true,
  ],
  "ten thousand AggregateErrors in one another": [(error) => nested(error, 1e4), false],
  "an AggregateError in which another error is": [
    (error) => new AggregateError([error, new AggregateError([error, new Error("planted")])]),
    false,
  ],
  "an empty AggregateError beside it": [
    (error) => new AggregateError([error, new AggregateError([])]),
    false,
  ],
  "an error of its own with the cancellation as the cause": [
    (error) => new Error("failed", { cause: new AggregateError([error]) }),
    false,
  ],
  "an AggregateError in itself": [(error) => {
    const circle = new AggregateError([error]);
    circle.errors.push(new AggregateError([circle]));
    return circle;
  }, false],
  "an error that is its own cause": [() => {
    const circle = new Error("planted");
    circle.cause = new Error("planted", { cause: circle });
    return circle;
  }, false],
  "an AggregateError whose errors throw": [(error) => {
    const odd = new AggregateError([error]);
    Object.defineProperty(odd, "errors", {
      get() {
        throw new Error("planted");
      },
    });
    return odd;
  }, false],
};

function nested(error: Error, depth: number): Error {
  let outer = error;
  for (let count = 0; count < depth; count += 1) outer = new AggregateError([outer, outer]);
  return outer;
}

for (const [name, [wrap, isCancelled]] of Object.entries(WRAPPED)) {
  const [ends, timesOut] = isCancelled
    ? ["ends cancelled", "gives its TimeoutError"]
    : ["fails", "fails"];

  Deno.test(`A cancelled task that throws ${name} ${ends}, and a timeout() ${timesOut}`, async () => {
    await runVirtual(async () => {
      for (const hasRead of isCancelled ? [false, true] : [false]) {
        const body = async () => {
          if (hasRead) signalOf();
          try {
            await sleep(60);
          } catch (error) {
            throw wrap(error as Error);
          }
        };
        const task = createTask(body);
        await sleep(1);
        task.cancel("stop");
        const error = await errorOf(task);
        assertEquals(task.cancelled(), isCancelled);
        if (isCancelled) assertEquals((error as Error).message, "stop");
        const limited = await errorOf(timeout(1, body));
        assertEquals(limited instanceof TimeoutError, isCancelled);
        assertEquals(
          await errorOf(createTask(() => timeout(1, body))) instanceof TimeoutError,
          isCancelled,
        );
      }
    });
  });
}

Deno.test("A task that was not cancelled and throws AggregateErrors of cancellations has failed", async () => {
  await runVirtual(async () => {
    for (const wrap of [(error: Error) => nested(error, 1), (error: Error) => nested(error, 2)]) {
      const task = createTask(() => Promise.reject(wrap(new CancelledError("of another"))));
      assertInstanceOf(await errorOf(task), AggregateError);
      assertEquals(task.cancelled(), false);
    }
  });
});
