/** What the first comment of an example says about running it. */
export interface Header {
  /** The command line, to be run in the root of the repository. */
  readonly command: string;
  /** The example that has to run meanwhile, such as the server of a client. */
  readonly peer: string | null;
  /** What is printed; more than one where it depends, and then the first is the usual one. */
  readonly outputs: readonly ExpectedOutput[];
}

/** What an example prints, on both stdout and stderr. */
export interface ExpectedOutput {
  /** The lines. `…` stands for any number of lines, `^C` for the user pressing Ctrl-C. */
  readonly lines: readonly string[];
  /** Whether numbers, hashes and the white space around them are different each time. */
  readonly varies: boolean;
}

/**
 * Reads the header of an example:
 *
 *     What it does.
 *
 *     Start examples/server.ts first.
 *
 *     deno run --allow-net=127.0.0.1 examples/client.ts
 *
 *     Prints, for instance:
 *         Connected from port 50312
 *         …
 *         ^C
 *     or, when no server runs:
 *         Cannot connect
 *
 * With `for instance` the numbers vary. Without it every character counts.
 */
export function parseHeader(source: string): Header {
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1];
  if (comment === undefined) throw new Error("Cannot read the header: the file begins with no doc");
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, ""));
  const command = lines.map((line) => /^(?:or: )?(deno run .*)$/.exec(line)?.[1]).find(Boolean);
  if (command === undefined) throw new Error('Cannot read the header: no line begins "deno run"');
  const outputs = parseOutputs(lines);
  if (outputs.length === 0) throw new Error('Cannot read the header: no "Prints:" with lines');
  const peer = /^Start (examples\/\w+\.ts) first\b/m.exec(lines.join("\n"))?.[1] ?? null;
  return { command, peer, outputs };
}

function parseOutputs(lines: readonly string[]): ExpectedOutput[] {
  const outputs: { lines: string[]; varies: boolean }[] = [];
  let started = false;
  for (const line of lines) {
    const introduction = /^(?:Prints\b|or,).*:$/.test(line);
    if (introduction) outputs.push({ lines: [], varies: line.includes("for instance") });
    else if (started && line.startsWith("    ")) outputs.at(-1)?.lines.push(line.slice(4));
    started = introduction || (started && line.startsWith("    "));
  }
  return outputs.filter((output) => output.lines.length > 0);
}
