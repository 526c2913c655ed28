import type { JobBroker, JobOrder, JobState, TakenJob } from "../executor/queue/broker.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import { sleep } from "../loop/structure/sleep.ts";
import { timeout } from "../loop/structure/timeout.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { openConnection } from "../transports/streams/open_connection.ts";
import { SIMULATED_BROKER } from "./_options.ts";
import type { QueueRequests } from "./simulated_queue.ts";

/**
 * Where a {@linkcode SimulatedBroker} finds its queue.
 *
 * @category Simulation
 */
export interface SimulatedBrokerOptions {
  /** The host that serves it. */
  hostname: string;
  /** The port there. */
  port: number;
  /** Seconds of its leases; 10 by default, as of the queue. */
  lease?: number | undefined;
}

/** Seconds that an answer may take. */
const PATIENCE = 2;
/** Seconds between two questions for a job. */
const PAUSE = 0.1;
/** As much as fits into a line of numbers. */
const MAX_BYTES = 2 ** 13;

/**
 * A broker in a simulated world: it speaks to a `SimulatedQueue` on another host, over the simulated
 * network, so that a program with a queue can be tested under partitions and crashes.
 *
 * @category Simulation
 *
 * @example A worker that crashes with its job
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep } from "@gyre/asyncio";
 * import { defineJobs, JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
 * import { SimulatedBroker, SimulatedQueue, simulate } from "@gyre/asyncio/simulation";
 *
 * const jobs = defineJobs({
 *   double: async (x: number) => {
 *     await sleep(60);
 *     return x * 2;
 *   },
 * });
 * await simulate(async ({ host }) => {
 *   const queue = new SimulatedQueue();
 *   const at = { hostname: "broker", port: 80 };
 *   host("broker").run(() => queue.serve(80));
 *   for (const name of ["one", "other"]) {
 *     host(name).run(() => new JobWorker(new SimulatedBroker(at), { jobs }).run());
 *   }
 *   await using executor = new QueueExecutor(new SimulatedBroker(at));
 *   const answer = executor.submit(jobs.double, 21);
 *   await sleep(30);
 *   host("one").crash();
 *   assertEquals(await answer, 42);
 * });
 * ```
 */
export class SimulatedBroker implements JobBroker {
  /** How many bytes a payload, and a reply, may have. */
  readonly maxBytes: number = MAX_BYTES;
  /** Seconds that a worker holds a job without renewing it. */
  readonly lease: number;
  readonly #address: { hostname: string; port: number };

  /** Creates a broker. */
  constructor(options: SimulatedBrokerOptions) {
    checkOptions("create a broker", options, SIMULATED_BROKER);
    this.#address = { hostname: options.hostname, port: options.port };
    this.lease = options.lease ?? 10;
  }

  /** Does nothing: each request has a connection of its own. */
  async open(_loop: PlatformLoop): Promise<void> {}

  /** Adds a job. */
  async add({ id, payload, priority, delay }: JobOrder): Promise<void> {
    await this.#ask("add", id, [...payload], priority, delay);
  }

  /** Tells nobody: a caller looks once a second. */
  onEvent(): () => void {
    return () => {};
  }

  /** Says where each of `ids` stands. */
  async lookUp(ids: readonly string[]): Promise<JobState[]> {
    const states = await this.#ask("lookUp", ids);
    return states.map(({ state, reply }) =>
      state === "done" ? { state, reply: new Uint8Array(reply ?? []) } : { state }
    );
  }

  /** Takes a job out that waits, and has the worker of one that runs told. */
  async cancel(id: string): Promise<void> {
    await this.#ask("cancel", id);
  }

  /** Lets go of a job. */
  async forget(id: string): Promise<void> {
    await this.#ask("forget", id);
  }

  /** How many jobs wait or run. */
  async size(): Promise<number> {
    return await this.#ask("size");
  }

  /** Waits for a job, and takes it. */
  async take(signal: AbortSignal): Promise<TakenJob | null> {
    while (!signal.aborted) {
      const job = await this.#ask("take");
      if (job !== null) return { ...job, payload: new Uint8Array(job.payload), token: job.attempt };
      await sleep(PAUSE);
    }
    return null;
  }

  /** Holds a job for another lease. */
  async renew({ id, attempt }: TakenJob): Promise<"held" | "cancelled" | "lost"> {
    return await this.#ask("renew", id, attempt);
  }

  /** The job is done. */
  async finish({ id, attempt }: TakenJob, reply: Uint8Array): Promise<void> {
    await this.#ask("finish", id, attempt, [...reply]);
  }

  /** Gives a job back. */
  async giveBack({ id, attempt }: TakenJob, delay: number, failed: boolean): Promise<void> {
    await this.#ask("giveBack", id, attempt, delay, failed);
  }

  /** Does nothing. */
  async close(): Promise<void> {}

  async #ask<K extends keyof QueueRequests>(
    name: K,
    ...args: Parameters<QueueRequests[K]>
  ): Promise<ReturnType<QueueRequests[K]>> {
    return await timeout(PATIENCE, async () => {
      const [reader, writer] = await openConnection(this.#address);
      try {
        writer.write(new TextEncoder().encode(`${JSON.stringify([name, ...args])}\n`));
        const line = new TextDecoder().decode(await reader.readUntil("\n"));
        return JSON.parse(line);
      } finally {
        writer.transport.abort();
      }
    });
  }
}
