// An `await` that is missing where a resource is held is told at once.
import { assertEquals, assertRejects } from "@std/assert";
import { BoundedSemaphore, Condition, createTask, Lock, Semaphore, sleep } from "../../loop/mod.ts";
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
