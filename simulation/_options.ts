/**
 * The options of this folder; see `loop/values/check_options.ts`.
 *
 * @module
 */
import {
  countFrom,
  FLAG,
  FUNCTION,
  LIST,
  OBJECT,
  type OptionKind,
  optionsIn,
  type OptionTable,
  SECONDS,
  TEXT,
} from "../loop/values/check_options.ts";
import type { LoopTestOptions } from "./deno_loop_tests.ts";
import type { ExploreOptions } from "./explore.ts";
import type { FaultOptions } from "./fault_plan.ts";
import type { LinkConditions } from "./link_conditions.ts";
import type { SimulateOptions } from "./simulate.ts";
import type { SimulatedBrokerOptions } from "./simulated_broker.ts";
import type { SimulatedQueueOptions } from "./simulated_queue.ts";
import type { WebTestOptions } from "./web/deno_web_tests.ts";
import type { VirtualClockOptions } from "./virtual_clock.ts";

const PROBABILITY: OptionKind = {
  expected: "a probability from 0 to 1",
  type: "number",
  fits: (value) => typeof value === "number" && value >= 0 && value <= 1,
};

const ABOVE_ZERO: OptionKind = {
  expected: "a number above 0",
  type: "number",
  fits: (value) => typeof value === "number" && value > 0,
};

const SEED: OptionKind = {
  expected: "a whole number",
  type: "number",
  fits: (value) => Number.isInteger(value),
};

export const LINK: OptionTable<LinkConditions> = {
  latency: SECONDS,
  jitter: SECONDS,
  bandwidth: ABOVE_ZERO,
  loss: PROBABILITY,
  duplicate: PROBABILITY,
  reorder: PROBABILITY,
  fragment: PROBABILITY,
  bufferSize: countFrom(1),
};

export const FAULTS: OptionTable<FaultOptions> = {
  hosts: LIST,
  count: countFrom(0),
  within: SECONDS,
  longest: SECONDS,
  kinds: LIST,
};

/** What a schedule may be has a message of its own. */
export const SIMULATE: OptionTable<SimulateOptions> = {
  seed: SEED,
  schedule: TEXT,
  network: optionsIn(LINK),
  trace: OBJECT,
  timeLimit: SECONDS,
  faults: optionsIn(FAULTS, TEXT),
  web: FLAG,
  report: FUNCTION,
};

export const EXPLORE: OptionTable<ExploreOptions> = {
  runs: countFrom(0),
  seed: SEED,
  schedules: LIST,
  network: SIMULATE.network,
  timeLimit: SIMULATE.timeLimit,
  faults: SIMULATE.faults,
  web: FLAG,
  report: FUNCTION,
};

export const LOOP_TEST: OptionTable<LoopTestOptions> = { ...SIMULATE, ignore: FLAG, only: FLAG };

export const WEB_TEST: OptionTable<WebTestOptions> = {
  runs: countFrom(0),
  check: FLAG,
  seed: SEED,
  schedule: TEXT,
  network: SIMULATE.network,
  timeLimit: SIMULATE.timeLimit,
  faults: SIMULATE.faults,
  report: FUNCTION,
};

export const VIRTUAL_CLOCK: OptionTable<VirtualClockOptions> = { onError: FUNCTION };

const LEASE = { lease: ABOVE_ZERO };

export const SIMULATED_QUEUE: OptionTable<SimulatedQueueOptions> = LEASE;

export const SIMULATED_BROKER: OptionTable<SimulatedBrokerOptions> = {
  hostname: TEXT,
  port: countFrom(1),
  ...LEASE,
};
