import { assertEquals } from "@std/assert";

const LOOP_MODULE = new URL("../../loop/mod.ts", import.meta.url).href;

/** Runs `body` as the main module of a process, with `EventLoop` in scope. Gives what it printed. */
async function runProgram(body: string): Promise<{ printed: string; code: number }> {
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    // A process that does not end by itself fails its test, and does not stay.
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode(`import { EventLoop, sleep } from "${LOOP_MODULE}";\n${body}`),
  );
  await writer.close();
  const { stdout, code } = await child.output();
  return { printed: new TextDecoder().decode(stdout).trim(), code };
}

Deno.test("runForever() keeps the process alive with nothing scheduled, and lets it end after stop()", async () => {
  // The host's timer does not hold the process; without the loop it would end before.
  const result = await runProgram(`
    const loop = new EventLoop();
    Deno.unrefTimer(setTimeout(() => { console.log("alive"); loop.stop(); }, 100));
    await loop.runForever();
    console.log("stopped");
  `);

  assertEquals(result, { printed: "alive\nstopped", code: 0 });
});

Deno.test("a stopped loop with timers pending lets the process end", async () => {
  const result = await runProgram(`
    const loop = new EventLoop();
    loop.callLater(3600, () => console.log("never"));
    loop.callLater(Infinity, () => console.log("never"));
    await loop.runUntilComplete(() => sleep(0.001));
    console.log("done");
  `);

  assertEquals(result, { printed: "done", code: 0 });
});

Deno.test("a loop that never runs lets the process end", async () => {
  const result = await runProgram(`
    const loop = new EventLoop();
    loop.callSoon(() => console.log("never"));
    loop.createTask(() => console.log("never"));
    console.log("end of module");
  `);

  assertEquals(result, { printed: "end of module", code: 0 });
});

Deno.test("a running loop that is not awaited keeps the process alive for its timers", async () => {
  const result = await runProgram(`
    const loop = new EventLoop();
    loop.callLater(0.05, () => { console.log("timer"); loop.stop(); });
    loop.runForever();
    console.log("end of module");
  `);

  assertEquals(result, { printed: "end of module\ntimer", code: 0 });
});

Deno.test("an error in a callback does not end the process", async () => {
  const result = await runProgram(`
    const loop = new EventLoop();
    loop.callSoon(() => { throw new Error("planted"); });
    loop.createTask(async () => { throw new Error("planted"); });
    loop.callLater(0.01, () => loop.stop());
    await loop.runForever();
    loop.close();
    console.log("survived");
  `);

  assertEquals(result, { printed: "survived", code: 0 });
});
