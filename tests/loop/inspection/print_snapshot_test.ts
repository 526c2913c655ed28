// What there is on a loop, in lines of text.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  createTask,
  Event,
  type Future,
  gather,
  InvalidStateError,
  printSnapshot,
  run,
  sleep,
  taskGroup,
  wait,
} from "../../../loop/mod.ts";
import { SignalledLoop } from "../_signalled_loop.ts";
import { runVirtual, type TestLoop } from "../_test_loop.ts";

/** The lines that are printed, without the first. */
function printed(loop: TestLoop, colors = false): string[] {
  const lines: string[] = [];
  printSnapshot({ loop, colors, print: (text) => lines.push(...text.split("\n")) });
  return lines.slice(1);
}

Deno.test("printSnapshot() prints the tasks as a tree: whom they await, and their groups", async () => {
  await runVirtual(function* (loop) {
    const event = new Event();
    const shared = createTask(() => event.wait(), { name: "shared" });
    createTask(() => gather([shared, createTask(() => sleep(9), { name: "own" })]), { name: "a" });
    createTask(async () => {
      await taskGroup(async (group) => {
        group.createTask(() => shared, { name: "child" });
        await sleep(9);
      });
    }, { name: "b" });
    yield* sleep(1);
    assertEquals(printed(loop), [
      `├─ "Task-1" running`,
      `├─ "a" gather of 2 (2 left)`,
      `│  ├─ "shared" event.wait of Event (unset, 1 waiting)`,
      `│  └─ "own" sleep 8 s left`,
      `└─ "b" task group: sleep 8 s left`,
      `   └─ "child" task "shared"`,
      `      └─ "shared" (as above)`,
    ]);
    event.set();
    yield* sleep(10);
  });
});

Deno.test("printSnapshot() prints each task of a circle, of layers and of a deep chain once", async () => {
  await runVirtual(function* (loop) {
    const circle: Future<unknown>[] = [];
    for (let index = 0; index < 2; index += 1) {
      circle.push(createTask(() => circle[1 - index] as Future<unknown>, { name: `c${index}` }));
    }
    let layer: Future<unknown>[] = [loop.createFuture()];
    for (let depth = 0; depth < 30; depth += 1) {
      const below = layer;
      layer = [0, 1].map(() => createTask(() => gather(below)));
    }
    let chain: Future<unknown> = loop.createFuture();
    for (let depth = 0; depth < 5_000; depth += 1) {
      const inner = chain;
      chain = createTask(() => inner, { name: `chain ${depth}` });
    }
    yield* sleep(0);
    yield* sleep(0);
    const lines = printed(loop);
    const once = lines.filter((line) => !line.includes("(as above)"));
    assertEquals(once.length, loop.snapshot().tasks.length);
    assert(lines.length < 2 * once.length);
    assert(lines.some((line) => line.includes(`[4999] "chain 0" future`)));
    assertEquals(lines.slice(-3), [
      `├─ "c0" task "c1"`,
      `│  └─ "c1" task "c0"`,
      `│     └─ "c0" (as above)`,
    ]);
    const all = [...circle, ...layer, chain];
    for (const future of all) future.cancel();
    yield* wait(all);
  });
});

Deno.test("printSnapshot() marks names, waits and cancellations with colours if it is told", async () => {
  await runVirtual(function* (loop) {
    const task = createTask(function* (): Coroutine<void> {
      try {
        yield* sleep(9);
      } finally {
        yield* sleep(1);
      }
    }, { name: "worker" });
    yield* sleep(0);
    task.cancel();
    yield* sleep(0.5);
    assertEquals(
      printed(loop, true).at(-1),
      [
        "\x1b[2m└─ \x1b[0m",
        `\x1b[1m"worker"\x1b[0m `,
        "\x1b[31mcancelling, sleep 0.5 s left\x1b[0m",
      ].join(""),
    );
    yield* wait([task]);
  });
});

Deno.test("printSnapshot() outside of a loop needs one", () => {
  assertThrows(() => printSnapshot(), InvalidStateError, "Cannot print a snapshot");
});

for (const debug of [true, false]) {
  const what = debug ? "prints a snapshot on SIGQUIT in" : "leaves SIGQUIT alone outside of";
  Deno.test(`run() ${what} debug mode`, async () => {
    const loop = new SignalledLoop();
    const texts: string[] = [];
    const { error } = console;
    console.error = (text: string) => void texts.push(text);
    let listeners = 0;
    try {
      await run(async () => {
        await sleep(1);
        listeners = loop.raise("SIGQUIT");
      }, { loopFactory: () => loop, debug });
    } finally {
      console.error = error;
    }
    assertEquals([listeners, texts.length], debug ? [1, 1] : [0, 0]);
    if (debug) assert(texts[0]?.includes(`"Task-1" running`), texts[0]);
    assertEquals(loop.raise("SIGQUIT"), 0);
  });
}

Deno.test("run() in debug mode leaves SIGQUIT to a handler of the program, and to its signals", async () => {
  const loop = new SignalledLoop();
  const seen: string[] = [];
  await run(async () => {
    loop.addSignalHandler("SIGQUIT", () => seen.push("handled"));
    loop.raise("SIGQUIT");
    await sleep(1);
  }, { loopFactory: () => loop, debug: true });
  assertEquals(seen, ["handled"]);
});

Deno.test("printSnapshot() names the tasks that have failed of late, where that is measured", async () => {
  await runVirtual(function* (loop) {
    loop.setMeasuring(true);
    createTask(() => {
      throw new TypeError("secret");
    }, { name: "parser" }).catch(() => {});
    yield* sleep(2);
    const lines: string[] = [];
    printSnapshot({ print: (text) => lines.push(...text.split("\n")), colors: false });
    assertEquals(lines.at(-1), '"parser" failed with TypeError, 2 s ago');
  });
});
