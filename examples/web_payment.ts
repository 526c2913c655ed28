/**
 * Two services of fetch() and Deno.serve(): is an order ever paid twice? A search over seeds and faults
 * finds how; where a payment has a key, it finds nothing.
 *
 * deno run examples/web_payment.ts
 *
 * Prints:
 *     Run 2: 1.714 reset payments 2.687
 *     50 runs, nothing found
 *
 * @module
 */
import { sleep } from "@gyre/asyncio";
import { exploreWeb } from "@gyre/asyncio/simulation/web";

const faults = { hosts: ["payments"], count: 8, within: 16 };

for (const hasKeys of [false, true]) {
  const { failure, runs } = await exploreWeb(async ({ host, always }) => {
    const charges: string[] = [];
    host("payments").serve(async (request) => {
      const order = await request.text();
      if (!hasKeys || !charges.includes(order)) charges.push(order);
      await sleep(0.5); // a bank is slow
      return new Response("paid");
    });
    host("orders").serve(async (request) => {
      const body = await request.text();
      for (let pause = 0.1;; pause *= 2) {
        const signal = AbortSignal.timeout(2000);
        const paying = fetch("http://payments/", { method: "POST", body, signal });
        if (await paying.then(({ ok }) => ok, () => false)) return new Response("done");
        await sleep(pause);
      }
    });
    always("no order is paid twice", () => new Set(charges).size === charges.length);
    for (const body of ["o1", "o2", "o3", "o4"]) {
      await (await fetch("http://orders/", { method: "POST", body })).text();
    }
  }, { runs: 50, faults, report: () => {} });
  console.log(failure === null ? `${runs} runs, nothing found` : `Run ${runs}: ${failure.faults}`);
}
