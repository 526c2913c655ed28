// Packages of npm, as they are published, run in a simulation and leave one trace with one seed. A first
// run warms up: packages load parts of themselves when they are first used. `deno task test:npm` runs each
// of them 200 times.
import { assertEquals } from "@std/assert";
import { diffTraces, simulate, Trace } from "../../simulation/mod.ts";
import { NPM_PROGRAMS, type NpmProgram } from "./_programs.js";

async function run(program: NpmProgram, seed: number): Promise<[unknown, Trace]> {
  const trace = new Trace();
  const seen = await simulate(program, { web: true, seed, trace, timeLimit: 3600 });
  return [seen, trace];
}

/** What each of them sees, with seed 3. */
const EXPECTED: Readonly<Record<string, (seen: unknown[]) => unknown>> = {
  "hono, ky and p-retry": (seen) => (seen[0] as { order: string }[]).map(({ order }) => order),
  "express, axios and got": (seen) => seen.slice(0, -1),
  "ioredis and redis": (seen) => seen[0],
  "mqtt and aedes": (seen) => [...new Set(seen[0] as string[])],
  "ws": (seen) => [(seen[0] as string[][]).map((log) => log.length), seen[1]],
  "socket.io": (seen) => seen.slice(0, 2),
  "yjs and y-websocket": (seen) => seen[0],
  "liferaft": (seen) => seen.slice(0, 3),
};

const SEEN: Readonly<Record<string, unknown>> = {
  "hono, ky and p-retry": ["one", "two", "three", "four"],
  "express, axios and got": [
    { id: "7", agent: true },
    200,
    { created: "Ada" },
    201,
    "ECONNABORTED",
    404,
    { id: "8", agent: true },
    "ETIMEDOUT",
  ],
  "ioredis and redis": ["OK", "value", [1, 3, 2], 4, null, 5],
  "mqtt and aedes": [0, 1, 2, 3, 4, 5].map((number) => `news/${number} text ${number}`),
  "ws": [[6, 3, 3], [1000, 3001, 1006]],
  "socket.io": [["heard one", "heard two"], ["one", "two"]],
  "yjs and y-websocket": ["> hello world", "> hello world"],
  "liferaft": [true, "string", "string"],
};

for (const [name, program] of Object.entries(NPM_PROGRAMS)) {
  Deno.test(`${name} of npm run in a simulation, and leave one trace with one seed`, async () => {
    const [seen] = await run(program, 3);
    assertEquals(EXPECTED[name]?.(seen as unknown[]), SEEN[name]);

    const [again, first] = await run(program, 3);
    for (let count = 0; count < 3; count += 1) {
      const [last, trace] = await run(program, 3);
      assertEquals(last, again);
      assertEquals(diffTraces(first, trace), null);
    }
  });
}
