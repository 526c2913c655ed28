/**
 * The table of a program's ends: who runs it, which signal comes, what main does, what it leaves.
 *
 * @module
 */
import { filePath } from "../../loop/platform/deno_system.ts";

const PROGRAM = new URL("./programs/ending.ts", import.meta.url).href;
const ROOT = filePath(new URL("../../", import.meta.url));

/** Signals that come, in this order. */
export type Signalling = readonly Deno.Signal[];

/** One cell of the table. */
export interface Ending {
  runner: "run" | "runMain";
  signals: Signalling;
  main: string;
  leftover: string;
}

/** What a program did. */
export interface Outcome {
  code: number;
  /** Whether it said that main cleaned up. */
  cleaned: boolean;
  /** Whether it printed the planted error and its cause. */
  error: boolean;
  /** Whether it printed that a signal had cancelled it, as an error that nobody caught. */
  trace: boolean;
  /** The tasks, or else what it waited for, that it named as left. */
  left: string;
  /** Whether a child of it was left. */
  orphan: boolean;
}

const RUNNERS = ["run", "runMain"] as const;
const SIGNALLINGS: readonly Signalling[] = [[], ["SIGINT"], ["SIGTERM"], ["SIGTERM", "SIGTERM"]];
/** Those that end by themselves. */
const ENDING_MAINS = ["returns", "throws"];
/** Those that a signal finds in the middle. */
const STAYING_MAINS = [
  "returns when asked",
  "throws when asked",
  "cleans up",
  "ignores",
  "never ends",
];
const LEFTOVERS = [
  "nothing",
  "a task that ends",
  "a task that refuses",
  "a server",
  "a child",
  "a job",
];
/** Those that keep a program alive when its main has ended. */
const LASTING = ["a task that ends", "a task that refuses", "a job"];

/** Seconds of grace where one signal comes; none where two come. */
const GRACE = 1;

/** All cells whose outcome is certain. */
export function* allEndings(): Generator<Ending> {
  for (const signals of SIGNALLINGS) {
    for (const main of [...ENDING_MAINS, ...STAYING_MAINS]) {
      for (const leftover of LEFTOVERS) {
        if (!isCertain(signals, main, leftover)) continue;
        for (const runner of RUNNERS) yield { runner, signals, main, leftover };
      }
    }
  }
}

/** Whether a signal surely finds the program as the cell says, and the program ends. */
function isCertain(signals: Signalling, main: string, leftover: string): boolean {
  if (signals.length === 0) return main !== "never ends";
  if (ENDING_MAINS.includes(main)) {
    if (!LASTING.includes(leftover)) return false;
    return signals.length === 1 || leftover === "a task that refuses";
  }
  return true;
}

/** What a program has to do. CPython's exit codes are the measure. */
export function expectedOf({ runner, signals, main, leftover }: Ending): Outcome {
  const [first = null] = signals;
  const throws = main === "throws" || (main === "throws when asked" && first !== null);
  const left = expectedLeft(signals, main, leftover);
  const mainLeft = /"main"/.test(left);
  const cancelled = first !== null && (main === "cleans up" || mainLeft);
  const returned = !throws && !cancelled;
  const signalCode = first === "SIGINT" ? 130 : 143;
  let code = 0;
  if (throws) code = 1;
  else if (runner === "run") code = cancelled ? 1 : 0;
  else if (cancelled || (returned && left !== "")) code = signalCode;
  return {
    code,
    cleaned: main === "cleans up" && signals.length < 2,
    error: throws,
    trace: runner === "run" && cancelled,
    left,
    orphan: false,
  };
}

function expectedLeft(signals: Signalling, main: string, leftover: string): string {
  const waiting: string[] = [];
  if (signals.length === 0) return "";
  if (main === "ignores") waiting.push('task "main" waits for sleep');
  if (main === "never ends") waiting.push('task "main" waits for a foreign promise');
  if (leftover === "a task that refuses") waiting.push('task "refuser" waits for sleep');
  const jobIsLeft = leftover === "a job" && waiting.length === 0;
  return jobIsLeft ? "jobs of the default executor run" : waiting.join("; ");
}

/** Names a cell. */
export function titleOf({ runner, signals, main, leftover }: Ending): string {
  const when = signals.length === 0 ? "without a signal" : `on ${signals.join(" and ")}`;
  return `${runner}() ${when}: main ${main}, and leaves ${leftover}`;
}

/** Runs the program of a cell, with its signals. */
export async function outcomeOf(ending: Ending): Promise<Outcome> {
  const { runner, signals, main, leftover } = ending;
  const grace = signals.length === 1 ? String(GRACE) : "-";
  const child = new Deno.Command("deno", {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-net=127.0.0.1",
      "--allow-run=sleep",
      `--allow-read=${ROOT}`,
      PROGRAM,
      runner,
      main,
      leftover,
      grace,
      String(signals.length),
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
    // A process that does not end by itself fails its test, and does not stay.
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const errors = new Response(child.stderr).text();
  const text = await readAndSignal(child, ending);
  const { code } = await child.status;
  return read(code, text, await errors);
}

/** Sends the first signal when the program is ready, the second one when it was asked to end. */
async function readAndSignal(child: Deno.ChildProcess, { signals, main }: Ending): Promise<string> {
  const marks = ENDING_MAINS.includes(main) ? ["ready", "ready"] : ["ready", "asked"];
  let text = "";
  let sent = 0;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    while (sent < signals.length && text.includes(`${marks[sent]}\n`)) {
      child.kill(signals[sent]);
      sent += 1;
    }
  }
  return text;
}

async function read(code: number, text: string, errors: string): Promise<Outcome> {
  const pid = /pid (\d+)/.exec(text)?.[1];
  return {
    code,
    cleaned: text.includes("cleaned up\n"),
    error: errors.includes("Error: planted") && errors.includes("TypeError: the cause"),
    trace: errors.includes("Uncaught (in promise) CancelledError: SIG"),
    left: withoutSeconds(/^Ended by SIG\w+ without waiting any longer: (.*)$/m.exec(errors)?.[1]),
    orphan: pid !== undefined && await isAlive(pid),
  };
}

async function isAlive(pid: string): Promise<boolean> {
  const kill = new Deno.Command("kill", { args: ["-0", pid], stderr: "null" });
  return (await kill.output()).success;
}

/** Leaves out how much longer each would sleep. */
function withoutSeconds(text = ""): string {
  return text.replaceAll(/ [\d.]+ s (left|late)/g, "");
}
