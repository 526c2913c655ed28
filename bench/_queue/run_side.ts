/**
 * One process of the queue benchmark: `work <side> <url> <queue>` works until it is killed, and says when
 * it has begun; `call …` prints milliseconds of a round trip and jobs a second.
 *
 * @module
 */
import { Event, run } from "@gyre/asyncio";
import { BARE_BULLMQ } from "./bare_bullmq.ts";
import { bareNats } from "./bare_nats.ts";
import { BARE_SQLITE } from "./bare_sqlite.ts";
import { OURS } from "./ours.ts";
import type { Side } from "./side.ts";

const SIDES: Readonly<Record<string, Side>> = {
  "ours": OURS,
  "node:sqlite": BARE_SQLITE,
  "bullmq": BARE_BULLMQ,
  "nats": bareNats(false),
  "nats, replies kept": bareNats(true),
};

const ALONE = 500;
const AT_ONCE = 50;
const MANY = 3000;

const [role, name = "", url = "", queue = ""] = Deno.args;
const side = SIDES[name] as Side;

/** Calls with `value` from now until `count` calls have ended, `atOnce` at a time. Seconds. */
async function load(
  call: (value: unknown) => Promise<unknown>,
  count: number,
  atOnce: number,
): Promise<number> {
  const begin = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await call(left);
  }));
  return (performance.now() - begin) / 1000;
}

await run(async () => {
  if (role === "work") {
    await side.work(url, queue, AT_ONCE);
    console.log("working");
    return await new Event().wait();
  }
  const call = await side.call(url, queue);
  // A call that was answered has seen that both are there.
  console.log("calling");
  await call(0);
  await load(call, ALONE, AT_ONCE);
  const alone = await load(call, ALONE, 1);
  const many = await load(call, MANY, AT_ONCE);
  console.log(JSON.stringify({ roundTrip: alone / ALONE * 1000, perSecond: MANY / many }));
  Deno.exit();
});
