import * as inside from "../../loop/inside.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { DeadlockError, EventLoop, Lock, sleep } from "../../loop/mod.ts";
import { VirtualClock } from "../../simulation/mod.ts";

Deno.test("VirtualClock jumps to the next deadline when nothing can run", async () => {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const log: number[] = [];

  await loop.runUntilComplete(function* () {
    for (const delay of [3600, 0.5, 1e9]) {
      yield* sleep(delay);
      log.push(loop.time());
    }
  });

  loop.close();
  assertEquals(log, [3600, 3600.5, 1_000_003_600.5]);
});

Deno.test("VirtualClock lets native promises go on as far as they can before it jumps", async () => {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const log: string[] = [];

  await loop.runUntilComplete(async () => {
    loop.callLater(1, () => log.push("timer"));
    const hops = (async () => {
      for (let hop = 0; hop < 1000; hop += 1) await null;
      log.push("1000 awaits");
    })();
    await sleep(2);
    await hops;
  });

  loop.close();
  assertEquals(log, ["1000 awaits", "timer"]);
});

Deno.test("VirtualClock.schedule() calls outside of all loops, in order of time, then of entry", async () => {
  const clock = new VirtualClock();
  const loop = new EventLoop({ clock });
  const log: string[] = [];
  clock.schedule(2, () => log.push(`c ${clock.now()}`));
  clock.schedule(1, () => log.push(`a ${clock.now()}`));
  clock.schedule(1, () => log.push(`b ${clock.now()}`));
  clock.schedule(1.5, () => log.push("never")).cancel();

  await loop.runUntilComplete(() => sleep(3));

  loop.close();
  assertEquals(log, ["a 1", "b 1", "c 2"]);
});

Deno.test("VirtualClock lets time pass after a thousand rounds that take none, and not before", async () => {
  const clock = new VirtualClock();
  const loop = new EventLoop({ clock });
  const rounds: number[] = [];
  const again = (): void => {
    rounds.push(clock.now());
    if (rounds.length < 5000) clock.schedule(clock.now(), again);
  };
  clock.schedule(1, again);

  await loop.runUntilComplete(() => sleep(1.05));

  loop.close();
  assertEquals(rounds.slice(0, 1000).every((time) => time === 1), true);
  // A tenth of a millisecond for each of the others.
  assertEquals(rounds.length > 1490 && rounds.length < 1510, true, `${rounds.length}`);
});

Deno.test("VirtualClock does not stop at the deadline of a timer that was cancelled meanwhile", async () => {
  const clock = new VirtualClock();
  const loop = new EventLoop({ clock });
  const timer = loop.callLater(5, () => {});
  clock.schedule(1, () => loop[inside.enter]({ [inside.run]: () => timer.cancel() }));
  clock.schedule(10, () => loop.stop());

  const before = loop.statistics().iterations;
  await loop.runForever();

  loop.close();
  assertEquals(loop.time(), 10);
  assertEquals(loop.statistics().iterations - before, 3);
});

Deno.test("VirtualClock is shared by several loops", async () => {
  const clock = new VirtualClock();
  const loops = [new EventLoop({ clock }), new EventLoop({ clock })];
  const log: string[] = [];

  await Promise.all(loops.map((loop, index) =>
    loop.runUntilComplete(function* () {
      for (let step = 0; step < 2; step += 1) {
        yield* sleep(1 + index / 2);
        log.push(`${index} at ${loop.time()}`);
      }
    })
  ));

  for (const loop of loops) loop.close();
  assertEquals(log, ["0 at 1", "1 at 1.5", "0 at 2", "1 at 3"]);
});

Deno.test("VirtualClock.hold() lets time stand still until it is released", async () => {
  const clock = new VirtualClock();
  const loop = new EventLoop({ clock });
  const turns: number[] = [];

  await loop.runUntilComplete(async () => {
    const release = clock.hold();
    const sleeping = sleep(1);
    for (let turn = 0; turn < 3; turn += 1) {
      await new Promise<void>((resolve) => clock.soon(resolve));
      turns.push(clock.now());
    }
    release();
    release();
    await sleeping;
  });

  loop.close();
  assertEquals(turns, [0, 0, 0]);
  assertEquals(clock.now(), 1);
});

Deno.test("VirtualClock ends a loop that nothing can wake with a DeadlockError that names who waits for what", async () => {
  const loop = new EventLoop({ clock: new VirtualClock() });

  const error = await assertRejects(() =>
    loop.runUntilComplete(function* () {
      const lock = new Lock();
      yield* lock.acquire();
      loop.createTask(() => lock.acquire(), { name: "locker" });
      const reader = loop.createTask(() => loop.createFuture(), { name: "reader" });
      loop.createTask(async () => await reader, { name: "follower" });
      yield* lock.acquire();
    }), DeadlockError);

  loop[inside.tasks].clear();
  loop.close();
  assertEquals(
    error.message,
    "Cannot go on as nothing can wake the event loop: " +
      `task "Task-1" waits for lock.acquire of Lock (locked, 2 waiting); ` +
      `task "locker" waits for lock.acquire of Lock (locked, 2 waiting); ` +
      `task "reader" waits for a future; task "follower" waits for task "reader"`,
  );
});
