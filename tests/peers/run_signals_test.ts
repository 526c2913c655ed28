// What real signals do to run(), in a real process.
import { assertEquals, assertMatch } from "@std/assert";

const LOOP_MODULE = new URL("../../loop/mod.ts", import.meta.url).href;

/** A program that says "ready", and on a first signal that it ignores it or cleans up. */
function programOf(main: string): string {
  return `
    import { createTask, run, sleep } from "${LOOP_MODULE}";
    async function stubborn() {
      for (;;) {
        try { await sleep(3600); } catch (error) { console.log("ignored", error.message); }
      }
    }
    try {
      await run(async () => { console.log("ready"); ${main} });
    } catch (error) {
      console.log(String(error));
      Deno.exitCode = 130;
    }
  `;
}

/** What a program printed, and its exit code. */
interface Outcome {
  lines: string[];
  errors: string;
  code: number;
}

/** Runs `main` and sends a signal after each of the first lines, as long as there are signals. */
function runWithSignals(main: string, signals: Deno.Signal[]): Promise<Outcome> {
  return runProgram(programOf(main), signals);
}

/** The same for the text of a whole program. */
async function runProgram(program: string, signals: Deno.Signal[]): Promise<Outcome> {
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    // A process that does not end by itself fails its test, and does not stay.
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const errors = new Response(child.stderr).text();
  let text = "";
  let sent = 0;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split("\n").length - 1;
    while (sent < Math.min(lines, signals.length)) child.kill(signals[sent++]);
  }
  const { code } = await child.status;
  return { lines: text.trim().split("\n"), errors: (await errors).trim(), code };
}

Deno.test("run() in a process ends main on SIGTERM, with its clean-up", async () => {
  const main = `try { await sleep(3600); } finally { console.log("cleaned up"); }`;
  assertEquals(await runWithSignals(main, ["SIGTERM"]), {
    lines: ["ready", "cleaned up", "CancelledError: SIGTERM"],
    errors: "",
    code: 130,
  });
});

Deno.test("run() in a process ends soon on a second signal, and names who goes on", async () => {
  const main = `createTask(stubborn, { name: "stubborn" }); await stubborn();`;
  const outcome = await runWithSignals(main, ["SIGTERM", "SIGINT"]);
  assertEquals(outcome.lines, [
    "ready",
    "ignored SIGTERM",
    "ignored SIGINT",
    "ignored SIGINT",
    "CancelledError: SIGINT",
  ]);
  assertEquals(
    outcome.errors.replaceAll(/ [\d.]+ s left/g, ""),
    'Ended by SIGINT without waiting any longer: task "Task-1" waits for sleep; ' +
      'task "stubborn" waits for sleep',
  );
  assertEquals(outcome.code, 130);
});

Deno.test("run() in a process ends on a second signal while it waits for the tasks left", async () => {
  const main = `createTask(stubborn, { name: "stubborn" }); await sleep(3600);`;
  const outcome = await runWithSignals(main, ["SIGTERM", "SIGTERM"]);
  assertEquals(outcome.lines, [
    "ready",
    "ignored ",
    "ignored SIGTERM",
    "CancelledError: SIGTERM",
  ]);
  assertEquals(
    outcome.errors.replaceAll(/ [\d.]+ s left/g, ""),
    'Ended by SIGTERM without waiting any longer: task "stubborn" waits for sleep',
  );
});

Deno.test("runMain() exits as the signal says when a listener to unload throws", async () => {
  const program = `
    import { runMain, sleep } from "${LOOP_MODULE}";
    addEventListener("unload", () => { throw new Error("planted"); });
    await runMain(async () => { console.log("ready"); await sleep(3600); }).catch(() => {});
    console.log("went on");
    setInterval(() => {}, 1000);
  `;
  const { lines, errors, code } = await runProgram(program, ["SIGTERM"]);
  assertEquals([lines, code], [["ready"], 143]);
  assertMatch(errors, /^Exception in a listener to unload: Error: planted/);
});

Deno.test("a signal that ends a run() inside of runMain() lets both clean up", async () => {
  const clean = (name: string) =>
    `finally { await sleep(0.05); await sleep(0); console.log("${name} cleaned up"); }`;
  const program = `
    import { run, runMain, sleep } from "${LOOP_MODULE}";
    await runMain(async () => {
      try {
        await run(async () => {
          try { console.log("ready"); await sleep(3600); } ${clean("inner")}
        });
      } ${clean("outer")}
    });
  `;
  const { lines, errors, code } = await runProgram(program, ["SIGTERM"]);
  assertEquals([lines, errors, code], [
    ["ready", "inner cleaned up", "outer cleaned up"],
    "",
    143,
  ]);
});

Deno.test("runMain() that throws what cannot be looked at exits with 1, whoever catches it", async () => {
  const program = `
    import { runMain } from "${LOOP_MODULE}";
    const fail = () => { throw new Error("planted"); };
    const hostile = new Proxy(new Error("x"), { get: fail, getPrototypeOf: fail, has: fail });
    await runMain(() => { throw hostile; }).catch(() => {});
    console.log("went on");
  `;
  const { lines, errors, code } = await runProgram(program, []);
  assertEquals([lines, code], [[""], 1]);
  assertMatch(errors, /^The program ended with an error that cannot be shown/);
});
