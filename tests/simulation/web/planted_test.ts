// Mistakes of services are found, and told of with few faults. `deno task test:planted` asks the mended
// ones as often as the others.
import { assert, assertEquals } from "@std/assert";
import { exploreWeb } from "../../../simulation/web/mod.ts";
import { PLANTED_SERVICES } from "./_planted_services.ts";

const silent = { report: () => {} };

for (const { name, options, create } of PLANTED_SERVICES) {
  Deno.test(`exploreWeb() finds ${name} within 1,000 runs, with three faults at most`, async () => {
    const { failure } = await exploreWeb(create(false), { ...options, ...silent, runs: 1000 });
    assert(failure !== null);
    const { seed, schedule, faults } = failure;
    assert(faults.split(";").length <= 3, faults);

    const settings = { ...options, seed, schedule, faults, ...silent, runs: 1 };
    const again = await exploreWeb(create(false), settings);
    assertEquals(String(again.failure?.error).split(":", 3), String(failure.error).split(":", 3));
  });

  Deno.test(`exploreWeb() finds nothing where ${name} is mended`, async () => {
    const { failure } = await exploreWeb(create(true), { ...options, runs: 8 });
    assertEquals(failure, null);
  });
}
