// Many waits on one pending future, each given up, leave nothing behind.
import { assert, assertEquals } from "@std/assert";
import { ABANDONED_WAITS, measureRemains } from "./abandoned_waits.ts";

/** How many waits. bench/abandoned_waits.ts does the same a million times. */
const WAITS = 20_000;
/** Bytes that may be left of all. A waiter that stays costs a hundred; measuring coverage, ten. */
const MAX_BYTES_LEFT = 500_000;

for (const [name, way] of Object.entries(ABANDONED_WAITS)) {
  Deno.test(`a pending future forgets ${name}, ${WAITS} times`, async () => {
    const { bytes, timers } = await measureRemains(way, WAITS);
    assert(bytes < MAX_BYTES_LEFT, `${bytes} bytes are left`);
    assertEquals(timers, 0);
  });
}
