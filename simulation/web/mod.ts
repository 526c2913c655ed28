/**
 * Ordinary programs in a simulation: services, clients and libraries as they are, from one seed.
 *
 * In it these reach the simulated network: `fetch`, `Deno.serve`, `WebSocket`, `Deno.upgradeWebSocket`,
 * `Deno.connect`, `Deno.listen`, `Deno.listenDatagram`, `Deno.resolveDns`, `node:net`, `node:http`,
 * `node:dns` and `node:dgram`, by whatever name they were imported. What is not served, such as `https:`,
 * is refused with an error that names it. Only what a test file itself has imported by name before, such as
 * `readFile` of `node:fs`, cannot be replaced; {@linkcode WebHost.load} runs programs whose imports are.
 *
 * Schedules order tasks. What foreign code does in microtasks goes in the order of the engine.
 *
 * @example Two services, one of which crashes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exploreWeb } from "@gyre/asyncio/simulation/web";
 *
 * const { failure } = await exploreWeb(async ({ host, eventually }) => {
 *   host("hello").serve(() => new Response("hello"));
 *   await eventually(() => fetch("http://hello/").then(({ ok }) => ok, () => false));
 *   host("hello").crash();
 *   host("hello").restart();
 *   await eventually(() => fetch("http://hello/").then(({ ok }) => ok, () => false));
 * }, { runs: 3 });
 * assertEquals(failure, null);
 * ```
 *
 * @module
 */
export {
  exploreWeb,
  type WebExploration,
  type WebSimulation,
  webTest,
  type WebTestBody,
  type WebTestOptions,
} from "./deno_web_tests.ts";
export { ViolationError } from "./violation_error.ts";
export { type WebHandler, WebHost } from "./web_host.ts";
