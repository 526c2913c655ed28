// Ordinary programs in a simulation: what a request costs, a jump of time, and an hour of three services.
//   deno bench -P=pure bench/web_bench.ts
import { sleep } from "../mod.ts";
import { simulate, type Simulation } from "../simulation/mod.ts";

const HOUR = 3600;
const web = { web: true } as const;

function serve({ host }: Simulation, name: string, handler: Deno.ServeHandler): void {
  host(name).run(() => void Deno.serve({ port: 80, onListen: () => {} }, handler));
}

/** A client asks a front every second, which asks a cache, which asks a store now and then. */
async function simulateHour(): Promise<void> {
  const start = performance.now();
  let requests = 0;
  await simulate(async (sim) => {
    const ask = async (name: string) => await (await fetch(`http://${name}/`)).text();
    serve(sim, "store", () => new Response(`${requests += 1}`));
    let cached: string | null = null;
    serve(sim, "cache", async () => new Response(cached = cached ?? await ask("store")));
    serve(sim, "front", async () => new Response(await ask("cache")));
    await sleep(0);
    while (sim.loop.time() < HOUR) {
      if (Math.random() < 0.1) cached = null;
      await ask("front");
      requests += 2;
      await sleep(1);
    }
  }, web);
  const seconds = (performance.now() - start) / 1000;
  console.log(`An hour of three services, ${requests} requests, took ${seconds.toFixed(1)} s`);
}

await simulateHour();

Deno.bench("a run that does nothing", { group: "run", baseline: true }, async () => {
  await simulate(() => {});
});

Deno.bench("a run that does nothing, with the web", { group: "run" }, async () => {
  await simulate(() => {}, web);
});

Deno.bench("100 requests of fetch() to Deno.serve()", { group: "requests", n: 30 }, async () => {
  await simulate(async (sim) => {
    serve(sim, "server", () => new Response("ok"));
    await sleep(0);
    for (let count = 0; count < 100; count += 1) await (await fetch("http://server/")).text();
  }, web);
});

Deno.bench("1,000 jumps of a timer", { group: "jumps", n: 30 }, async () => {
  await simulate(async () => {
    for (let count = 0; count < 1000; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }, web);
});
