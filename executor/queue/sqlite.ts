/**
 * A queue in a file, for the processes of one machine, without a server.
 *
 * @module
 */
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { sleep } from "../../loop/structure/sleep.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { SQLITE_BROKER } from "./_options.ts";
import { callRoughly } from "./deno_rough_timer.ts";
import { isLocked, JobFile, type Queries } from "./sqlite_file.ts";
import type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";

export type { JobBroker, JobEvent, JobOrder, JobState, TakenJob } from "./broker.ts";

/**
 * Where a {@linkcode SqliteBroker} keeps its jobs.
 *
 * @category Queues
 */
export interface SqliteBrokerOptions {
  /** The file. It is created where there is none, with two more beside it while it is open. */
  path: string;
  /** The name of the queue; several may be in one file. `"jobs"` by default. */
  queue?: string | undefined;
  /** Seconds after which a worker that says nothing is taken for lost; 10 by default. */
  lease?: number | undefined;
}

/** Seconds between two looks at the file: the first after something has changed, and the longest. */
const FIRST_LOOK = 0.001;
const LONGEST_LOOK = 0.02;
/** Seconds that it is tried to open a file that others are opening. */
const LONGEST_OPENING = 5;
/** How many attempts to take a job go by until old replies are removed. */
const SWEEP_EVERY = 256;
/** How many replies are read at once. */
const MOST_REPLIES = 500;
/** How many bytes a job may have. */
const MAX_BYTES = 2 ** 26;

/**
 * A broker that keeps its jobs in a SQLite file. Several processes of one machine use one file at once;
 * it is durable against the end of any of them, and, but for the last moments, of the machine.
 *
 * Nobody tells a process of what another has written: it looks, every 1 to 20 milliseconds.
 *
 * @permissions allow-read=<path>, allow-write=<path>
 *
 * @category Queues
 */
export class SqliteBroker implements JobBroker {
  /** How many bytes a payload, and a reply, may have. */
  readonly maxBytes: number = MAX_BYTES;
  /** Seconds that a worker holds a job without renewing it. */
  readonly lease: number;
  readonly #path: string;
  readonly #queue: string;
  #open: { readonly loop: PlatformLoop; readonly file: JobFile } | null = null;
  /** What looks at the file again and again. */
  readonly #looks: Set<Look> = new Set();
  /** How many more attempts to take a job until old replies are removed. */
  #countdown = 0;

  /**
   * Creates a broker; the file is opened when it is first used.
   *
   * @throws {TypeError} If an option is unknown or not of its type, or there is no path.
   */
  constructor(options: SqliteBrokerOptions) {
    checkOptions("create a broker", options, SQLITE_BROKER);
    if (options.path === undefined) {
      throw new TypeError('Cannot create a broker: option "path" is missing');
    }
    this.#path = options.path;
    this.#queue = options.queue ?? "jobs";
    this.lease = options.lease ?? 10;
  }

  /** Opens the file. */
  async open(loop: PlatformLoop): Promise<void> {
    const deadline = loop.time() + LONGEST_OPENING;
    while (this.#open === null) {
      try {
        this.#open = { loop, file: new JobFile(loop, this.#path) };
      } catch (error) {
        // Who else opens it at the same time sets it up.
        if (!isLocked(error) || loop.time() > deadline) throw error;
        await sleep(LONGEST_LOOK);
      }
    }
  }

  /** Adds a job. */
  async add({ id, caller, priority, delay, payload }: JobOrder): Promise<void> {
    const state = delay > 0 ? "delayed" : "waiting";
    await this.#write("add a job", ({ add }) => {
      add.run(this.#queue, id, caller, priority, state, delay, payload);
    });
    for (const look of this.#looks) look.hurry();
  }

