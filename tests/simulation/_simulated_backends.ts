import type { DenoEventLoop } from "../../mod.ts";
import { World } from "../../simulation/_world.ts";
import { type Schedule, Simulation } from "../../simulation/mod.ts";
import type { Backend } from "../transports/_backend.ts";

/** More bytes than the kernels of a simulation hold. */
const CAPACITY = 1024 * 1024;

/** Connections over the network of a simulation, as the suites of the transports want them. */
export function createSimulatedTcp(schedule: Schedule, fragment: number): Backend<Deno.NetAddr> {
  return {
    name: `simulated TCP, ${schedule}`,
    capacity: CAPACITY,
    createLoop: () => createLoop(schedule, fragment),
    serve: (loop, factory, options) =>
      loop.createServer(factory, { hostname: "127.0.0.1", ...options }),
    connect: (loop, address, factory) => loop.createConnection(factory, { port: address.port }),
  };
}

/** Simulated Unix sockets. */
export function createSimulatedUnix(schedule: Schedule): Backend<Deno.UnixAddr> {
  let sockets = 0;
  return {
    name: `simulated Unix, ${schedule}`,
    capacity: CAPACITY,
    createLoop: () => createLoop(schedule, 0),
    serve: (loop, factory, options) =>
      loop.createUnixServer(factory, { path: `/run/${++sockets}.sock`, ...options }),
    connect: (loop, address, factory) => loop.createUnixConnection(factory, { path: address.path }),
  };
}

function createLoop(schedule: Schedule, fragment: number): DenoEventLoop {
  const world = new World({ seed: 1, schedule, trace: null, timeLimit: Infinity });
  return new Simulation(world, 1, { conditions: { fragment }, faults: [] }).loop;
}
