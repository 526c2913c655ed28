/**
 * A queue in NATS, by JetStream.
 *
 * *Theory of operation.* A queue is a stream. A job is a message, `<queue>.job.<priority>.<id>`, which the
 * stream takes only if it has none of that subject, and which leaves it when it is acknowledged. Each
 * priority that is in use has a consumer, whose `ack_wait` is the lease. A reply is a message too,
 * `<queue>.done.<caller>.<id>`, to which its caller is subscribed: JetStream keeps it for who has missed
 * it. Only a job that was given back or lost has a third one, `<queue>.note.0.<id>`, with who holds it and
 * how often it has failed: JetStream counts deliveries, and takes an acknowledgement from anybody.
 *
 * What is asked of JetStream is asked by requests of NATS, as its documentation has them.
 *
 * @module
 */
import type { Msg, MsgHdrs, NatsConnection, Subscription } from "@nats-io/transport-node";
import { isNotCapable, nameMissingFlag } from "../../loop/errors/deno_not_capable.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Task } from "../../loop/tasks/task.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { NATS_BROKER } from "./_nats_options.ts";
import type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";
import { Takers } from "./_takers.ts";
import { readTime, wallTime } from "./deno_wall_time.ts";

export type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";

/**
 * Where a {@linkcode NatsBroker} keeps its jobs.
 *
 * @category Queues
 */
export interface NatsBrokerOptions {
  /** The server, as `nats://127.0.0.1:4222`; with name and password. It runs with `--jetstream`. */
  url: string;
  /** The name of the queue. `"jobs"` by default. */
  queue?: string | undefined;
  /**
   * Seconds after which a worker that says nothing is taken for lost; 10 by default. JetStream has one
   * for a queue: that of who has opened it last.
   */
  lease?: number | undefined;
}

/** Seconds that a reply stays that nobody fetches. */
const KEEP = 3600;
/** Seconds that a reply stays that a caller may have read already: it looks once a second. */
const UNREAD = 3;
/** How many attempts to take a job go by until old replies are removed. */
const SWEEP_EVERY = 256;
/** How many bytes a message may have by default, and what a job may need besides its payload. */
const USUAL_PAYLOAD = 2 ** 20;
const MARGIN = 2 ** 10;
/** Seconds that an answer of the server may take, and that it is asked for a job at a time. */
const PATIENCE = 5;
const LONGEST_WAIT = 5;
/** Milliseconds between two attempts to connect again. */
const PAUSE = 250;
/** How many own orders it is remembered of which message they are. */
const MOST_ORDERS = 10_000;

/** What JetStream answers when a stream has a message of the subject, and when a message is not there. */
const HAS_ONE = 10071;
const HAS_NONE = [10037];
const IS_GONE = [10043, 10057];
/** The status of a message that is not there. */
const NOT_FOUND = 404;

/** What is known of a job that was given back or lost. */
interface Note {
  /** The delivery that holds it. */
  readonly holder: number;
  /** How often it has failed, and how often it was given back without. */
  readonly failures: number;
  readonly returns: number;
}

/** What a job is held by. */
interface Holding {
  /** Where it is acknowledged. */
  readonly ack: string;
  readonly subject: string;
  readonly caller: string;
  readonly delivery: number;
  readonly note: Note;
  /** When it was certain that it is held, by the clock of the loop; not when a request has failed since. */
  seen: number;
  /** Whether it was heard that nobody wants it. */
  isCancelled: boolean;
  /** Whether it was tried already to say that it is done. */
  isRetried: boolean;
}

/** A consumer was asked for a job. */
interface Question {
  readonly late: TimerHandle;
  /** When, by the clock of the loop: no job of the answer was delivered before. */
  readonly since: number;
}

/** A job came. */
interface Arrival {
  readonly message: Msg;
  readonly since: number;
}

/** The connection, while it is open. */
interface Connection {
  readonly loop: PlatformLoop;
  readonly nats: NatsConnection;
  /** Where jobs are delivered to, with the priority behind. */
  readonly inbox: string;
  /** Has a message taken only if there is none of its subject. */
  readonly ifNone: MsgHdrs;
}

