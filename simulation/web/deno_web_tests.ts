import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import { sleep } from "../../loop/mod.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { WEB_TEST } from "../_options.ts";
import { type Run, runOnce } from "../_run_once.ts";
import { describeInOneLine, type ExploredFailure, findShortest } from "../explore.ts";
import type { Schedule } from "../schedule.ts";
import type { SimulateOptions } from "../simulate.ts";
import type { Simulation, SimulationMain } from "../simulation.ts";
import { diffTraces, Trace } from "../trace.ts";
import { Claims } from "./_claims.ts";
import { ViolationError } from "./violation_error.ts";
import { WebHost } from "./web_host.ts";

/**
 * Settings of {@linkcode webTest} and {@linkcode exploreWeb}.
 *
 * @category Simulation
 */
export interface WebTestOptions extends Omit<SimulateOptions, "trace" | "web"> {
  /** How many runs there are at most, each with the next seed; 100 by default. */
  runs?: number | undefined;
  /** Whether each run is repeated, and must leave the same trace; `false` by default. */
  check?: boolean | undefined;
}

/**
 * What the body of a web test is given, for one run.
 *
 * @category Simulation
 */
export interface WebSimulation
  extends Pick<Simulation, "seed" | "loop" | "clock" | "network" | "random" | "note" | "outside"> {
  /** Returns the host called `name`, created when it is first asked for. */
  host(name: string): WebHost;
  /**
   * Claims that something is true at any time. It is asked whenever all has happened that is due,
   * after every packet and every step, and ends the run if it gives anything but `true`.
   *
   * @param claim What is claimed, in words.
   * @param holds Whether it is true. It must not change anything.
   */
  always(claim: string, holds: () => boolean): void;
  /**
   * Ends all faults, and waits until something is true.
   *
   * @param holds Whether it is.
   * @param seconds How long it may take, in simulated seconds; 60 by default.
   * @param claim What is claimed, in words.
   * @throws {ViolationError} If it is not true by then.
   */
  eventually(
    holds: () => boolean | PromiseLike<boolean>,
    seconds?: number,
    claim?: string,
  ): Promise<void>;
  /**
   * Claims that something is true in one of the runs, at least: that the test reaches what it is for.
   *
   * @param claim What is claimed, in words.
   * @param holds Whether it is true now.
   */
  sometimes(claim: string, holds: boolean): void;
}

/**
 * What a web test runs: a function that returns a coroutine, a promise or a value.
 *
 * @category Simulation
 */
export type WebTestBody = (
  sim: WebSimulation,
) => Coroutine<unknown> | PromiseLike<unknown> | unknown;

/** The runs of a test where nothing is said. */
const DEFAULT_RUNS = 100;
/** Each run has the next of them. */
const SCHEDULES: readonly Schedule[] = ["fifo", "random", "pct"];
/** Lines that a reader of a timeline can do without. */
const UNTOLD = /^\S+ \S+ (task |callback |step |cancelled callback|sent (accept|end) )/;
/** How often `eventually()` asks, in seconds. */
const PACE = 0.1;
/** Lines of a timeline that are printed, from its end. */
const LONGEST_TIMELINE = 40;

/**
 * Registers a test with `Deno.test` that runs ordinary programs on simulated hosts, many times: each
 * run has a seed, and with it an order of tasks and faults of its own.
 *
 * `fetch`, `Deno.serve`, `WebSocket`, `node:net`, `node:http` and all that stands on them reach the
 * simulated network. A run that fails is repeated with fewer and fewer faults, then with fewer changes
 * of order, as long as it fails alike; the test prints how to repeat what is left, and what happened.
 *
 * @param name What the test is called.
 * @param options Additional options; they may be left out.
 * @param body What runs. It must begin anew with each call.
 *
 * @category Simulation
 *
 * @example A payment that is made once, whatever happens
 * ```ts
 * import { webTest } from "@gyre/asyncio/simulation/web";
 *
 * // In a test file this stands at the top; it is a function here as tests do not nest.
 * export function registerTests(): void {
 *   const faults = { hosts: ["payments"], count: 3, within: 5 };
 *   webTest("charged once", { runs: 50, faults }, async ({ host, always, eventually }) => {
 *     const charged = new Set<string>();
 *     let count = 0;
 *     host("payments").serve(async (request) => {
 *       const key = await request.text();
 *       if (!charged.has(key)) count += 1;
 *       charged.add(key);
 *       return new Response("charged");
 *     });
 *     always("no double charge", () => count <= 1);
 *     const pay = () => fetch("http://payments/", { method: "POST", body: "order 1" });
 *     await eventually(() => pay().then((response) => response.ok, () => false));
 *   });
 * }
 * ```
 */
export function webTest(name: string, body: WebTestBody): void;
/**
 * Registers a test with settings of its own.
 *
 * @category Simulation
 */
export function webTest(name: string, options: WebTestOptions, body: WebTestBody): void;
export function webTest(
  name: string,
  optionsOrBody: WebTestOptions | WebTestBody,
  maybeBody?: WebTestBody,
): void {
  const [options, body] = typeof optionsOrBody === "function"
    ? [{}, optionsOrBody]
    : [optionsOrBody, maybeBody as WebTestBody];
  checkOptions("register a test", options, WEB_TEST);
  Deno.test(name, async () => {
    const { failure } = await exploreWeb(body, options);
    if (failure !== null) throw failure.error;
  });
}

