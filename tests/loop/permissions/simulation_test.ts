import { assertEquals, assertRejects } from "@std/assert";
import { simulate } from "../../../simulation/mod.ts";

import { Protocol, startServer } from "../../../transports/mod.ts";
import { restrictedLoop } from "./_restricted_loop.ts";

Deno.test("A restricted loop reaches the listed hosts of a simulated network, and no other", () =>
  simulate(async (sim) => {
    for (const name of ["db", "cache"]) {
      await sim.host(name).run(async () => {
        await startServer((_reader, writer) => writer.close(), { hostname: "0.0.0.0", port: 80 });
      });
    }
    const loop = restrictedLoop(sim, { net: ["DB:80"] });
    const reach = async (hostname: string, port: number, family?: "ipv4") => {
      const options = { hostname, port, ...family === undefined ? {} : { family } };
      const [transport] = await loop.createConnection(() => new Protocol(), options);
      const address = transport.getExtraInfo("peername");
      transport.abort();
      return address?.hostname;
    };

    await loop.runUntilComplete(async () => {
      const address = await reach("db.", 80);
      assertEquals(await reach("db", 80, "ipv4"), address);
      for (const [hostname, port] of [["cache", 80], ["db", 81], ["10.0.0.3", 80]] as const) {
        await assertRejects(() => reach(hostname, port), Deno.errors.NotCapable);
      }
    });
    loop.close();
  }));
