// What another terminal shows of a running program: ps and top; pstree is what printSnapshot() prints.
import { assertEquals, assertMatch } from "@std/assert";
import { createTask, Event, sleep } from "../../loop/mod.ts";
import { psOf, topOf } from "../../inspector/deno_terminal.ts";
import { runVirtual, type TestLoop } from "../loop/_test_loop.ts";

const plain = (_style: string, text: string): string => text;

Deno.test("ps shows each task in a line, with its age and what it waits for", () =>
  runVirtual(function* (loop) {
    loop.setMeasuring(true);
    const event = new Event();
    const waiter = createTask(() => event.wait(), { name: "waiter" });
    yield* sleep(1.5);
    const lines = psOf(loop.snapshot(), plain).split("\n");
    assertMatch(lines[0] ?? "", /^2 tasks, 0 timers, 0 ready, \d+ iterations, timers 0 ms late$/);
    assertEquals(lines[1], "    ID       AGE      BUSY     STEPS  TASK    WAITS FOR");
    assertMatch(
      lines[3] ?? "",
      /^ +\d+ +1\.5 s +1 +waiter {2}event\.wait of Event \(unset, 1 waiting\)$/,
    );
    event.set();
    yield* waiter;
  }));

Deno.test("top shows the tasks first that were busiest since the look before", () =>
  runVirtual(function* (loop: TestLoop) {
    loop.setMeasuring(true);
    const work = (name: string, at: number, seconds: number) =>
      createTask(async () => {
        await sleep(at);
        loop.clock.advance(seconds);
        await sleep(9);
      }, { name });
    work("early", 1, 0.75);
    work("late", 3, 0.5);
    yield* sleep(2);
    const before = loop.snapshot();
    yield* sleep(2);
    const lines = topOf(loop.snapshot(), before, 5, plain).split("\n");
    assertMatch(lines[0] ?? "", /, steps take 25 % of the time$/);
    assertEquals(lines.length, 4);
    assertMatch(lines[2] ?? "", / late /);
    yield* sleep(20);
  }));
