/**
 * A queue in Redis, by BullMQ.
 *
 * *Theory of operation.* A job is one of BullMQ's: its lock is the lease, its return value the reply, both
 * in base64. Callers are told of replies on a channel of Redis each; an own connection waits for jobs.
 * What is asked of BullMQ is its backend, as its `Worker` asks it, and not that: it has no end at
 * once, and tells nobody that a job was lost or cancelled.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Queue, RedisQueueBackend } from "bullmq";
import type { Redis } from "ioredis";
import { flagsMissing, isNotCapable, nameMissingFlag } from "../../loop/errors/deno_not_capable.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import { sleep } from "../../loop/structure/sleep.ts";
import type { Task } from "../../loop/tasks/task.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { BULLMQ_BROKER } from "./_bullmq_options.ts";
import type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";
import { Takers } from "./_takers.ts";
import { wallTime } from "./deno_wall_time.ts";

export type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";

/**
 * Where a {@linkcode BullmqBroker} keeps its jobs.
 *
 * @category Queues
 */
export interface BullmqBrokerOptions {
  /** The server, as `redis://127.0.0.1:6379`; with name and password, and a number of a database. */
  url: string;
  /** The name of the queue, as BullMQ's own tools have it. `"jobs"` by default. */
  queue?: string | undefined;
  /** Seconds after which a worker that says nothing is taken for lost; 10 by default. */
  lease?: number | undefined;
}

/** Seconds that a reply stays that nobody fetches. */
const KEEP = 3600;
/** How many bytes a payload, and a reply, may have. */
const MAX_BYTES = 2 ** 22;
/** How many of its own events BullMQ keeps. Those of the end have the reply in them. */
const EVENTS = 100;
/** Seconds that an answer of the server may take, and that it is waited for a job at a time. */
const PATIENCE = 10;
const LONGEST_WAIT = 5;
/** Milliseconds until the connection is tried again: the first time, and the longest. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;
/** Milliseconds until a connection that does not end is cut off. */
const LONGEST_DISCONNECT = 50;
/** BullMQ takes 1 before 2, and what has none before all. */
const LOWEST_PRIORITY = 10;
/** BullMQ fails what was lost more often; a worker has its own limit. */
const MOST_STALLED = 1e6;

/** A job as BullMQ has it: as much as is read of it. */
interface JobRecord {
  readonly data: string;
  readonly attemptsMade?: number;
  readonly stalledCounter?: number;
  readonly progress?: unknown;
}

/** What is in a job of BullMQ. */
interface JobData {
  readonly caller: string;
  readonly payload: string;
}

/** What it knows a holding by. */
interface Holding {
  readonly token: string;
  readonly caller: string;
}

/** The connections, while it is open. */
interface Connections {
  readonly loop: PlatformLoop;
  readonly client: Redis;
  readonly backend: RedisQueueBackend;
  readonly queue: Queue;
}

/**
 * A broker that keeps its jobs in Redis, as BullMQ does: several machines use one server at once, and
 * BullMQ's own tools show the queue. How durable it is, is a matter of the server (`appendonly yes`).
 *
 * @permissions allow-net=<hostname>:<port>, allow-env
 *
 * @category Queues
 */
export class BullmqBroker implements JobBroker {
  /** How many bytes a payload, and a reply, may have. */
  readonly maxBytes: number = MAX_BYTES;
  /** Seconds that a worker holds a job without renewing it. */
  readonly lease: number;
  readonly #url: string;
  readonly #name: string;
  #connections: Connections | null = null;
  #subscriber: Redis | null = null;
  /** Resolves when replies are told; a job that is added before might end unheard. */
  #listening: Promise<unknown> | null = null;
  /** Waits for jobs on the server. */
  #waiting: Redis | null = null;
  #fetching: Task<void> | null = null;
  readonly #takers: Takers = new Takers();
  /** The signal of who has taken last: says whether there may be another taker. */
  #taking: AbortSignal | null = null;
  /** What came with the end of another job, for the next taker. */
  readonly #fetched: TakenJob[] = [];
  readonly #held: Map<string, Holding> = new Map();
  #checking: TimerHandle | null = null;
  readonly #checks: Set<Task<void>> = new Set();

  /**
   * Creates a broker; it connects when it is first used.
   *
   * @throws {TypeError} If an option is unknown or not of its type, or there is no URL.
   */
  constructor(options: BullmqBrokerOptions) {
    checkOptions("create a broker", options, BULLMQ_BROKER);
    if (options.url === undefined) {
      throw new TypeError('Cannot create a broker: option "url" is missing');
    }
    this.#url = options.url;
    this.#name = options.queue ?? "jobs";
    this.lease = options.lease ?? 10;
  }

