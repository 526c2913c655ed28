// An `await` that is missing: where a resource is held it is told at once, else when the loop closes.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  BoundedSemaphore,
  Condition,
  createTask,
  type Future,
  gather,
  getRunningLoop,
  Lock,
  run,
  Semaphore,
  sleep,
  taskGroup,
  timeout,
  timeoutAt,
  waitFor,
} from "../../loop/mod.ts";
import { runVirtual } from "./_test_loop.ts";

const MESSAGE = "Cannot dispose of a future: await it to have what it gives, " +
  "as in using _ = await lock.acquire()";

for (
  const [name, create] of [
    ["Lock", () => new Lock()],
    ["Semaphore", () => new Semaphore(1)],
    ["BoundedSemaphore", () => new BoundedSemaphore(1)],
    ["Condition", () => new Condition()],
  ] as const
) {
  Deno.test(`using of ${name}.acquire() without await throws before the block runs`, async () => {
    const ran = await runVirtual(async () => {
      const holder = create();
      let ran = false;
      await assertRejects(
        async () => {
          // What types refuse, but `deno run` does not.
          using _held = holder.acquire() as unknown as Disposable;
          ran = true;
          await sleep(0);
        },
        TypeError,
        MESSAGE,
      );
      return ran;
    });
    assertEquals(ran, false);
  });
}

Deno.test("await using of a task or an operation throws before the block runs", async () => {
  await runVirtual(async () => {
    for (const future of [sleep(1), createTask(() => sleep(1))]) {
      await assertRejects(
        async () => {
          await using _resource = future as unknown as AsyncDisposable;
        },
        TypeError,
        MESSAGE,
      );
      future.cancel();
    }
  });
});

/** What is warned of while `body` runs and its loop closes. */
async function warningsOf(
  body: () => unknown,
  options: { debug?: boolean } = {},
): Promise<string[]> {
  const { warn } = console;
  const lines: string[] = [];
  console.warn = (text: string) => lines.push(text);
  try {
    await run(async () => await body(), options);
  } finally {
    console.warn = warn;
  }
  return lines;
}

function doneFuture(): Future<number> {
  const future = getRunningLoop().createFuture<number>();
  future.setResult(1);
  return future;
}

/** What begins only where it is awaited. */
const FORGETTABLE: Readonly<Record<string, [() => unknown, string]>> = {
  "timeout()": [() => timeout(1, () => 1), "timeout"],
  "timeoutAt()": [() => timeoutAt(1, () => 1), "timeout"],
  "waitFor()": [() => waitFor(() => 1, 1), "timeout"],
  "waitFor() of no time": [() => waitFor(doneFuture(), 0), "timeout"],
  "taskGroup()": [() => taskGroup(() => 1), "task group"],
};

for (const [name, [create, word]] of Object.entries(FORGETTABLE)) {
  Deno.test(`${name} that was never awaited is told of when the loop closes`, async () => {
    const [warning = "", ...more] = await warningsOf(() => void create());
    assertMatch(
      warning,
      new RegExp(`^A .*${word}.* was never awaited, so that it has not begun$`, "i"),
    );
    assertEquals(more, []);
  });

  Deno.test(`${name} that was awaited, gathered, returned or cancelled is not told of`, async () => {
    const warnings = await warningsOf(async () => {
      await create();
      await gather([create() as Promise<unknown>]);
      await createTask(() => create());
      await createTask(function* () {
        yield* create() as Iterable<unknown>;
      });
      await Promise.all([create(), create()]);
      (create() as { cancel(): void }).cancel();
      const late = create();
      await sleep(0);
      await late;
    });
    assertEquals(warnings, []);
  });
}

Deno.test("in debug mode what was never awaited is told of with where it was created", async () => {
  const [warning = ""] = await warningsOf(() => void timeout(1, () => 1), { debug: true });
  assertMatch(warning, /; it was created\n.*not_awaited_test\.ts/s);
});

Deno.test("only some of many that were never awaited are kept", async () => {
  const warnings = await warningsOf(() => {
    for (let count = 0; count < 1000; count += 1) timeout(1, () => 1);
  });
  assertEquals(warnings.length, 20);
});
