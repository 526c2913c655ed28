/**
 * A service, its store and a cache that is asked first, while the store is cut off: what is old is
 * served, and an update arrives in the end.
 *
 * deno run examples/web_cache.ts
 *
 * Prints:
 *     0.0 s: one
 *     1.0 s: one, from the cache
 *     6.5 s: two
 *
 * @module
 */
import { sleep } from "@gyre/asyncio";
import { simulate } from "@gyre/asyncio/simulation";

await simulate(async ({ host, network, loop }) => {
  let stored = "one";
  host("store").run(() => void Deno.serve({ port: 80, onListen() {} }, () => new Response(stored)));
  host("front").run(() => {
    let cached = "";
    Deno.serve({ port: 80, onListen() {} }, async () => {
      const signal = AbortSignal.timeout(500);
      const asking = fetch("http://store/", { signal }).then((response) => response.text());
      const fresh = await asking.catch(() => null);
      cached = fresh ?? cached;
      return new Response(fresh ?? `${cached}, from the cache`);
    });
  });
  const ask = async () => {
    const start = loop.time();
    console.log(`${start.toFixed(1)} s: ${await (await fetch("http://front/")).text()}`);
  };
  await ask();
  await sleep(1 - loop.time());
  stored = "two";
  network.partition("front", "store");
  await ask();
  network.heal();
  await sleep(5);
  await ask();
}, { web: true });
