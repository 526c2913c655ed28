import { createTask, Lock, openConnection, Queue, sleep, startServer } from "../../mod.ts";

/** Two tasks that wait for each other, at two locks. */
export function plantDeadlock(): void {
  const [a, b] = [new Lock(), new Lock()];
  const take = (first: Lock, second: Lock, name: string) =>
    createTask(async () => {
      using _first = await first.acquire();
      await sleep(0.01);
      using _second = await second.acquire();
    }, { name });
  take(a, b, "ann");
  take(b, a, "bob");
}

/** A task that now and then runs for a while without a pause. */
export function plantBusyTask(): void {
  createTask(async () => {
    for (;;) {
      await sleep(0.2);
      for (const end = performance.now() + 120; performance.now() < end;);
    }
  }, { name: "busy bee" });
}

/** A queue that nobody takes anything from. */
export function plantGrowingQueue(): void {
  const queue = new Queue<number>();
  createTask(async () => {
    for (;;) {
      queue.putNowait(1);
      await sleep(0.02);
    }
  }, { name: "producer" });
}

/** A connection whose peer reads nothing, and a task that waits until it does. */
export async function plantPausedConnection(): Promise<void> {
  const server = await startServer(async () => await sleep(3600), { hostname: "127.0.0.1" });
  const { port } = server.address;
  const [, writer] = await openConnection({ hostname: "127.0.0.1", port });
  createTask(async () => {
    for (;;) {
      writer.write(new Uint8Array(1 << 20));
      await writer.drain();
    }
  }, { name: "uploader" });
}

/** A queue that is full, as who has taken from it has failed. */
export function plantDeadConsumer(): void {
  const queue = new Queue<string>({ maxSize: 10 });
  createTask(async () => {
    for (let item = 0;; item += 1) await queue.put(item === 5 ? "bad" : "good");
  }, { name: "producer" });
  createTask(async () => {
    for await (const item of queue) if (item === "bad") throw new TypeError("planted");
  }, { name: "consumer" }).catch(() => {});
}