/**
 * What {@linkcode exploreWeb} has found.
 *
 * @category Simulation
 */
export interface WebExploration {
  /** How many runs it tried, the failed one included. */
  runs: number;
  /** The first failure, or `null`. One of a claim about all runs is of none of them. */
  failure: ExploredFailure | null;
}

/**
 * Does what {@linkcode webTest} does, without a test: searches for a run of `body` that fails.
 *
 * @param body What runs. It must begin anew with each call.
 * @param options Additional options.
 * @returns What was found.
 *
 * @category Simulation
 */
export async function exploreWeb(
  body: WebTestBody,
  options: WebTestOptions = {},
): Promise<WebExploration> {
  checkOptions("explore", options, WEB_TEST);
  const { runs = DEFAULT_RUNS, check = false, seed: first = 0, report = logLine, ...rest } =
    options;
  const reached: Map<string, boolean> = new Map();
  const main = asMain(body, reached);
  const world: SimulateOptions = { ...rest, web: true };
  // What is loaded lazily, or kept in modules, is there afterwards.
  await runOnce(main, { ...world, seed: first });
  reached.clear();
  for (let run = 0; run < runs; run += 1) {
    const seed = first + run;
    const { schedule = SCHEDULES[run % SCHEDULES.length] ?? "fifo" } = rest;
    const trace = check ? new Trace() : undefined;
    const settings = { ...world, seed, schedule };
    const tried = await runOnce(main, { ...settings, trace });
    if (trace !== undefined) await checkRepeats(main, settings, trace);
    if (!tried.outcome.failed) continue;
    const failure = await describeFailure(main, settings, tried);
    report(describeInOneLine(run + 1, failure));
    report(describeTimeline(failure.trace));
    return { runs: run + 1, failure };
  }
  for (const [claim, isReached] of reached) {
    if (isReached) continue;
    const error = new ViolationError(claim, `it holds in none of ${runs} runs`);
    const deviations = { shortest: 0, first: 0 };
    const failure = {
      error,
      seed: first,
      schedule: "fifo" as const,
      faults: "",
      deviations,
      trace: new Trace(),
    };
    return { runs, failure };
  }
  return { runs, failure: null };
}

async function describeFailure(
  main: SimulationMain<unknown>,
  settings: SimulateOptions & { seed: number },
  failed: Run<unknown>,
): Promise<ExploredFailure> {
  const { outcome } = failed;
  const error = outcome.failed ? outcome.error : null;
  return { error, ...await findShortest(main, settings, failed) };
}

/** Runs once more, and throws if that is not the same. */
async function checkRepeats(
  main: SimulationMain<unknown>,
  settings: SimulateOptions & { seed: number },
  trace: Trace,
): Promise<void> {
  const again = new Trace();
  await runOnce(main, { ...settings, trace: again });
  const difference = diffTraces(trace, again);
  if (difference === null) return;
  const { line, first = "its end", second = "its end" } = difference;
  const state = `line ${line} is "${first}", and then "${second}"`;
  throw new InvalidStateError(`Cannot repeat the run with seed ${settings.seed}: ${state}`);
}

function asMain(body: WebTestBody, reached: Map<string, boolean>): SimulationMain<unknown> {
  return async (sim) => {
    const world = sim[inside.world]();
    const claims = new Claims(world);
    world.claims = claims;
    const { seed, loop, clock, network, random, note, outside } = sim;
    const hosts = new Map<string, WebHost>();
    const task = loop.createTask(() =>
      body({
        seed,
        loop,
        clock,
        network,
        random,
        note,
        outside,
        host(name) {
          const host = hosts.get(name) ?? new WebHost(sim.host(name));
          hosts.set(name, host);
          return host;
        },
        always: (claim, holds) => claims.add(claim, holds),
        async eventually(holds, seconds = 60, claim = `eventually ${holds}`) {
          world.faults?.heal();
          const deadline = loop.time() + seconds;
          while (await holds() !== true) {
            if (loop.time() >= deadline) {
              throw new ViolationError(claim, `it does not hold within ${seconds} seconds`);
            }
            await sleep(PACE);
          }
        },
        sometimes(claim, holds) {
          reached.set(claim, holds || (reached.get(claim) ?? false));
        },
      }), { name: "body of the test" });
    await task;
    claims.check();
  };
}

/** Returns what a reader wants to know of a run: not each step, and no more than the end of it. */
function describeTimeline({ lines }: Trace): string {
  const told = lines.filter((line) => !UNTOLD.test(line));
  const shown = told.slice(-LONGEST_TIMELINE);
  const left = told.length - shown.length;
  const head = left === 0 ? [] : [`… ${left} lines before`];
  return [...head, ...shown.map(shorten)].map((line) => `  ${line}`).join("\n");
}

/** Milliseconds are enough for a reader. */
function shorten(line: string): string {
  return line.replace(/^[\d.]+/, (time) => Number(time).toFixed(3));
}

function logLine(line: string): void {
  console.error(line);
}
