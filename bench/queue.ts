/**
 * What a job costs on each engine, by what it costs with the engine's client alone: round trips, and jobs a
 * second with 50 at once; a caller and a worker, each a process, and a server of their own, in turns.
 *
 *     deno task bench:queue
 *
 * @module
 */
import { filePath } from "../loop/platform/deno_system.ts";
import { startEngines } from "../tests/engines/servers.ts";

const ROUNDS = 5;
const BOUND = 0.7;
const PROGRAM = filePath(new URL("./_queue/run_side.ts", import.meta.url));

/** What one run has measured. */
interface Figures {
  /** Milliseconds. */
  readonly roundTrip: number;
  readonly perSecond: number;
}

/** Runs a caller beside a worker, on a queue of their own. */
async function measure(side: string, url: string): Promise<Figures> {
  const queue = `bench-${crypto.randomUUID()}`;
  const start = (role: string) =>
    new Deno.Command("deno", {
      args: ["run", "-P=engines", "--no-check", PROGRAM, role, side, url, queue],
      stdin: "null",
      stdout: "piped",
    }).spawn();
  const caller = start("call");
  const output = caller.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await output.read()).value ?? "";
  // Who calls creates the queue.
  const worker = start("work");
  for (let read = await output.read(); !read.done; read = await output.read()) text += read.value;
  worker.kill("SIGKILL");
  await worker.stdout.cancel();
  await worker.status;
  await caller.status;
  return JSON.parse(text.trim().split("\n").at(-1) ?? "");
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] as number;
}

await using engines = await startEngines();
const rows: [engine: string, url: string, bare: string][] = [
  ["sqlite", `sqlite:${engines.folder}/jobs.db`, "node:sqlite"],
  ["BullMQ", engines.redis, "bullmq"],
  ["NATS", engines.nats, "nats"],
  ["NATS", engines.nats, "nats, replies kept"],
];
let lost = 0;
for (const [engine, url, bare] of rows) {
  const sides = ["ours", bare];
  const figures: Record<string, Figures[]> = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of sides) (figures[side] ??= []).push(await measure(side, url));
  }
  const of = (side: string, key: keyof Figures) =>
    median((figures[side] ?? []).map((each) => each[key]));
  const ours = `${of("ours", "roundTrip").toFixed(2)} ms, ${of("ours", "perSecond").toFixed(0)}/s`;
  const ratios = [
    of(bare, "roundTrip") / of("ours", "roundTrip"),
    of("ours", "perSecond") / of(bare, "perSecond"),
  ];
  const theirs = `${of(bare, "roundTrip").toFixed(2)} ms, ${of(bare, "perSecond").toFixed(0)}/s`;
  const isLost = ratios.some((ratio) => ratio < BOUND);
  if (isLost) lost += 1;
  console.log(
    `${engine}: ${ours}; ${bare} alone: ${theirs}; ratios ${
      ratios.map((ratio) => ratio.toFixed(2)).join(" and ")
    }${isLost ? `: LOST, the bound is ${BOUND}` : ""}`,
  );
}
if (lost > 0) Deno.exitCode = 1;