/**
 * A broker that keeps its jobs in a stream of NATS JetStream: several machines use one server, or one
 * cluster, at once.
 *
 * @permissions allow-net=<hostname>:<port>
 *
 * @category Queues
 */
export class NatsBroker implements JobBroker {
  /** Seconds that a worker holds a job without renewing it. */
  readonly lease: number;
  readonly #url: string;
  readonly #prefix: string;
  readonly #stream: string;
  #connection: Connection | null = null;
  #caller = "";
  /** The priorities whose consumer is there, highest first. */
  #priorities: number[] = [];
  /** Which messages own orders are. */
  readonly #orders: Map<string, number> = new Map();
  /** What is asked of consumers, by priority, until it is given up. */
  readonly #asked: Map<number, Question> = new Map();
  /** Jobs that came, and are not taken yet. */
  readonly #arrived: Arrival[] = [];
  /** Resolves when a consumer has answered. */
  #answer: Future<void> | null = null;
  readonly #takers: Takers = new Takers();
  #fetching: Task<void> | null = null;
  readonly #held: Map<string, Holding> = new Map();
  /** Replies that are to be removed. */
  readonly #dropped: Map<string, TimerHandle> = new Map();
  #countdown = 0;
  #isConnected = false;

  /**
   * Creates a broker; it connects when it is first used.
   *
   * @throws {TypeError} If an option is unknown or not of its type, or there is no URL.
   */
  constructor(options: NatsBrokerOptions) {
    checkOptions("create a broker", options, NATS_BROKER);
    if (options.url === undefined) {
      throw new TypeError('Cannot create a broker: option "url" is missing');
    }
    const queue = token(options.queue ?? "jobs");
    this.#url = options.url;
    this.#prefix = `gyre.${queue}`;
    this.#stream = `gyre-${queue}`;
    this.lease = options.lease ?? 10;
  }