  /** Tells `listener` of replies to `caller`. */
  onEvent(caller: string, listener: (event: JobEvent) => void): () => void {
    const { loop, file } = this.#opened("listen for replies");
    // Those with a key stay when they were read. When the clock is set back, some are missed.
    let newest = 0;
    let told: ReadonlySet<string> = new Set();
    const look = new Look(loop, () => {
      const rows = file.read(({ replies }) =>
        replies.all(this.#queue, caller, newest, MOST_REPLIES)
      ) as unknown as (JobEvent & { due: number })[];
      const fresh = rows.filter(({ id }) => !told.has(id));
      newest = rows.at(-1)?.due ?? newest;
      told = new Set(rows.filter(({ due }) => due === newest).map(({ id }) => id));
      for (const { id, reply } of fresh) listener({ id, reply });
      return fresh.length > 0;
    });
    this.#looks.add(look);
    return () => {
      look.stop();
      this.#looks.delete(look);
    };
  }

  /** Says where each of `ids` stands. */
  // deno-lint-ignore require-await -- What it throws is to reject, here and below.
  async lookUp(ids: readonly string[]): Promise<JobState[]> {
    const { file } = this.#opened("look up jobs");
    return file.read(({ lookUp }) =>
      ids.map((id) => {
        const row = lookUp.get(this.#queue, id) as { state: string; reply: Uint8Array } | undefined;
        if (row === undefined) return { state: "unknown" };
        return (row.state === "delayed" ? { state: "waiting" } : row) as JobState;
      })
    );
  }

  /** Takes a job out that waits, and has the worker of one that runs told. */
  async cancel(id: string): Promise<void> {
    await this.#write("cancel a job", ({ removeWaiting, cancelRunning }) => {
      removeWaiting.run(this.#queue, id);
      cancelRunning.run(this.#queue, id);
    });
  }

  /** Lets go of a job. */
  async forget(id: string): Promise<void> {
    await this.#write("forget a job", ({ remove }) => remove.run(this.#queue, id));
  }

  /** How many jobs wait or run. */
  // deno-lint-ignore require-await -- As above.
  async size(): Promise<number> {
    const { file } = this.#opened("count jobs");
    return file.read(({ size }) => Number(size.get(this.#queue)?.["size"]));
  }

  /** Waits for a job, and takes it. */
  async take(signal: AbortSignal): Promise<TakenJob | null> {
    const { loop } = this.#opened("take a job");
    let job: TakenJob | null = null;
    let pause = FIRST_LOOK;
    while (!signal.aborted) {
      job = await this.#takeNow();
      if (job !== null || signal.aborted) break;
      await pauseFor(loop, pause, signal);
      pause = Math.min(1.5 * pause, LONGEST_LOOK);
    }
    return job;
  }

  /** Holds a job for another lease. */
  async renew({ id, token }: TakenJob): Promise<"held" | "cancelled" | "lost"> {
    const row = await this.#write(
      "renew a lease",
      ({ renew }) => renew.get(this.lease, this.#queue, id, token as number),
    );
    if (row === undefined) return "lost";
    return row["cancelled"] === 1 ? "cancelled" : "held";
  }

  /** The job is done. */
  async finish({ id, token }: TakenJob, reply: Uint8Array): Promise<void> {
    const held = [this.#queue, id, token as number] as const;
    await this.#write("finish a job", ({ dropCancelled, finish }) => {
      dropCancelled.run(...held);
      finish.run(reply, ...held);
    });
  }

  /** Gives a job back. One that has not failed was not tried. */
  async giveBack({ id, token }: TakenJob, delay: number, failed: boolean): Promise<void> {
    const held = [this.#queue, id, token as number] as const;
    const [failures, untried] = failed ? [1, 0] : [0, 1];
    await this.#write("give a job back", ({ dropCancelled, giveBack }) => {
      dropCancelled.run(...held);
      giveBack.run(delay > 0 ? "delayed" : "waiting", delay, failures, untried, ...held);
    });
  }

  /** Closes the file. */
  // deno-lint-ignore require-await -- As above.
  async close(): Promise<void> {
    for (const look of this.#looks) look.stop();
    this.#looks.clear();
    this.#open?.file.close();
    this.#open = null;
  }

  async #takeNow(): Promise<TakenJob | null> {
    const { file } = this.#opened("take a job");
    const isSwept = this.#countdown === 0;
    this.#countdown = (this.#countdown + 1) % SWEEP_EVERY;
    // What writes, if only nothing, keeps others from writing.
    const found = file.read(({ peek }) => peek.get(this.#queue));
    const isDue = found?.["due"] === 1;
    if (found?.["waiting"] !== 1 && !isDue && !isSwept) return null;
    const row = await file.write(({ sweep, dropLost, wake, take }) => {
      if (isSwept) sweep.run(this.#queue);
      if (isDue) { for (const query of [dropLost, wake]) query.run(this.#queue); }
      return take.get(this.lease, this.#queue);
    }) as unknown as TakenJob | undefined;
    return row === undefined ? null : { ...row, token: row.attempt };
  }

  // deno-lint-ignore require-await -- As above.
  async #write<T>(action: string, work: (queries: Queries) => T): Promise<T> {
    return this.#opened(action).file.write(work);
  }

  #opened(action: string): { readonly loop: PlatformLoop; readonly file: JobFile } {
    if (this.#open !== null) return this.#open;
    throw new InvalidStateError(`Cannot ${action}: the broker is not open`);
  }
}

/** Something that looks at the file again and again, soon after it has found something. */
class Look {
  readonly #loop: PlatformLoop;
  readonly #work: () => boolean;
  #pause = FIRST_LOOK;
  #cancel: () => void;

  constructor(loop: PlatformLoop, work: () => boolean) {
    this.#loop = loop;
    this.#work = work;
    this.#cancel = this.#later();
  }

  /** Looks soon: something is going to change. */
  hurry(): void {
    if (this.#pause === FIRST_LOOK) return;
    this.#pause = FIRST_LOOK;
    this.#cancel();
    this.#cancel = this.#later();
  }

  stop(): void {
    this.#cancel();
  }

  #later(): () => void {
    return callRoughly(this.#loop, this.#pause, () => {
      this.#pause = Math.min(1.5 * this.#pause, LONGEST_LOOK);
      this.#cancel = this.#later();
      if (this.#hasFound()) this.hurry();
    });
  }

  #hasFound(): boolean {
    try {
      return this.#work();
    } catch {
      // It is locked, or cannot be read: the caller looks as well, and says so.
      return false;
    }
  }
}

/** Waits, no longer than until `signal` aborts. */
async function pauseFor(loop: PlatformLoop, seconds: number, signal: AbortSignal): Promise<void> {
  const paused = loop.createFuture<void>();
  const end = () => paused.done() || paused.setResult();
  const cancel = callRoughly(loop, seconds, end);
  signal.addEventListener("abort", end);
  try {
    await paused;
  } finally {
    signal.removeEventListener("abort", end);
    cancel();
  }
}
