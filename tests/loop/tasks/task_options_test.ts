// Options that were checked for one task are not taken for checked, nor for that loop's, by another.
import { assertEquals, assertThrows } from "@std/assert";
import { EventLoop, Task, type TaskOptions } from "../../../loop/mod.ts";
import { runVirtual } from "../_test_loop.ts";

Deno.test("new Task() takes the running loop after another loop has refused a body with these options", async () => {
  await runVirtual(function* (loop) {
    const other = new EventLoop();
    const options: TaskOptions = { name: "again" };
    assertThrows(() => other.createTask(5 as never, options), TypeError);
    const task = new Task(() => 1, options);
    assertEquals(task.getLoop() as EventLoop, loop as EventLoop);
    assertEquals([yield* task, task.getName()], [1, "again"]);
    assertThrows(() => new Task(() => 1, Object.assign(options, { nam: 1 })), TypeError, "nam");
    other.close();
  });
});

Deno.test("loop.createTask() runs on its loop, whatever loop its options say, and leaves these alone", async () => {
  await runVirtual(function* (loop) {
    const other = new EventLoop();
    const options = { name: "mine", loop: other };
    const task = loop.createTask(() => 1, options);
    assertEquals(task.getLoop() as EventLoop, loop as EventLoop);
    assertEquals(options, { name: "mine", loop: other });
    yield* task;
    other.close();
  });
});

Deno.test("createTask() takes a name that its options inherit", async () => {
  await runVirtual(function* (loop) {
    const task = loop.createTask(() => 1, Object.create({ name: "inherited" }));
    assertEquals(task.getName(), "inherited");
    yield* task;
  });
});
