/**
 * Deterministic simulation: the same program in virtual time, repeated from one seed.
 *
 * @example A timeout that takes no time to test
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { sleep, timeout, TimeoutError } from "@gyre/asyncio";
 * import { simulate } from "@gyre/asyncio/simulation";
 *
 * await simulate(async () => {
 *   await assertRejects(() => timeout(30, () => sleep(60)), TimeoutError);
 * });
 * ```
 *
 * @module
 */
export { loopTest, type LoopTestOptions } from "./deno_loop_tests.ts";
export { type Exploration, explore, type ExploredFailure, type ExploreOptions } from "./explore.ts";
export type { Fault, FaultKind, FaultOptions, FaultPlan } from "./fault_plan.ts";
export type { FaultRule, Packet, Verdict } from "./fault_rule.ts";
export type { LinkConditions } from "./link_conditions.ts";
export { SeededRandom } from "./seeded_random.ts";
export type { Deviations, Schedule } from "./schedule.ts";
export { simulate, type SimulateOptions } from "./simulate.ts";
export { SimulatedBroker, type SimulatedBrokerOptions } from "./simulated_broker.ts";
export { SimulatedQueue, type SimulatedQueueOptions } from "./simulated_queue.ts";
export { SimulatedHost } from "./simulated_host.ts";
export type { SimulatedChild, SimulatedProgram } from "./simulated_program.ts";
export { type HostNames, SimulatedNetwork } from "./simulated_network.ts";
export { Simulation, type SimulationMain } from "./simulation.ts";
export { diffTraces, Trace, type TraceDifference } from "./trace.ts";
export { type Appointment, VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