  /** How many bytes a payload, and a reply, may have: what the server takes, by default a mebibyte. */
  get maxBytes(): number {
    return (this.#connection?.nats.info?.max_payload ?? USUAL_PAYLOAD) - MARGIN;
  }

  /** Connects. Fails if the server cannot be reached; afterwards the connection is kept up. */
  async open(loop: PlatformLoop): Promise<void> {
    if (this.#connection !== null) return;
    const { connect, createInbox, headers } = await import("@nats-io/transport-node");
    let nats: NatsConnection;
    try {
      nats = await connect({
        servers: this.#url,
        timeout: PATIENCE * 1000,
        maxReconnectAttempts: -1,
        reconnectTimeWait: PAUSE,
        reconnectJitter: PAUSE / 4,
      });
    } catch (error) {
      const reason = (error as Error).cause ?? error;
      throw isNotCapable(reason) ? nameMissingFlag(reason as Error, "open a queue") : reason;
    }
    const inbox = createInbox();
    const ifNone = headers();
    ifNone.set("Nats-Expected-Last-Subject-Sequence", "0");
    this.#connection = { loop, nats, inbox, ifNone };
    this.#isConnected = true;
    void this.#follow(nats);
    try {
      await this.#ask(`STREAM.CREATE.${this.#stream}`, {
        name: this.#stream,
        subjects: ["job", "done", "note"].map((kind) => `${this.#prefix}.${kind}.*.*`),
        // A message is gone with its acknowledgement; one without a consumer is removed by its subject.
        retention: "workqueue",
        max_msgs_per_subject: 1,
        allow_direct: true,
        storage: "file",
      });
      await this.#addPriority(0);
    } catch (error) {
      this.#connection = null;
      await nats.close();
      throw error;
    }
    const listen = (subject: string, listener: (message: Msg) => void) => {
      const callback = (_error: unknown, message: Msg) => {
        if (this.#connection !== null) loop.callSoonThreadsafe(() => listener(message));
      };
      nats.subscribe(subject, { callback });
    };
    listen(`${inbox}.*`, (message) => this.#onDelivery(message));
    listen(`${this.#prefix}.priority`, (message) => {
      this.#notePriority(Number(message.string()));
      this.#wake();
    });
    listen(`${this.#prefix}.cancel`, (message) => {
      const holding = this.#held.get(message.string());
      if (holding !== undefined) holding.isCancelled = true;
    });
  }

  /** Adds a job. */
  async add({ id, caller, priority, delay, payload }: JobOrder): Promise<void> {
    const { nats, ifNone } = this.#open("add a job");
    if (payload.length > this.maxBytes) {
      throw new RangeError(
        `Cannot add a job: it takes ${payload.length} bytes, and may take ${this.maxBytes}`,
      );
    }
    if (!this.#priorities.includes(priority)) {
      await this.#addPriority(priority);
      // Who waits for jobs waits for those, too.
      nats.publish(`${this.#prefix}.priority`, String(priority));
    }
    // One that has ended, or has another priority, has another subject.
    if (id.startsWith("key-") && await this.#find(id) !== null) return;
    const subject = this.#subject("job", String(priority), id);
    const message = frame(`${caller} ${delay}`, payload);
    const { error, seq } = await this.#request(subject, message, ifNone);
    if (error !== undefined && error.err_code !== HAS_ONE) throw new Error(error.description);
    if (seq === undefined) return;
    this.#orders.set(id, seq);
    for (const [oldest] of this.#orders) {
      if (this.#orders.size <= MOST_ORDERS) break;
      this.#orders.delete(oldest);
    }
  }

  /** Tells `listener` of replies to `caller`. */
  onEvent(caller: string, listener: (event: JobEvent) => void): () => void {
    const { nats, loop } = this.#open("listen for replies");
    this.#caller = caller;
    const subscription: Subscription = nats.subscribe(this.#subject("done", caller, "*"), {
      callback: (_error, { subject, data }) => {
        const id = idOf(subject);
        loop.callSoonThreadsafe(() => listener({ id, reply: data }));
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Says where each of `ids` stands. JetStream does not say which jobs run: they wait as well. */
  async lookUp(ids: readonly string[]): Promise<JobState[]> {
    const subjects = new Map<string, string>();
    for (const subject of await this.#subjects(`${this.#prefix}.>`)) {
      if (kindOf(subject) !== "note") subjects.set(idOf(subject), subject);
    }
    return await Promise.all(ids.map(async (id): Promise<JobState> => {
      const subject = subjects.get(id);
      if (subject === undefined) return { state: "unknown" };
      if (kindOf(subject) === "job") return { state: "waiting" };
      const reply = await this.#get(subject);
      return reply === null ? { state: "unknown" } : { state: "done", reply };
    }));
  }

  /** Takes a job out that waits, and has the worker of one that runs told. */
  async cancel(id: string): Promise<void> {
    this.#orders.delete(id);
    // Its worker is told, and finds that it is gone when it renews the lease.
    this.#open("cancel a job").nats.publish(`${this.#prefix}.cancel`, id);
    for (const subject of await this.#subjects(this.#subject("*", "*", id))) {
      await (kindOf(subject) === "job" ? this.#removeJob(subject) : this.#remove(subject));
    }
  }

  /** Lets go of a job. */
  async forget(id: string): Promise<void> {
    const holding = this.#held.get(id);
    if (holding !== undefined) this.#acknowledge(id, holding, "+TERM");
    const sequence = this.#orders.get(id);
    if (sequence === undefined || holding !== undefined) return await this.cancel(id);
    // The acknowledgement of the job may have been lost.
    // It goes first: who says later that it is done finds it gone.
    await Promise.all([
      this.#delete(sequence),
      this.#remove(this.#subject("done", this.#caller, id)),
    ]);
    this.#orders.delete(id);
  }

  /** How many jobs wait or run. */
  async size(): Promise<number> {
    return (await this.#subjects(this.#subject("job", "*", "*"))).length;
  }

  /** Waits for a job, and takes it. */
  async take(signal: AbortSignal): Promise<TakenJob | null> {
    const { loop } = this.#open("take a job");
    if (signal.aborted) return null;
    return await this.#takers.wait(loop, signal, () => {
      this.#fetching ??= loop.createTask(() => this.#fetch(loop));
    });
  }

  /** Holds a job for another lease. */
  async renew({ id, token }: TakenJob): Promise<"held" | "cancelled" | "lost"> {
    const { loop, nats } = this.#open("renew a lease");
    const holding = token as Holding;
    const begin = loop.time();
    const [job, note] = await Promise.all([
      this.#get(holding.subject),
      this.#get(this.#subject("note", "0", id)),
    ]);
    if (job === null) return "cancelled";
    if (note !== null && readNote(note).holder !== holding.delivery) {
      this.#held.delete(id);
      return "lost";
    }
    nats.publish(holding.ack, "+WPI");
    holding.seen = begin;
    return "held";
  }

  /** The job is done. */
  async finish(job: TakenJob, reply: Uint8Array): Promise<void> {
    const { id } = job;
    const holding = job.token as Holding;
    const { isRetried } = holding;
    holding.isRetried = true;
    // Who had a job before that was delivered again may have ended it meanwhile.
    let isChecked = holding.delivery === 1;
    while (!isChecked || !this.#isCertain(holding)) {
      const state = await this.renew(job);
      // Nobody holds it: it has ended.
      if (state === "cancelled") await this.#remove(this.#subject("note", "0", id));
      if (state !== "held") return;
      isChecked = true;
    }
    if (holding.isCancelled) return await this.forget(id);
    holding.seen = -Infinity;
    const { error } = await this.#request(this.#subject("done", holding.caller, id), reply);
    if (error !== undefined) throw new Error(error.description);
    if (holding.isCancelled) return await this.forget(id);
    const isDoubtful = isRetried || holding.delivery > 1;
    if (isDoubtful && await this.#get(holding.subject) === null) {
      this.#drop(id, holding);
      return await this.#remove(this.#subject("note", "0", id));
    }
    if (holding.delivery > 1) await this.#remove(this.#subject("note", "0", id));
    this.#acknowledge(id, holding, "+ACK");
  }

  /** Gives a job back. One that has not failed was not tried. */
  async giveBack(job: TakenJob, delay: number, failed: boolean): Promise<void> {
    const { id } = job;
    const holding = job.token as Holding;
    const state = await this.renew(job);
    if (state === "cancelled") return await this.forget(id);
    if (state === "lost") return;
    const { failures, returns, holder } = holding.note;
    const note = failed ? { failures: failures + 1, returns } : { failures, returns: returns + 1 };
    await this.#writeNote(id, { holder, ...note });
    this.#acknowledge(id, holding, nak(delay));
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    if (this.#connection === null) return;
    const { nats } = this.#connection;
    this.#takers.end();
    this.#giveUp();
    await this.#fetching?.catch(() => {});
    for (const [subject, timer] of this.#dropped) {
      timer.cancel();
      if (this.#isConnected) await this.#remove(subject).catch(() => {});
    }
    this.#dropped.clear();
    // What was acknowledged last is to arrive.
    if (this.#isConnected) await nats.flush().catch(() => {});
    this.#connection = null;
    await nats.close();
  }

  /** Gets jobs for those who wait for one. */
  async #fetch(loop: PlatformLoop): Promise<void> {
    try {
      while (this.#takers.size > 0) {
        if (this.#countdown === 0) await this.#sweep();
        this.#countdown = (this.#countdown + 1) % SWEEP_EVERY;
        const arrival = this.#arrived.shift();
        if (arrival !== undefined) await this.#onJob(arrival);
        else await this.#pull(loop);
      }
    } catch (error) {
      this.#takers.fail(error as Error);
    } finally {
      this.#fetching = null;
      for (const { message } of this.#arrived.splice(0)) message.respond("-NAK");
    }
  }

  /** Waits until a job has arrived, or it is time to ask anew. */
  async #pull(loop: PlatformLoop): Promise<void> {
    // Where more than one may have a job, the highest is asked first. Who was asked already has none.
    if (this.#priorities.length > 1) {
      for (const priority of this.#priorities) {
        if (this.#asked.has(priority)) continue;
        this.#askFor(loop, priority, 0);
        while (this.#asked.has(priority)) await this.#answered(loop);
        if (this.#arrived.length > 0) return;
      }
    }
    for (const priority of this.#priorities) {
      if (!this.#asked.has(priority)) this.#askFor(loop, priority, LONGEST_WAIT);
    }
    if (this.#takers.size > 0) await this.#answered(loop);
  }

  /** Asks a consumer for a job, for so many seconds. */
  #askFor(loop: PlatformLoop, priority: number, seconds: number): void {
    const { nats, inbox } = this.#open("take a job");
    // A question may be lost with its connection.
    const late = loop.callLater(seconds + 1, () => this.#onAnswer(priority, null));
    this.#asked.set(priority, { late, since: loop.time() });
    const wish = seconds === 0
      ? { batch: 1, no_wait: true }
      : { batch: 1, expires: nanoseconds(seconds) };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.priority-${priority}`;
    nats.publish(subject, JSON.stringify(wish), { reply: `${inbox}.${priority}` });
  }

  async #answered(loop: PlatformLoop): Promise<void> {
    await (this.#answer = loop.createFuture());
  }

  #onAnswer(priority: number, message: Msg | null): void {
    const question = this.#asked.get(priority);
    question?.late.cancel();
    this.#asked.delete(priority);
    if (message !== null) {
      this.#arrived.push({ message, since: question?.since ?? -Infinity });
      this.#arrived.sort((one, other) => priorityOf(other.message) - priorityOf(one.message));
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#answer?.done() === false) this.#answer.setResult();
  }

  /** Asks nobody any more: those who were asked are gone, or are not to answer. */
  #giveUp(): void {
    for (const { late } of this.#asked.values()) late.cancel();
    this.#asked.clear();
    this.#wake();
  }

  /** A consumer answers: with a job, or with a status that there is none. */
  #onDelivery(message: Msg): void {
    const isJob = message.headers === undefined || message.headers.code === 0;
    if (!isJob) this.#onAnswer(Number(message.subject.split(".").at(-1)), null);
    // Nobody waits for it any more.
    else if (this.#fetching === null) message.respond("-NAK");
    else this.#onAnswer(priorityOf(message), message);
  }

  /** A job came. */
  async #onJob({ message, since }: Arrival): Promise<void> {
    const { subject, data, reply = "" } = message;
    const [heading, payload] = unframe(data);
    const [caller = "", delay = "0"] = heading.split(" ");
    const { delivery, time } = readDelivery(reply);
    const id = idOf(subject);
    const remaining = time + Number(delay) - wallTime();
    if (delivery === 1 && remaining > 0) return void message.respond(nak(remaining));
    let note: Note = { holder: delivery, failures: 0, returns: 0 };
    if (delivery > 1) {
      const [before, reply] = await Promise.all([
        this.#get(this.#subject("note", "0", id)),
        this.#get(this.#subject("done", caller, id)),
      ]);
      // It is done; that was not heard of.
      if (reply !== null) {
        await this.#remove(this.#subject("note", "0", id));
        return void message.respond("+ACK");
      }
      if (before !== null) note = { ...readNote(before), holder: delivery };
      await this.#writeNote(id, note);
    }
    const { failures, returns } = note;
    const waits = Number(delay) > 0 ? 1 : 0;
    const attempt = Math.max(1, delivery - returns - waits);
    const holding: Holding = {
      ack: reply,
      subject,
      caller,
      delivery,
      note,
      seen: since,
      isCancelled: false,
      isRetried: false,
    };
    this.#held.set(id, holding);
    const job: TakenJob = { id, payload, attempt, failures, token: holding };
    if (this.#takers.give(job)) return;
    await this.giveBack(job, 0, false);
  }

  /** Whether nobody else can hold a job by now, nor before an answer that is sent now arrives. */
  #isCertain({ seen }: Holding): boolean {
    return this.#open("finish a job").loop.time() - seen < this.lease / 2;
  }

  /** Says what becomes of a job that is held, and holds it no more. */
  #acknowledge(id: string, { ack }: Holding, what: string): void {
    this.#held.delete(id);
    this.#connection?.nats.publish(ack, what);
  }

  async #writeNote(id: string, note: Note): Promise<void> {
    const subject = this.#subject("note", "0", id);
    const { error } = await this.#request(subject, new TextEncoder().encode(JSON.stringify(note)));
    if (error !== undefined) throw new Error(error.description);
  }

  /**
   * Removes a reply in a while: the job had ended already, and its caller may have read another reply, or
   * is about to read this one.
   */
  #drop(id: string, { caller }: Holding): void {
    this.#held.delete(id);
    // What has a key stays.
    if (id.startsWith("key-")) return;
    const { loop } = this.#open("drop a reply");
    const subject = this.#subject("done", caller, id);
    this.#dropped.get(subject)?.cancel();
    const drop = () => {
      this.#dropped.delete(subject);
      void this.#remove(subject).catch(() => {});
    };
    this.#dropped.set(subject, loop.callLater(UNREAD, drop));
  }

  /** Removes replies that nobody has fetched for long. */
  async #sweep(): Promise<void> {
    for (;;) {
      const { message } = await this.#ask<{ message?: { seq: number; time: string } }>(
        `STREAM.MSG.GET.${this.#stream}`,
        { seq: 1, next_by_subj: this.#subject("done", "*", "*") },
        HAS_NONE,
      );
      if (message === undefined || readTime(message.time) > wallTime() - KEEP) return;
      await this.#delete(message.seq);
    }
  }

  /** Creates the consumer of a priority, unless it is there. */
  async #addPriority(priority: number): Promise<void> {
    const name = `priority-${priority}`;
    await this.#ask(`CONSUMER.DURABLE.CREATE.${this.#stream}.${name}`, {
      stream_name: this.#stream,
      config: {
        durable_name: name,
        filter_subject: this.#subject("job", String(priority), "*"),
        ack_policy: "explicit",
        ack_wait: nanoseconds(this.lease),
        deliver_policy: "all",
        max_deliver: -1,
        max_ack_pending: -1,
        max_waiting: 4096,
      },
    });
    if (this.#priorities.length === 0) {
      // Others may have made more of them.
      const { consumers = [] } = await this.#ask<{ consumers?: string[] }>(
        `CONSUMER.NAMES.${this.#stream}`,
        {},
      );
      for (const each of consumers) this.#notePriority(Number(each.slice("priority-".length)));
    }
    this.#notePriority(priority);
  }

  #notePriority(priority: number): void {
    if (this.#priorities.includes(priority)) return;
    this.#priorities = [...this.#priorities, priority].sort((one, other) => other - one);
  }

  /** Gives up what was asked of a server that is gone. */
  async #follow(nats: NatsConnection): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === "reconnect") this.#isConnected = true;
      if (type !== "disconnect") continue;
      this.#isConnected = false;
      this.#connection?.loop.callSoonThreadsafe(() => this.#giveUp());
    }
  }

  /** Returns the subject of a job or a reply, if there is one. */
  async #find(id: string): Promise<string | null> {
    const subjects = await this.#subjects(this.#subject("*", "*", id));
    return subjects.find((subject) => kindOf(subject) !== "note") ?? null;
  }

  /** Returns the subjects in the stream that match. */
  async #subjects(filter: string): Promise<string[]> {
    const found: string[] = [];
    for (;;) {
      const request = { subjects_filter: filter, offset: found.length };
      const { state, total } = await this.#ask<
        { state: { subjects?: Record<string, number> }; total?: number }
      >(`STREAM.INFO.${this.#stream}`, request);
      const page = Object.keys(state.subjects ?? {});
      found.push(...page);
      if (page.length === 0 || found.length >= (total ?? 0)) return found;
    }
  }

  /** Returns the message of a subject, if there is one. */
  async #get(subject: string): Promise<Uint8Array | null> {
    const { nats } = this.#open("read a message");
    const request = JSON.stringify({ last_by_subj: subject });
    const options = { timeout: PATIENCE * 1000 };
    const message = await nats.request(`$JS.API.DIRECT.GET.${this.#stream}`, request, options);
    const code = message.headers?.code ?? 0;
    if (code === NOT_FOUND) return null;
    if (code !== 0) throw new Error(message.headers?.description);
    return message.data;
  }

  /**
   * Removes a job. By its number: a consumer whose subjects are purged forgets what it has delivered, and
   * the jobs that run are lost (NATS 2.9).
   */
  async #removeJob(subject: string): Promise<void> {
    const { message } = await this.#ask<{ message?: { seq: number } }>(
      `STREAM.MSG.GET.${this.#stream}`,
      { last_by_subj: subject },
      HAS_NONE,
    );
    if (message !== undefined) await this.#delete(message.seq);
  }

  /** Deletes a message, if it is there. */
  async #delete(sequence: number): Promise<void> {
    const request = { seq: sequence, no_erase: true };
    await this.#ask(`STREAM.MSG.DELETE.${this.#stream}`, request, IS_GONE);
  }

  /** Removes what is of a subject, but no jobs. */
  async #remove(subject: string): Promise<void> {
    await this.#ask(`STREAM.PURGE.${this.#stream}`, { filter: subject });
  }

  /** Asks something of JetStream. An error of `accepted` is none. */
  async #ask<T>(what: string, request: object, accepted: readonly number[] = []): Promise<T> {
    const body = new TextEncoder().encode(JSON.stringify(request));
    const answer = await this.#request(`$JS.API.${what}`, body);
    if (answer.error !== undefined && !accepted.includes(answer.error.err_code)) {
      throw new Error(`Cannot ask for ${what}: ${answer.error.description}`);
    }
    return answer as T;
  }

  async #request(
    subject: string,
    body: Uint8Array,
    headers?: MsgHdrs,
  ): Promise<{ error?: ApiError; seq?: number }> {
    const { nats } = this.#open("ask a server");
    const timeout = PATIENCE * 1000;
    const options = headers === undefined ? { timeout } : { timeout, headers };
    return (await nats.request(subject, body, options)).json();
  }