  /** Connects. Fails if the server cannot be reached; afterwards the connection is kept up. */
  async open(loop: PlatformLoop): Promise<void> {
    if (this.#connections !== null) return;
    try {
      this.#connections = await this.#connect(loop);
    } catch (error) {
      throw isNotCapable(error) ? nameMissingFlag(error as Error, "open a queue") : error;
    }
  }

  /** Adds a job. */
  async add({ id, caller, priority, delay, payload }: JobOrder): Promise<void> {
    const { queue } = this.#open("add a job");
    await this.#listening;
    const data: JobData = { caller, payload: payload.toBase64() };
    await queue.add("job", data, {
      jobId: jobId(id),
      priority: LOWEST_PRIORITY - priority,
      ...(delay > 0 ? { delay: delay * 1000 } : {}),
    });
  }

  /** Tells `listener` of replies to `caller`. */
  onEvent(caller: string, listener: (event: JobEvent) => void): () => void {
    const { loop, client } = this.#open("listen for replies");
    const subscriber = this.#subscriber ??= client.duplicate();
    const onMessage = (_channel: Uint8Array, message: Uint8Array) => {
      loop.callSoonThreadsafe(() => listener(readEvent(message)));
    };
    subscriber.on("messageBuffer", onMessage);
    // Where that fails a caller looks once a second.
    this.#listening = connect(subscriber)
      .then(() => subscriber.subscribe(this.#channel(caller)))
      .catch(() => {});
    return () => subscriber.off("messageBuffer", onMessage);
  }

  /** Says where each of `ids` stands. */
  async lookUp(ids: readonly string[]): Promise<JobState[]> {
    const { client, backend } = this.#open("look up jobs");
    return await Promise.all(ids.map(async (id): Promise<JobState> => {
      const key = backend.toKey(jobId(id));
      const [[added, ended, reply], isLocked] = await Promise.all([
        client.hmget(key, "timestamp", "finishedOn", "returnvalue"),
        client.exists(`${key}:lock`),
      ]);
      if (typeof reply === "string" && ended !== null) {
        return { state: "done", reply: Uint8Array.fromBase64(JSON.parse(reply)) };
      }
      if (added === null || ended !== null) return { state: "unknown" };
      return { state: isLocked === 1 ? "running" : "waiting" };
    }));
  }

  /** Takes a job out that waits, and has the worker of one that runs told. */
  async cancel(id: string): Promise<void> {
    const { backend } = this.#open("cancel a job");
    if (await backend.remove(jobId(id), false) > 0) return;
    // It is locked. Its worker looks at that when it renews the lock.
    await unlessGone(() => backend.updateProgress(jobId(id), { cancelled: true }));
    // Unless it has ended in between.
    await backend.remove(jobId(id), false);
  }

  /** Lets go of a job. */
  async forget(id: string): Promise<void> {
    const { backend, client } = this.#open("forget a job");
    if (this.#held.delete(id)) await client.del(`${backend.toKey(jobId(id))}:lock`);
    await backend.remove(jobId(id), false);
  }

  /** How many jobs wait or run. */
  async size(): Promise<number> {
    const { queue } = this.#open("count jobs");
    return await queue.getJobCountByTypes("waiting", "prioritized", "delayed", "active");
  }

  /** Waits for a job, and takes it. */
  async take(signal: AbortSignal): Promise<TakenJob | null> {
    const { loop } = this.#open("take a job");
    this.#taking = signal;
    if (signal.aborted) return null;
    this.#checking ??= this.#check(loop);
    const fetched = this.#fetched.shift();
    if (fetched !== undefined) return fetched;
    return await this.#takers.wait(loop, signal, () => {
      this.#fetching ??= loop.createTask(() => this.#fetch());
    });
  }

  /** Holds a job for another lease. */
  async renew({ id, token }: TakenJob): Promise<"held" | "cancelled" | "lost"> {
    const { backend } = this.#open("renew a lease");
    const { token: lock } = token as Holding;
    const [held, wasCancelled] = await Promise.all([
      backend.extendLock(jobId(id), lock, this.lease * 1000),
      this.#isCancelled(id),
    ]);
    if (Number(held) !== 1) {
      this.#held.delete(id);
      return "lost";
    }
    return wasCancelled ? "cancelled" : "held";
  }

  /** The job is done. */
  async finish({ id, token }: TakenJob, reply: Uint8Array): Promise<void> {
    const { backend, client } = this.#open("finish a job");
    const { token: lock, caller } = token as Holding;
    const job = { id: jobId(id), opts: {} } as Parameters<typeof backend.moveToCompleted>[0];
    const keep = { age: KEEP };
    // BullMQ gives the next job with the answer, if somebody is going to take it.
    const isTaken = this.#taking?.aborted === false && this.#takers.size === 0;
    await unlessGone(async () => {
      const { result } = await backend.moveToCompleted(job, reply.toBase64(), keep, lock, isTaken);
      this.#held.delete(id);
      // Who misses it looks once a second; who has cancelled it does not listen.
      void client.publish(this.#channel(caller), writeEvent({ id, reply })).catch(() => {});
      // Asked before, a cancellation might come in between, and the job would stay.
      if (await this.#isCancelled(id)) await backend.remove(jobId(id), false);
      if (Array.isArray(result)) await this.#onFetched(result[0], result[1], lock);
    });
  }

  /** Gives a job back. One that has not failed was not tried. */
  async giveBack({ id, token }: TakenJob, delay: number, failed: boolean): Promise<void> {
    const { backend } = this.#open("give a job back");
    const { token: lock } = token as Holding;
    if (await this.#isCancelled(id)) return await this.forget(id);
    await unlessGone(async () => {
      if (delay === 0 && !failed) await backend.moveJobFromActiveToWait(jobId(id), lock);
      else {
        const ms = Math.max(1, Math.round(delay * 1000));
        const now = Math.round(wallTime() * 1000);
        await backend.moveToDelayed(jobId(id), now, ms, lock, { skipAttempt: !failed });
      }
    });
    this.#held.delete(id);
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    const connections = this.#connections;
    if (connections === null) return;
    this.#checking?.cancel();
    this.#checking = null;
    this.#takers.end();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) await disconnect(waiting);
    await this.#fetching?.catch(() => {});
    for (const check of this.#checks) await check.catch(() => {});
    for (const job of this.#fetched.splice(0)) await this.giveBack(job, 0, false).catch(() => {});
    this.#connections = null;
    await this.#listening;
    if (this.#subscriber !== null) await disconnect(this.#subscriber);
    this.#subscriber = null;
    this.#listening = null;
    await connections.queue.close().catch(() => {});
    await disconnect(connections.client);
  }

  /** Whether nobody wants a job any more. */
  async #isCancelled(id: string): Promise<boolean> {
    const { backend, client } = this.#open("look up a job");
    return isCancelled(JSON.parse(await client.hget(backend.toKey(jobId(id)), "progress") ?? "0"));
  }

  /** Loads BullMQ, and connects. */
  async #connect(loop: PlatformLoop): Promise<Connections> {
    const { Queue, Redis } = await load();
    const client = new Redis(this.#url, {
      lazyConnect: true,
      // What cannot be sent, or was sent and not answered, fails: whoever has asked asks again.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: PATIENCE * 1000,
      connectTimeout: PATIENCE * 1000,
      disconnectTimeout: LONGEST_DISCONNECT,
      retryStrategy: (times) => Math.min(FIRST_PAUSE * 2 ** times, LONGEST_PAUSE),
    });
    try {
      await connect(client);
      const milliseconds = this.lease * 1000;
      const settings = {
        connection: client,
        streams: { events: { maxLen: EVENTS } },
        // These are settings of a worker, which the backend has of its queue.
        lockDuration: milliseconds,
        stalledInterval: milliseconds / 2,
        maxStalledCount: MOST_STALLED,
      };
      const queue = new Queue(this.#name, settings);
      // Whoever has asked for something is told.
      queue.on("error", () => {});
      queue.setMaxListeners(0);
      await queue.waitUntilReady();
      return { loop, client, queue, backend: queue.getBackend() };
    } catch (error) {
      await disconnect(client);
      throw error;
    }
  }

  /** Gets jobs for those who wait for one. */
  async #fetch(): Promise<void> {
    const { backend, client } = this.#open("take a job");
    try {
      const waiting = this.#waiting ??= client.duplicate({ commandTimeout: undefined });
      if (waiting.status !== "ready") await connect(waiting);
      while (this.#takers.size > 0) {
        const lock = crypto.randomUUID();
        const [record, id, , due] = await backend.moveToActive(lock);
        if (record) {
          await this.#onFetched(record, id, lock);
          continue;
        }
        const seconds = due > 0 ? due / 1000 - wallTime() : LONGEST_WAIT;
        const found = await this.#wait(waiting, Math.min(Math.max(seconds, 0.002), LONGEST_WAIT));
        if (found === null || this.#takers.size > 0) continue;
        // Nobody waits here any more: somebody else is to be woken by it.
        const [, member, score] = found;
        await client.zadd(backend.keys["marker"] as string, score, member);
      }
    } catch (error) {
      this.#takers.fail(error as Error);
    } finally {
      this.#fetching = null;
    }
  }

  /** Waits until the server says that there may be a job. */
  async #wait(waiting: Redis, seconds: number): Promise<[string, string, string] | null> {
    const { loop, backend } = this.#open("take a job");
    // A server that stands still does not answer in time.
    const late = loop.callLater(seconds + PATIENCE, () => waiting.disconnect(true));
    try {
      return await waiting.bzpopmin(backend.keys["marker"] as string, seconds);
    } finally {
      late.cancel();
    }
  }

  /** A job came, which is held by `lock`. */
  async #onFetched(record: JobRecord | null, name: string, lock: string): Promise<void> {
    if (!record) return;
    const { caller, payload }: JobData = JSON.parse(record.data);
    const id = decodeURIComponent(name);
    const holding: Holding = { token: lock, caller };
    this.#held.set(id, holding);
    if (isCancelled(record.progress)) return await this.forget(id);
    const { attemptsMade: failures = 0, stalledCounter: losses = 0 } = record;
    const attempt = failures + losses + 1;
    const job = { id, payload: Uint8Array.fromBase64(payload), attempt, failures, token: holding };
    if (this.#takers.give(job)) return;
    if (this.#taking?.aborted === false) this.#fetched.push(job);
    else await this.giveBack(job, 0, false);
  }

  /** Looks twice in a lease for jobs whose workers were lost; the server sees to it that one looks. */
  #check(loop: PlatformLoop): TimerHandle {
    return loop.callLater(this.lease / 2, () => {
      const check = loop.createTask(async () => {
        // It cannot be reached: the next one looks.
        await this.#connections?.backend.moveStalledJobsToWait().catch(() => {});
      });
      this.#checks.add(check);
      check.addDoneCallback(() => this.#checks.delete(check));
      if (this.#checking !== null) this.#checking = this.#check(loop);
    });
  }

  /** The channel on which a caller is told. */
  #channel(caller: string): string {
    return `gyre:${this.#name}:${caller}`;
  }

  #open(action: string): Connections {
    if (this.#connections !== null) return this.#connections;
    throw new InvalidStateError(`Cannot ${action}: the broker is not open`);
  }
}

/** Returns the id of a job at BullMQ, which has no colons in it. */
function jobId(id: string): string {
  return encodeURIComponent(id);
}

/** Whether the progress of a job says that nobody wants it. */
function isCancelled(progress: unknown): boolean {
  return typeof progress === "object" && progress !== null && "cancelled" in progress;
}

/** Asks something of BullMQ about a job that may be gone, or held by another: BullMQ's errors have a code. */
async function unlessGone(request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== "number") throw error;
  }
}

/** Loads BullMQ. */
async function load(): Promise<{ Queue: typeof Queue; Redis: typeof Redis }> {
  try {
    const [{ Queue }, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { Queue, Redis };
  } catch (error) {
    // It lists the variables of the environment.
    throw isNotCapable(error) ? flagsMissing("open a queue", ["--allow-env"], error) : error;
  }
}

/** Connects a client. What it reports later is told to those who ask it for something. */
async function connect(client: Redis): Promise<void> {
  let cause: unknown;
  client.on("error", (error) => cause = error);
  try {
    await client.connect();
  } catch (error) {
    throw cause ?? error;
  }
}

/** Disconnects a client, and waits for the end of its socket. */
async function disconnect(client: Redis): Promise<void> {
  if (client.status === "end" || client.status === "wait") return;
  if (client.status === "reconnecting") {
    // There is no socket between two attempts, and no event of its end, but a timer all the same.
    client.disconnect();
    return await sleep(2 * LONGEST_DISCONNECT / 1000);
  }
  const ended = new Promise((resolve) => client.once("end", resolve));
  client.disconnect();
  await ended;
}

/** Writes the end of a job for its caller: the id, an empty byte, the reply. */
function writeEvent({ id, reply }: JobEvent): Buffer {
  return Buffer.concat([new TextEncoder().encode(`${id}\0`), reply]);
}

function readEvent(message: Uint8Array): JobEvent {
  const end = message.indexOf(0);
  return {
    id: new TextDecoder().decode(message.subarray(0, end)),
    reply: message.subarray(end + 1),
  };
}
