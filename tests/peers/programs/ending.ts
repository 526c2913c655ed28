/**
 * A program that ends in the way that its arguments say: `run` or `runMain`, what main does, what it
 * leaves, a grace period or `-`, and how many signals come. Started by _endings.ts.
 *
 * It says "ready" when a signal may come, "asked" when a task was cancelled, and "cleaned up".
 *
 * @module
 */
import { setImmediate } from "node:timers";
import {
  createSubprocessExec,
  createTask,
  currentTask,
  openConnection,
  run,
  runMain,
  sleep,
  startServer,
  toThread,
} from "../../../mod.ts";

const [runner = "", mainKind = "", leftover = "", grace = "-", count = ""] = Deno.args;
const SIGNALS = Number(count);
/** Seconds that main goes on: for ever, where a signal is to end it. */
const SECONDS = SIGNALS > 0 ? 3600 : 0.05;

function sayWhenAsked(): void {
  currentTask()?.signal.addEventListener("abort", () => console.log("asked"));
}

/** Says "ready" once it is cancelled: then main has ended. */
function sayReadyWhenAsked(): void {
  const ended = mainKind === "returns" || mainKind === "throws";
  if (ended) currentTask()?.signal.addEventListener("abort", () => console.log("ready"));
}

async function endsSoon(): Promise<void> {
  sayReadyWhenAsked();
  try {
    await sleep(3600);
  } finally {
    await sleep(0.2);
  }
}

async function refuses(): Promise<void> {
  sayReadyWhenAsked();
  const end = performance.now() + SECONDS * 1000 + 100;
  while (performance.now() < end) {
    try {
      await sleep(0.05);
    } catch {
      // Goes on, whatever it is asked.
    }
  }
}

async function serveTalk(): Promise<void> {
  const server = await startServer(async (reader, writer) => {
    for await (const line of reader) writer.write(line);
  }, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.address;
  createTask(async () => {
    const [reader, writer] = await openConnection({ hostname: "127.0.0.1", port });
    for (;;) {
      writer.write(new TextEncoder().encode("talk\n"));
      await reader.readLine();
    }
  });
}

const LEFTOVERS: Readonly<Record<string, () => unknown>> = {
  nothing: () => {},
  "a task that ends": () => void createTask(endsSoon),
  "a task that refuses": () => void createTask(refuses, { name: "refuser" }),
  "a server": serveTalk,
  "a child": async () =>
    console.log("pid", (await createSubprocessExec("sleep", { args: ["60"] })).pid),
  "a job": () =>
    void toThread(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    }),
};

/** Waits until it was asked to end by each signal. Returns whether any came. */
async function untilAsked(): Promise<boolean> {
  for (let asked = 0; asked < Math.max(SIGNALS, 1); asked += 1) {
    try {
      await sleep(SECONDS);
      return false;
    } catch {
      // Not when the task is cancelled: the next signal must find it at the next wait.
      setImmediate(() => console.log("asked"));
    }
  }
  return true;
}

const MAINS: Readonly<Record<string, () => unknown>> = {
  returns: () => {},
  throws: () => {
    throw new Error("planted", { cause: new TypeError("the cause") });
  },
  "returns when asked": untilAsked,
  "throws when asked": async () => {
    if (await untilAsked()) throw new Error("planted", { cause: new TypeError("the cause") });
  },
  "cleans up": async () => {
    try {
      await sleep(SECONDS);
    } finally {
      await sleep(0.2);
      console.log("cleaned up");
    }
  },
  ignores: async () => {
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end) {
      try {
        await sleep(0.05);
      } catch {
        // Goes on, whatever it is asked.
      }
    }
  },
  "never ends": () => new Promise<void>(() => {}),
};

const main = async () => {
  currentTask()?.setName("main");
  await LEFTOVERS[leftover]?.();
  // What is left has begun when main goes on.
  await sleep(0);
  await sleep(0);
  if (mainKind === "returns" || mainKind === "throws") {
    if (leftover === "a job") console.log("ready");
  } else {
    if (!mainKind.endsWith("when asked")) sayWhenAsked();
    console.log("ready");
  }
  await MAINS[mainKind]?.();
};
await (runner === "run" ? run : runMain)(main, grace === "-" ? {} : { grace: Number(grace) });
