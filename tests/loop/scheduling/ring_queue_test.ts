import { assertEquals } from "@std/assert";
import { RingQueue } from "../../../loop/scheduling/_ring_queue.ts";

Deno.test("RingQueue gives entries in the order in which they came, over bursts and wraps", () => {
  const queue = new RingQueue<number>();
  let pushed = 0;
  let taken = 0;
  for (const burst of [1, 63, 64, 65, 1000, 3, 200, 5000]) {
    for (let count = 0; count < burst; count += 1) queue.push(pushed++);
    for (let count = 0; count < burst * 0.7; count += 1) assertEquals(queue.shift(), taken++);
    assertEquals(queue.size, pushed - taken);
  }
  while (queue.size > 0) assertEquals(queue.shift(), taken++);
  assertEquals(taken, pushed);
});

Deno.test("RingQueue keeps its order when it grows with its head in the middle", () => {
  const queue = new RingQueue<number>();
  for (let entry = 0; entry < 64; entry += 1) queue.push(entry);
  for (let entry = 0; entry < 40; entry += 1) queue.shift();
  for (let entry = 64; entry < 200; entry += 1) queue.push(entry);

  for (let entry = 40; entry < 200; entry += 1) assertEquals(queue.shift(), entry);
  assertEquals(queue.size, 0);
});

Deno.test("RingQueue works on after trim() and clear()", () => {
  const queue = new RingQueue<number>();
  for (let entry = 0; entry < 100_000; entry += 1) queue.push(entry);
  while (queue.size > 0) queue.shift();
  queue.trim();
  queue.push(1);
  assertEquals([queue.size, queue.shift()], [1, 1]);

  queue.push(2);
  queue.clear();
  assertEquals(queue.size, 0);
  queue.push(3);
  queue.trim();
  assertEquals(queue.shift(), 3);
});
