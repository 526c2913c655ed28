// Workers that die, hang and are replaced, in virtual time and without processes.
import { assertEquals, assertRejects } from "@std/assert";
import { createTask, EventLoop, sleep } from "../../loop/mod.ts";
import { VirtualClock } from "../../simulation/mod.ts";
import { type ServingLink, type ServingSink, Supervisor } from "../../subprocess/_supervisor.ts";

/** A worker that does what the test says. */
class FakeWorker implements ServingLink {
  readonly name: string;
  readonly index: number;
  readonly #sink: ServingSink;
  readonly #log: string[];
  /** Whether it ends when it is asked to. */
  isPolite = true;

  constructor(number: number, index: number, sink: ServingSink, log: string[]) {
    this.name = `Worker ${number}`;
    this.index = index;
    this.#sink = sink;
    this.#log = log;
  }

  serve(): void {
    this.#log.push(`${this.name} serves`);
    this.#sink.serving();
  }

  end(how: string): void {
    this.#log.push(`${this.name} ${how}`);
    this.#sink.ended(how);
  }

  stop(): void {
    this.#log.push(`${this.name} is asked to end`);
    if (this.isPolite) this.end("exited with code 0");
  }

  kill(): void {
    this.end("was ended by signal SIGKILL");
  }
}

/** A supervisor whose workers are fake. */
interface Stage {
  readonly loop: EventLoop;
  readonly supervisor: Supervisor;
  /** All that were started, in order. */
  readonly workers: FakeWorker[];
  /** When each of them was. */
  readonly starts: number[];
  readonly log: string[];
  readonly reports: string[];
  /** What a new worker does. */
  onStart: (worker: FakeWorker) => void;
}

/** Runs `play` beside a supervisor; returns how many were killed. */
async function supervise(
  settings: { workers?: number; grace?: number },
  play: (stage: Stage) => PromiseLike<void>,
): Promise<number> {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const workers: FakeWorker[] = [];
  const [starts, log, reports]: [number[], string[], string[]] = [[], [], []];
  loop.setExceptionHandler((_loop, { message }) => void reports.push(message));
  const host = {
    start(index: number, sink: ServingSink) {
      const worker = new FakeWorker(workers.length + 1, index, sink, log);
      workers.push(worker);
      starts.push(loop.time());
      loop.callSoon(() => stage.onStart(worker));
      return worker;
    },
    close: () => void log.push("the socket is closed"),
  };
  const supervisor = new Supervisor(loop, host, {
    workers: settings.workers ?? 2,
    grace: settings.grace ?? 4,
    onServing: () => log.push("the first serves"),
  });
  const onStart = (worker: FakeWorker) => worker.serve();
  const stage: Stage = { loop, supervisor, workers, starts, log, reports, onStart };
  try {
    return await loop.runUntilComplete(async () => {
      const serving = createTask(supervisor.run());
      for (let turns = 0; turns < 4; turns += 1) await sleep(0);
      await play(stage);
      supervisor.stop();
      return await serving;
    });
  } finally {
    loop.close();
  }
}

Deno.test("serveWorkers() starts all workers, and asks all to end", async () => {
  const killed = await supervise({}, async ({ log }) => {
    await sleep(1);
    assertEquals(log, ["Worker 1 serves", "Worker 2 serves", "the first serves"]);
    log.length = 0;
  });
  assertEquals(killed, 0);
});

Deno.test("serveWorkers() replaces a worker that dies young after pauses that double up to 10 s", async () => {
  await supervise({ workers: 1 }, async ({ workers, reports }) => {
    const pauses: number[] = [];
    for (let death = 0; death < 9; death += 1) {
      workers.at(-1)?.end("exited with code 3");
      const pause = Number(/ in ([\d.]+) seconds/.exec(reports.at(-1) ?? "")?.[1]);
      pauses.push(pause);
      await sleep(pause + 1);
    }
    assertEquals(pauses, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]);
  });
});

Deno.test("serveWorkers() replaces a worker at once that has served for long", async () => {
  await supervise({ workers: 1 }, async ({ loop, workers, starts }) => {
    workers[0]?.end("exited with code 3");
    await sleep(0.1);
    await sleep(60);
    const time = loop.time();
    workers[1]?.end("was ended by signal SIGKILL");
    await sleep(0.001);
    assertEquals(starts.at(-1), time);
    workers[2]?.end("exited with code 3");
    await sleep(0.1);
    assertEquals(workers.length, 4);
  });
});

