// `fetch` with the signal of a task says that it was aborted a turn of the host later.
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  CancelledError,
  createTask,
  currentTask,
  run,
  sleep,
  type Task,
  timeout,
  TimeoutError,
} from "../../loop/mod.ts";

/** Calls `use` with the address of a server that takes a request and never answers. */
async function withSilentServer(
  use: (url: string, requested: Promise<void>) => Promise<void>,
): Promise<void> {
  const requested = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Response>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    requested.resolve();
    return never.promise;
  });
  await use(`http://127.0.0.1:${server.addr.port}/`, requested.promise);
  never.resolve(new Response());
}

const signalOf = () => (currentTask() as Task<unknown>).signal;

Deno.test("fetch() with Task.signal ends with the cancellation, and the cleanup is whole", async () => {
  await withSilentServer((url, requested) =>
    run(async () => {
      let log = "";
      const task = createTask(async () => {
        try {
          await fetch(url, { signal: signalOf() });
        } finally {
          await sleep(0.001);
          log = "cleaned up";
        }
      });
      await requested;
      task.cancel("stop");
      const error = await assertRejects(() => task.finally(), CancelledError, "stop");
      assertInstanceOf(error, CancelledError);
      assertEquals([log, task.cancelled()], ["cleaned up", true]);
    })
  );
});

Deno.test("fetch() in timeout() ends with its TimeoutError, by either signal", async () => {
  await withSilentServer((url) =>
    run(async () => {
      const limited = [
        () => timeout(0.01, () => fetch(url, { signal: signalOf() })),
        () => timeout(0.01, ({ signal }) => fetch(url, { signal })),
      ];
      for (const begin of limited) {
        await assertRejects(async () => void await begin(), TimeoutError);
        await assertRejects(() => begin().finally(), TimeoutError);
      }
    })
  );
});
