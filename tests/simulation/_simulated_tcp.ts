import { World } from "../../simulation/_world.ts";
import { type Schedule, Simulation } from "../../simulation/mod.ts";
import type { Backend } from "../transports/_backend.ts";

/** The network of a simulation, as the suites of the transports want it. */
export function createSimulatedTcp(schedule: Schedule, fragment: number): Backend {
  return {
    name: `simulated TCP, ${schedule}`,
    capacity: 1024 * 1024,
    createLoop: () => {
      const world = new World({ seed: 1, schedule, trace: null, timeLimit: Infinity });
      return new Simulation(world, 1, { fragment }).loop;
    },
    serve: (loop, factory) => loop.createServer(factory, { hostname: "127.0.0.1" }),
    connect: (loop, address, factory) =>
      loop.createConnection(factory, { port: (address as Deno.NetAddr).port }),
  };
}
