/**
 * One kind of scheduling work on one checkout of this package, for bench/schedule.ts: for each line
 * on stdin it does a slice of it, and prints the nanoseconds of CPU time that an operation took.
 *
 * Usage: work.ts <folder of the checkout> <name of the work>; without a name it lists them
 *
 * @module
 */
import process from "node:process";
import type * as Gyre from "@gyre/asyncio";
import { createWork } from "./works.ts";

const [folder = "", name = ""] = Deno.args;
const gyre: typeof Gyre = await import(new URL("mod.ts", `file://${folder}`).href);
const works = createWork(gyre, { many: 20_000, few: 4_000, gathered: 100_000 });
const work = works[name];
if (work === undefined) {
  console.log(Object.keys(works).join("\n"));
  Deno.exit();
}
const output = Deno.stdout;
const encoder = new TextEncoder();
const buffer = new Uint8Array(1);
while (await Deno.stdin.read(buffer) !== null) {
  const loop = new gyre.EventLoop();
  const before = process.cpuUsage();
  const count = await work(loop);
  const { user, system } = process.cpuUsage(before);
  loop.close();
  await output.write(encoder.encode(`${(user + system) * 1e3 / count}\n`));
}
