// Starts a process whose pipes are held and not served, prints who holds them, ends the process in
// the way that is named, and prints "ended".
import {
  createSubprocessShell,
  DenoEventLoop,
  PIPE,
  type Process,
  run,
  sleep,
} from "../../../mod.ts";

const [way = "", line = "", holder = ""] = Deno.args;

/** Starts it, with more for its stdin than a pipe holds. */
async function start(startNewSession: boolean): Promise<Process> {
  const options = { stdin: PIPE, stdout: PIPE, grace: 0.05, startNewSession } as const;
  const process = await createSubprocessShell(line, options);
  process.stdin.write(new Uint8Array(1 << 20));
  const pid = await process.stdout.readLine();
  console.log(new TextDecoder().decode(pid).trim());
  while (holder === "an orphan" && process.returncode === null) await sleep(0.001);
  return process;
}

const WAYS: Record<string, () => Promise<void>> = {
  "the end of a block": () =>
    run(async () => {
      await using _process = await start(false);
    }),
  "an error in a block": () =>
    run(async () => {
      await using _process = await start(false);
      throw new RangeError("mine");
    }).catch((error) => {
      if (!(error instanceof RangeError)) throw error;
    }),
  "a kill and the end of a block": () =>
    run(async () => {
      await using process = await start(false);
      if (process.returncode === null) process.kill();
    }),
  "the end of a block, in a session": () =>
    run(async () => {
      await using _process = await start(true);
    }),
  "the end of run()": () => run(async () => void await start(false)),
  "the end of run(), in a session": () => run(async () => void await start(true)),
  "loop.close()": async () => {
    const loop = new DenoEventLoop();
    await loop.runUntilComplete(() => start(false));
    loop.close();
  },
  "transport.close()": async () => {
    const loop = new DenoEventLoop();
    await loop.runUntilComplete(function* () {
      const ended = loop.createFuture<void>();
      const heard = loop.createFuture<string>();
      const [transport] = yield* loop.subprocessShell(() => ({
        pipeDataReceived: (_fd, data) => heard.setResult(new TextDecoder().decode(data).trim()),
        connectionLost: () => ended.setResult(),
      }), line);
      transport.getPipeTransport(0)?.write(new Uint8Array(1 << 20));
      console.log(yield* heard);
      transport.close();
      yield* ended;
    });
    loop.close();
  },
};

await WAYS[way]?.();
console.log("ended");
