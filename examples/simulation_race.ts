/**
 * A bank that loses money, if its tasks run in an unlucky order. The usual order never shows it:
 * `explore()` finds an order that does, and shortens it to one decision.
 *
 * deno run examples/simulation_race.ts
 *
 * Prints:
 *     In the usual order: null
 *     Run 2 failed with AssertionError: the bank has lost money; to repeat it: { seed: 1, schedule: "1:1" }
 *     0 main task Task-1
 *     0 main task transfer
 *     0 main task deposit
 *     0 main task deposit
 *     0 main task transfer
 *     0 main step GatheredChild
 *     ...
 *     Found again
 *
 * @module
 */
import { assert } from "@std/assert";
import { createTask, gather, sleep } from "@gyre/asyncio";
import { explore, simulate } from "@gyre/asyncio/simulation";

/** Moves money between accounts, and closes the books in the end. */
async function bank(): Promise<void> {
  const accounts = new Map([["ann", 100], ["bob", 100]]);

  /** The mistake: what it has read is old once it writes, if a deposit came in between. */
  async function transfer(amount: number): Promise<void> {
    const before = accounts.get("ann") ?? 0;
    await sleep(0);
    accounts.set("ann", before - amount);
    accounts.set("bob", (accounts.get("bob") ?? 0) + amount);
  }

  async function deposit(amount: number): Promise<void> {
    await sleep(0);
    accounts.set("ann", (accounts.get("ann") ?? 0) + amount);
  }

  const transferring = createTask(() => transfer(30), { name: "transfer" });
  const depositing = createTask(() => deposit(50), { name: "deposit" });
  await gather([transferring, depositing]);
  assert([...accounts.values()].join() === "120,130", "the bank has lost money");
}

console.log("In the usual order:", (await explore(bank, { schedules: ["fifo"] })).failure);
const { failure } = await explore(bank, { report: console.log });
console.log(String(failure?.trace));
const { seed, schedule } = failure ?? {};
await simulate(bank, { seed, schedule, report: () => {} }).catch(() => console.log("Found again"));
