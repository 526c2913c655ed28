/**
 * What importing the package costs the start of a program: `deno task bench:startup [runs]`.
 *
 * Programs that only import start in turns, each with a warm cache of code. Prints the median and
 * the fastest of their whole lives in milliseconds, and both above an empty program. A bundle is
 * `mod.ts` as one file, as `deno bundle` makes it of a program.
 *
 * @module
 */
import { filePath } from "../loop/platform/deno_system.ts";

const RUNS = Number(Deno.args[0] ?? 31);
const WARM_UP = 2;

const FOLDER = new URL("./_startup/", import.meta.url);
const BUNDLE = new URL("bundle.js", FOLDER);

/** Programs by what they import. */
const PROGRAMS: Readonly<Record<string, string | null>> = {
  "nothing": null,
  "node:async_hooks": "node:async_hooks",
  "loop/mod.ts": new URL("../loop/mod.ts", import.meta.url).href,
  "mod.ts": new URL("../mod.ts", import.meta.url).href,
  "mod.ts, bundled": BUNDLE.href,
};

function deno(...args: string[]): void {
  const { success, stderr } = new Deno.Command("deno", { args, stdin: "null" }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Gives how long a program takes, in milliseconds. */
function live(program: string): number {
  const start = performance.now();
  deno("run", "--quiet", "--no-check", "--cached-only", "--no-config", program);
  return performance.now() - start;
}

Deno.mkdirSync(FOLDER, { recursive: true });
try {
  deno("bundle", "--quiet", "--output", filePath(BUNDLE), "mod.ts");
  const programs = Object.entries(PROGRAMS).map(([name, specifier], index) => {
    const file = filePath(new URL(`${index}.js`, FOLDER));
    Deno.writeTextFileSync(file, specifier === null ? "" : `import "${specifier}";\n`);
    return { name, file, times: [] as number[] };
  });
  for (let run = -WARM_UP; run < RUNS; run += 1) {
    for (const { file, times } of programs) {
      const time = live(file);
      if (run >= 0) times.push(time);
    }
  }
  const rows = programs.map(({ name, times }) => {
    times.sort((a, b) => a - b);
    return { name, median: times[RUNS >> 1] ?? NaN, fastest: times[0] ?? NaN };
  });
  const [empty] = rows;
  console.log(`${"ms".padEnd(18)} median  above  fastest  above   (${RUNS} runs each, in turns)`);
  for (const { name, median, fastest } of rows) {
    const columns = [
      median,
      median - (empty?.median ?? 0),
      fastest,
      fastest - (empty?.fastest ?? 0),
    ];
    console.log(name.padEnd(18), ...columns.map((each) => each.toFixed(1).padStart(6)));
  }
} finally {
  Deno.removeSync(FOLDER, { recursive: true });
}
