// The row L03: Event.
import { assertEquals } from "@std/assert";
import { type Coroutine, createTask, Event, gather, sleep } from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { countIterations, runVirtual } from "../_test_loop.ts";

function* wait(event: Event): Coroutine<unknown[]> {
  return [yield* event.wait(), event.isSet()];
}

async function waitAsync(event: Event): Promise<unknown[]> {
  return [await event.wait(), event.isSet()];
}

Deno.test("L03 Event.set() wakes who waits, also when clear() follows at once", async () => {
  await runVirtual(function* () {
    const event = new Event();
    const tasks = [createTask(() => wait(event)), createTask(() => waitAsync(event))];
    yield* sleep(0);
    event.set();
    event.clear();
    assertEquals(yield* gather(tasks), [[true, false], [true, false]]);
    assertEquals(event.isSet(), false);
  });
});

Deno.test("L03 Event.wait() does not suspend while the event is set", async () => {
  await runVirtual(function* (loop) {
    const event = new Event();
    event.set();
    assertEquals(yield* countIterations(loop, wait(event)), 0);
    assertEquals(yield* event.wait(), true);
  });
});

Deno.test("L03 Event.wait() that is cancelled leaves the others waiting", async () => {
  await runVirtual(async () => {
    const event = new Event();
    const tasks = [createTask(() => waitAsync(event)), createTask(() => wait(event))];
    await sleep(0);
    tasks[0]?.cancel();
    await rejectionOf(tasks[0] as Promise<unknown>);
    assertEquals(tasks[1]?.done(), false);
    event.set();
    assertEquals(await tasks[1], [true, true]);
  });
});
