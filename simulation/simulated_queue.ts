import type { JobState, TakenJob } from "../executor/queue/broker.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { SIMULATED_QUEUE } from "./_options.ts";
import { startServer } from "../transports/streams/start_server.ts";
import type { StreamReader } from "../transports/streams/stream_reader.ts";
import type { StreamWriter } from "../transports/streams/stream_writer.ts";
import { runningPlatformLoop } from "../loop/platform/platform_loop.ts";

/**
 * Settings of a {@linkcode SimulatedQueue}.
 *
 * @category Simulation
 */
export interface SimulatedQueueOptions {
  /** Seconds after which a worker that says nothing is taken for lost; 10 by default. */
  lease?: number | undefined;
}

/** A job as the queue keeps it. */
interface Entry {
  readonly id: string;
  readonly payload: readonly number[];
  readonly priority: number;
  state: "waiting" | "running" | "done";
  reply: readonly number[] | null;
  /** When it may be taken, by the clock of the world. */
  due: number;
  attempt: number;
  failures: number;
  isCancelled: boolean;
}

/** A job that is taken, as it goes over the network. */
export type TakenEntry = Omit<TakenJob, "payload" | "token"> & {
  readonly payload: readonly number[];
};

/** What is asked of a queue, and what it answers. */
export interface QueueRequests {
  add(id: string, payload: readonly number[], priority: number, delay: number): null;
  lookUp(ids: readonly string[]): { state: JobState["state"]; reply: readonly number[] | null }[];
  cancel(id: string): null;
  forget(id: string): null;
  size(): number;
  take(): TakenEntry | null;
  renew(id: string, attempt: number): "held" | "cancelled" | "lost";
  finish(id: string, attempt: number, reply: readonly number[]): null;
  giveBack(id: string, attempt: number, delay: number, failed: boolean): null;
}

/**
 * The server of a queue in a simulated world, for brokers of the class `SimulatedBroker`. What it has
 * survives a crash of its host, as on a disk; then it is to be served again.
 *
 * @category Simulation
 */
export class SimulatedQueue {
  readonly #lease: number;
  readonly #entries: Map<string, Entry> = new Map();

  /** Creates an empty queue. */
  constructor(options: SimulatedQueueOptions = {}) {
    checkOptions("create a queue", options, SIMULATED_QUEUE);
    this.#lease = options.lease ?? 10;
  }

  /** How many jobs it has, those included whose reply nobody has fetched. */
  get length(): number {
    return this.#entries.size;
  }

  /** Serves it on a port of the host that this runs on, until it is cancelled. */
  async serve(port: number): Promise<void> {
    await using server = await startServer(
      (reader, writer) => this.#answer(reader, writer),
      { port },
    );
    await server.serveForever({ grace: 0 });
  }

  async #answer(reader: StreamReader, writer: StreamWriter): Promise<void> {
    await using output = writer;
    const line = new TextDecoder().decode(await reader.readLine());
    if (!line.endsWith("\n")) return;
    const [name, ...args] = JSON.parse(line) as [keyof QueueRequests, ...never[]];
    const answer = (this.#requests[name] as (...args: never[]) => unknown)(...args);
    output.write(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
  }

  readonly #requests: QueueRequests = {
    add: (id, payload, priority, delay) => {
      if (this.#entries.has(id)) return null;
      const due = now() + delay;
      const fresh = { attempt: 0, failures: 0, isCancelled: false, reply: null };
      this.#entries.set(id, { id, payload, priority, state: "waiting", due, ...fresh });
      return null;
    },
    lookUp: (ids) =>
      ids.map((id) => {
        const { state = "unknown", reply = null } = this.#entries.get(id) ?? {};
        return { state, reply };
      }),
    cancel: (id) => {
      const entry = this.#entries.get(id);
      if (entry?.state === "running") entry.isCancelled = true;
      else this.#entries.delete(id);
      return null;
    },
    forget: (id) => {
      this.#entries.delete(id);
      return null;
    },
    size: () => this.#entries.values().filter(({ state }) => state !== "done").toArray().length,
    take: () => {
      const time = now();
      const due = [...this.#entries.values()].filter((one) =>
        one.state !== "done" && one.due <= time
      );
      for (const { id } of due.filter(({ isCancelled }) => isCancelled)) this.#entries.delete(id);
      const [entry] = due.filter(({ isCancelled }) => !isCancelled)
        .sort((one, other) => other.priority - one.priority);
      if (entry === undefined) return null;
      entry.state = "running";
      entry.attempt += 1;
      entry.due = time + this.#lease;
      const { id, payload, attempt, failures } = entry;
      return { id, payload, attempt, failures };
    },
    renew: (id, attempt) => {
      const entry = this.#held(id, attempt);
      if (entry === null) return "lost";
      entry.due = now() + this.#lease;
      return entry.isCancelled ? "cancelled" : "held";
    },
    finish: (id, attempt, reply) => {
      const entry = this.#held(id, attempt);
      if (entry?.isCancelled) this.#entries.delete(id);
      else if (entry !== null) Object.assign(entry, { state: "done", reply });
      return null;
    },
    giveBack: (id, attempt, delay, failed) => {
      const entry = this.#held(id, attempt);
      if (entry?.isCancelled) this.#entries.delete(id);
      if (entry === null || entry.isCancelled) return null;
      entry.state = "waiting";
      entry.due = now() + delay;
      if (failed) entry.failures += 1;
      return null;
    },
  };

  #held(id: string, attempt: number): Entry | null {
    const entry = this.#entries.get(id);
    return entry?.state === "running" && entry.attempt === attempt ? entry : null;
  }
}

function now(): number {
  return runningPlatformLoop("serve a queue").time();
}
