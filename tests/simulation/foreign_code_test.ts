// Code that knows nothing of the loop, on a host: its timers belong to the life of the host that
// started them, by whatever name they were called.
import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout as namedTimeout } from "node:timers";
import { clearTimeout as namedClear, setInterval as namedInterval } from "node:timers";
import { setTimeout as promisedTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { sleep } from "../../mod.ts";
import { DeadlockError } from "../../loop/errors/errors.ts";
import { simulate } from "../../simulation/mod.ts";

/** Ways to do something every second, with nothing of the loop. */
const TICKERS: Record<string, (tick: () => void) => unknown> = {
  "setInterval()": (tick) => setInterval(tick, 1000),
  "setInterval() of node:timers": (tick) => namedInterval(tick, 1000),
  "a chain of setTimeout()": (tick) => {
    const next = () => setTimeout(() => [tick(), next()], 1000);
    next();
  },
  "a chain of setTimeout() of node:timers": (tick) => {
    const next = () => namedTimeout(() => [tick(), next()], 1000);
    next();
  },
  "a timer that refreshes itself": (tick) => {
    const timer = namedTimeout(() => [tick(), timer.refresh()], 1000);
  },
  "await of a promised timer": async (tick) => {
    for (;;) {
      await promisedTimeout(1000);
      tick();
    }
  },
  "await of a timer made a promise": async (tick) => {
    for (;;) {
      await promisify(namedTimeout)(1000);
      tick();
    }
  },
  "await of a promise of a timer": async (tick) => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      tick();
    }
  },
  "AbortSignal.timeout()": (tick) => {
    const next = () => {
      AbortSignal.timeout(1000).onabort = () => [tick(), next()];
    };
    next();
  },
  "setImmediate() after a timer": (tick) => {
    const { setImmediate } = globalThis as unknown as { setImmediate(work: () => void): void };
    const next = () => setTimeout(() => setImmediate(() => [tick(), next()]), 1000);
    next();
  },
  "sleep() in an async function that nobody awaits": async (tick) => {
    for (;;) {
      await sleep(1);
      tick();
    }
  },
};

for (const [name, start] of Object.entries(TICKERS)) {
  Deno.test(`SimulatedHost.crash() ends ${name}, and restart() begins it anew`, async () => {
    const counts = await simulate(async ({ host }) => {
      let ticks = 0;
      const server = host("server");
      const counts: number[] = [];
      server.run(() => void start(() => ticks += 1));
      await sleep(3.5);
      counts.push(ticks);
      server.crash();
      await sleep(10);
      counts.push(ticks);
      server.restart();
      await sleep(2.5);
      counts.push(ticks);
      return counts;
    });
    assertEquals(counts, [3, 3, 5]);
  });

  Deno.test(`a simulation begins ${name} anew: nothing of the last one goes on`, async () => {
    let ticks = 0;
    const run = () => simulate(() => [start(() => ticks += 1), sleep(2.5)][1]);
    await run();
    await run();
    assertEquals(ticks, 4);
  });
}

Deno.test("SimulatedHost.crash() ends what a dead host has still to start", async () => {
  const log: string[] = [];
  await simulate(async ({ host }) => {
    const server = host("server");
    server.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      log.push("last words");
      setTimeout(() => log.push("from the dead"), 1000);
      namedTimeout(() => log.push("from the dead"), 1000);
    });
    setTimeout(() => server.crash(), 1000);
    await sleep(5);
  });
  assertEquals(log.filter((line) => line === "from the dead"), []);
});

Deno.test("SimulatedHost.crash() of one host leaves the timers of another one alone", async () => {
  const log: string[] = [];
  await simulate(async ({ host, loop }) => {
    const tick = (name: string) => () => log.push(`${name} ${loop.time()}`);
    host("a").run(() => void setInterval(tick("a"), 1000));
    host("b").run(() => void setInterval(tick("b"), 1000));
    setInterval(tick("main"), 1000);
    await sleep(1.5);
    host("a").crash();
    await sleep(1);
  });
  assertEquals(log, ["main 1", "a 1", "b 1", "main 2", "b 2"]);
});

Deno.test("clearTimeout() of node:timers ends a timer of a simulation that was started by any name", async () => {
  const log: string[] = [];
  await simulate(async () => {
    const start = [setTimeout, namedTimeout] as (typeof namedTimeout)[];
    const clear = [clearTimeout, namedClear] as (typeof namedClear)[];
    for (const set of start) {
      for (const stop of clear) {
        stop(set(() => log.push("never"), 10));
        stop(Number(set(() => log.push("never"), 10)));
      }
    }
    await sleep(1);
  });
  assertEquals(log, []);
});

Deno.test("a simulation ends in a DeadlockError when only timers that nobody waits for are left", async () => {
  await assertRejects(
    () =>
      simulate(() => {
        namedInterval(() => {}, 1000).unref();
        return new Promise(() => {});
      }),
    DeadlockError,
  );
});

Deno.test("a timer that nobody waits for fires while something else will happen", async () => {
  let ticks = 0;
  await simulate(async () => {
    namedInterval(() => ticks += 1, 1000).unref();
    await sleep(3.5);
  });
  assertEquals(ticks, 3);
});