  #subject(kind: string, middle: string, id: string): string {
    return `${this.#prefix}.${kind}.${middle}.${id === "*" ? id : token(id)}`;
  }

  #open(action: string): Connection {
    if (this.#connection !== null) return this.#connection;
    throw new InvalidStateError(`Cannot ${action}: the broker is not open`);
  }
}

/** An error of JetStream. */
interface ApiError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

/** Returns `text` as a part of a subject: without dots, stars and spaces. */
function token(text: string): string {
  return encodeURIComponent(text).replaceAll(".", "%2E").replaceAll("*", "%2A");
}

function idOf(subject: string): string {
  return decodeURIComponent(subject.slice(subject.lastIndexOf(".") + 1));
}

function priorityOf({ subject }: Msg): number {
  return Number(subject.split(".")[3]);
}

function kindOf(subject: string): string {
  return subject.split(".")[2] ?? "";
}

function nanoseconds(seconds: number): number {
  return Math.round(seconds * 1e9);
}

/** Hands a job back, to be delivered again after so many seconds. */
function nak(seconds: number): string {
  return `-NAK {"delay": ${nanoseconds(seconds)}}`;
}

/** What the subject of an acknowledgement says: the how manieth delivery it is, and when it was added. */
function readDelivery(ack: string): { delivery: number; time: number } {
  const parts = ack.split(".");
  // $JS.ACK, perhaps a domain and an account, stream, consumer, and five numbers.
  const first = parts.length === 9 ? 4 : 6;
  return { delivery: Number(parts[first]), time: Number(parts[first + 3]) / 1e9 };
}

function readNote(bytes: Uint8Array): Note {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Writes a line before bytes. */
function frame(heading: string, bytes: Uint8Array): Uint8Array {
  const line = new TextEncoder().encode(`${heading}\n`);
  const framed = new Uint8Array(line.length + bytes.length);
  framed.set(line);
  framed.set(bytes, line.length);
  return framed;
}

function unframe(framed: Uint8Array): [heading: string, bytes: Uint8Array] {
  const end = framed.indexOf(10);
  return [new TextDecoder().decode(framed.subarray(0, end)), framed.subarray(end + 1)];
}
