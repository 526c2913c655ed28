/**
 * What scheduling costs here, by what it costs in another checkout of this package:
 * `deno task bench:schedule <other checkout> [--slices=N] [name …]`.
 *
 * For each kind of work there are two processes, one for each checkout, on one core. They take
 * strict turns in short slices, and what counts is CPU time: other load on the machine reaches
 * both. Prints the median of the ratios of two slices in turn, which is the one to quote, the ratio
 * of the fastest slices, that of the lower quartiles, and the nanoseconds of an operation at its
 * fastest. A ratio above 1 means that this checkout needs more.
 *
 * @module
 */
import { filePath } from "../loop/platform/deno_system.ts";

const args = Deno.args.filter((arg) => !arg.startsWith("--"));
const option = Deno.args.find((arg) => arg.startsWith("--slices="));
const SLICES = Number(option?.slice("--slices=".length) ?? 40);
/** Pairs of processes: what the engine makes of the same code differs from process to process. */
const PAIRS = 2;
const WARM_UP = 8;

const [other, ...wanted] = args;
if (other === undefined) {
  console.error("Usage: deno task bench:schedule <other checkout> [name …]");
  Deno.exit(1);
}
const own = new URL("../", import.meta.url);
const folders = [own, new URL(`${other}/`, own)].map(filePath);
const script = filePath(new URL("_schedule/work.ts", import.meta.url));

/** Starts a worker for `name`, or for the list of names. */
function start(folder: string, name: string): Deno.ChildProcess {
  const flags = [
    "--no-check",
    `--config=${filePath(own)}deno.json`,
    "--allow-read",
    "--allow-net=127.0.0.1",
  ];
  const program = ["taskset", "-c", "0", "deno", "run", ...flags, script, folder, name];
  return new Deno.Command(program[0] as string, {
    args: program.slice(1),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

/** Has two workers take turns; returns their slices, in the order of the turns. */
async function measure(name: string): Promise<[number[], number[]]> {
  const slices: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const workers = folders.map((folder) => {
      const child = start(folder, name);
      return { child, writer: child.stdin.getWriter(), reader: child.stdout.getReader() };
    });
    for (let slice = -WARM_UP; slice < SLICES; slice += 1) {
      for (const [index, { writer, reader }] of workers.entries()) {
        await writer.write(new Uint8Array([10]));
        const { value } = await reader.read();
        if (value === undefined) throw new Error(`Cannot measure "${name}": its process has ended`);
        if (slice >= 0) slices[index as 0 | 1].push(Number(new TextDecoder().decode(value)));
      }
    }
    for (const { child, writer, reader } of workers) {
      await writer.close();
      await reader.cancel();
      await child.status;
    }
  }
  return slices;
}

async function listNames(): Promise<string[]> {
  const child = start(folders[0] as string, "");
  await child.stdin.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

const names = (await listNames()).filter((name) =>
  wanted.length === 0 || wanted.some((each) => name.includes(each))
);
console.log(`${"".padEnd(40)}  median  fastest  quartile        ns  ns other`);
for (const name of names) {
  const [here, there] = await measure(name);
  const turns = here.map((time, turn) => time / (there[turn] as number));
  const ratio = (share: number) => quantile(here, share) / quantile(there, share);
  console.log([
    name.padEnd(40),
    quantile(turns, 0.5).toFixed(2).padStart(7),
    ratio(0).toFixed(2).padStart(8),
    ratio(0.25).toFixed(2).padStart(9),
    quantile(here, 0).toFixed(0).padStart(9),
    quantile(there, 0).toFixed(0).padStart(9),
  ].join(" "));
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] as number;
}
