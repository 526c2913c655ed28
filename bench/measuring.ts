/**
 * What measuring costs: `deno task bench:measuring [--slices=N] [name …]`.
 *
 * One process does each kind of scheduling work in short slices, in turns on a loop that is measured
 * and on one that is not. What counts is CPU time. Prints the median of the ratios of
 * its turns, the ratio of the fastest slices, and the nanoseconds of an operation in those.
 *
 * @module
 */
import process from "node:process";
import * as gyre from "../mod.ts";
import { createWork, type Work } from "./_schedule/works.ts";

const wanted = Deno.args.filter((arg) => !arg.startsWith("--"));
const option = Deno.args.find((arg) => arg.startsWith("--slices="));
const SLICES = Number(option?.slice("--slices=".length) ?? 200);
const WARM_UP = 20;

/** Does a slice; returns the nanoseconds of CPU time that an operation took. */
async function slice(work: Work, isMeasured: boolean): Promise<number> {
  const loop = new gyre.EventLoop();
  loop.setMeasuring(isMeasured);
  const before = process.cpuUsage();
  const count = await work(loop);
  const { user, system } = process.cpuUsage(before);
  loop.close();
  return (user + system) * 1e3 / count;
}

console.log(`${"".padEnd(40)}  median  fastest   ns  ns measured`);
const works = createWork(gyre, { many: 5_000, few: 1_000, gathered: 5_000 });
for (const [name, work] of Object.entries(works)) {
  if (wanted.length > 0 && !wanted.some((each) => name.includes(each))) continue;
  const times: [off: number, on: number][] = [];
  for (let turn = -WARM_UP; turn < SLICES; turn += 1) {
    const isFirst = turn % 2 === 0;
    const [first, second] = [await slice(work, isFirst), await slice(work, !isFirst)];
    if (turn >= 0) times.push(isFirst ? [second, first] : [first, second]);
  }
  const ratios = times.map(([off, on]) => on / off).sort((a, b) => a - b);
  const [off, on] = [0, 1].map((index) =>
    Math.min(...times.map((pair) => pair[index] as number))
  ) as [number, number];
  console.log([
    name.padEnd(40),
    (ratios[ratios.length >> 1] as number).toFixed(2).padStart(7),
    (on / off).toFixed(2).padStart(8),
    off.toFixed(0).padStart(8),
    on.toFixed(0).padStart(8),
  ].join(" "));
}
