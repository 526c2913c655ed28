import { assert } from "@std/assert";
import { type ExpectedOutput, type Header, parseHeader } from "./_header.ts";
import { matchesOutput, reachesInterrupt } from "./_output.ts";

/** An example that does not end by itself fails its test, and does not stay. Milliseconds. */
const LONGEST_RUN = 60_000;

/** An example that runs. */
export interface RunningExample {
  /** Resolves with its first line, when that is printed. */
  readonly started: Promise<void>;
  /** Resolves with all that it has printed, when it has ended. */
  readonly ended: Promise<string>;
}

export async function readHeader(path: string): Promise<Header> {
  return parseHeader(await Deno.readTextFile(path));
}

/** Runs the command of a header as a user does, who presses Ctrl-C where `expected` says so. */
export function startExample(command: string, expected: ExpectedOutput): RunningExample {
  const child = new Deno.Command("sh", {
    // The shell splits the words and joins the two outputs; `exec` lets a signal reach Deno.
    args: ["-c", `exec ${command} 2>&1`],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).spawn();
  const started = Promise.withResolvers<void>();
  const ended = (async () => {
    let text = "";
    let interrupted = false;
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("\n")) started.resolve();
      if (interrupted || !reachesInterrupt(text, expected)) continue;
      interrupted = true;
      child.kill("SIGINT");
    }
    const { signal } = await child.status;
    started.resolve();
    return signal === "SIGTERM" ? `${text}(ended by its test after a minute)\n` : text;
  })();
  return { started: started.promise, ended };
}

/** Fails unless `text` is what the header says. */
export function assertOutput(text: string, expected: ExpectedOutput): void {
  const wanted = expected.lines.join("\n");
  const how = expected.varies ? "expected, with other numbers" : "expected";
  assert(matchesOutput(text, expected), `printed:\n${text}\n${how}:\n${wanted}\n`);
}