Deno.test("serveWorkers() fails when the first worker ends before it has listened", async () => {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const asked: number[] = [];
  const host = {
    start: (index: number, sink: ServingSink) => {
      if (index === 0) loop.callLater(1, () => sink.ended("exited with code 1"));
      return {
        name: `Worker ${index + 1}`,
        stop: () => {
          asked.push(index);
          sink.ended("exited with code 0");
        },
        kill: () => {},
      };
    },
    close: () => {},
  };
  const supervisor = new Supervisor(loop, host, { workers: 2, grace: 1, onServing: () => {} });
  await assertRejects(
    () => Promise.resolve(loop.runUntilComplete(() => supervisor.run())),
    Error,
    "Cannot serve: Worker 1 exited with code 1 before it listened",
  );
  loop.close();
  assertEquals(asked, [1]);
});

Deno.test("serveWorkers() rolls: each worker ends after its successor serves, one after the other", async () => {
  await supervise({}, async ({ supervisor, log }) => {
    log.length = 0;
    supervisor.roll();
    await sleep(1);
    assertEquals(log, [
      "Worker 3 serves",
      "Worker 1 is asked to end",
      "Worker 1 exited with code 0",
      "Worker 4 serves",
      "Worker 2 is asked to end",
      "Worker 2 exited with code 0",
    ]);
  });
});

Deno.test("serveWorkers() keeps the workers that serve when a successor fails, and can roll again", async () => {
  await supervise({}, async (stage) => {
    stage.onStart = (worker) => worker.end("exited with code 1");
    stage.supervisor.roll();
    await sleep(1);
    assertEquals(stage.reports, ["Worker 3 exited with code 1; those before it go on"]);
    assertEquals(stage.log.includes("Worker 1 is asked to end"), false);

    stage.onStart = (worker) => worker.serve();
    stage.supervisor.roll();
    await sleep(1);
    assertEquals(stage.log.filter((line) => line.includes("is asked to end")), [
      "Worker 1 is asked to end",
      "Worker 2 is asked to end",
    ]);
  });
});

Deno.test("serveWorkers() gives a successor that never serves up after a minute", async () => {
  await supervise({ workers: 1 }, async (stage) => {
    stage.onStart = () => {};
    stage.supervisor.roll();
    await sleep(61);
    assertEquals(stage.reports, [
      "Worker 2 does not serve after 60 seconds; those before it go on",
    ]);
    assertEquals(stage.log.at(-1), "Worker 2 was ended by signal SIGKILL");
    assertEquals(stage.workers.length, 2);
  });
});

Deno.test("serveWorkers() makes one more roll for all signals that come during one", async () => {
  await supervise({ workers: 1 }, async ({ supervisor, workers }) => {
    supervisor.roll();
    supervisor.roll();
    supervisor.roll();
    await sleep(1);
    assertEquals(workers.length, 3);
  });
});

Deno.test("serveWorkers() kills a worker that does not end within its time, and counts it", async () => {
  const killed = await supervise({ grace: 4 }, async ({ workers, loop, log }) => {
    const [first] = workers;
    if (first !== undefined) first.isPolite = false;
    await sleep(1);
    loop.callLater(6.9, () => log.push("still there"));
  });
  assertEquals(killed, 1);
});

Deno.test("serveWorkers() kills all when it is told to end a second time", async () => {
  const killed = await supervise({ grace: Infinity }, async ({ workers, loop, supervisor }) => {
    for (const worker of workers) worker.isPolite = false;
    loop.callLater(1, () => supervisor.stop());
    await sleep(0);
  });
  assertEquals(killed, 2);
});

Deno.test("serveWorkers() starts no successor once it is told to end, in a pause or a roll", async () => {
  let started = 0;
  await supervise({}, async (stage) => {
    stage.onStart = () => {};
    stage.supervisor.roll();
    await sleep(0);
    stage.workers[1]?.end("exited with code 3");
    started = stage.workers.length;
  });
  assertEquals(started, 3);
});

Deno.test("serveWorkers() starts the successor of one that died without its pause when it rolls", async () => {
  await supervise({}, async ({ supervisor, workers, log, loop, starts }) => {
    for (let deaths = 0; deaths < 8; deaths += 1) {
      workers.findLast(({ index }) => index === 0)?.end("exited with code 3");
      await sleep(deaths < 7 ? 15 : 1);
    }
    const [before, count] = [loop.time(), workers.length];
    log.length = 0;
    supervisor.roll();
    await sleep(1);
    assertEquals(starts.slice(count), [before, before]);
    // Nothing starts a third one when the pause would have been over.
    await sleep(20);
    assertEquals(workers.length, count + 2);
  });
});

Deno.test("serveWorkers() lets go of the socket when it is told to end: nobody waits for nobody", async () => {
  const lines: string[] = [];
  await supervise({ workers: 1 }, async ({ log, supervisor }) => {
    await sleep(1);
    log.length = 0;
    supervisor.stop();
    await sleep(1);
    lines.push(...log);
  });
  assertEquals(lines, [
    "the socket is closed",
    "Worker 1 is asked to end",
    "Worker 1 exited with code 0",
  ]);
});
