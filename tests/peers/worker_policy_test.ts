// The policy in a worker: a loop must be made there on purpose, as in a thread of asyncio's.
import { assertEquals } from "@std/assert";

const LOOP_MODULE = new URL("../../loop/mod.ts", import.meta.url).href;

/** Runs `body` in a worker, and gives what it posts. */
async function postedBy(body: string): Promise<unknown> {
  const source = `
    import { getEventLoop, newEventLoop, run, setEventLoop, sleep } from "${LOOP_MODULE}";
    const post = async () => { ${body} };
    self.postMessage(await post().catch(String));
  `;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    const posted = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }) => posted.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      posted.reject(new Error(event.message));
    };
    return await posted.promise;
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}

Deno.test("getEventLoop() in a worker makes no loop", async () => {
  assertEquals(
    await postedBy("getEventLoop();"),
    "InvalidStateError: Cannot get the event loop: none is set in this isolate",
  );
});

Deno.test("getEventLoop() in a worker gives the loop that was set there", async () => {
  const body = "const loop = newEventLoop(); setEventLoop(loop); return getEventLoop() === loop;";
  assertEquals(await postedBy(body), true);
});

Deno.test("run() in a worker makes a loop of its own, and listens to no signals", async () => {
  assertEquals(await postedBy('return await run(() => sleep(0.001, "value"));'), "value");
});
