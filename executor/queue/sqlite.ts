/**
 * A queue in a file, for the processes of one machine, without a server.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { isNotCapable, nameMissingFlag } from "../../loop/errors/deno_not_capable.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import { sleep } from "../../loop/structure/sleep.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { messageOf } from "../../loop/values/describe.ts";
import { SQLITE_BROKER } from "./_options.ts";
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
const FIRST_LOOK = 0.002;
const LONGEST_LOOK = 0.02;
/** Seconds that it is tried to open a file that others are opening. */
const LONGEST_OPENING = 5;
/** Seconds that a result stays that nobody fetches. */
const KEEP = 3600;
/** How many attempts to take a job go by until old replies are removed. */
const SWEEP_EVERY = 256;
/** How many bytes a job may have. */
const MAX_BYTES = 2 ** 26;

const SCHEMA = `
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS gyre_jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  id TEXT NOT NULL,
  caller TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  due REAL NOT NULL,
  payload BLOB NOT NULL,
  reply BLOB,
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  UNIQUE (queue, id)
);
CREATE INDEX IF NOT EXISTS gyre_jobs_due ON gyre_jobs (queue, state, priority DESC, seq);
CREATE INDEX IF NOT EXISTS gyre_jobs_caller ON gyre_jobs (queue, caller, state);
`;

/** The time now, by the clock that all processes share. */
const NOW = "unixepoch('subsec')";

/** What is asked of the file. A job that runs is due again when its lease has ended. */
const QUERIES = {
  add: `INSERT INTO gyre_jobs (queue, id, caller, state, priority, due, payload)
    VALUES (?, ?, ?, 'waiting', ?, ${NOW} + ?, ?) ON CONFLICT DO NOTHING`,
  take: `UPDATE gyre_jobs SET state = 'running', attempt = attempt + 1, due = ${NOW} + ?
    WHERE seq = (SELECT seq FROM gyre_jobs WHERE queue = ? AND state IN ('waiting', 'running')
      AND due <= ${NOW} ORDER BY priority DESC, seq LIMIT 1)
    RETURNING id, payload, attempt, failures`,
  peek: `SELECT 1 FROM gyre_jobs WHERE queue = ? AND state IN ('waiting', 'running')
    AND due <= ${NOW} LIMIT 1`,
  renew: `UPDATE gyre_jobs SET due = ${NOW} + ?
    WHERE queue = ? AND id = ? AND state = 'running' AND attempt = ? RETURNING cancelled`,
  finish: `UPDATE gyre_jobs SET state = 'done', reply = ?, due = ${NOW} + ${KEEP}
    WHERE queue = ? AND id = ? AND state = 'running' AND attempt = ?`,
  giveBack: `UPDATE gyre_jobs SET state = 'waiting', due = ${NOW} + ?, failures = failures + ?,
    attempt = attempt - ? WHERE queue = ? AND id = ? AND state = 'running' AND attempt = ?`,
  dropCancelled: `DELETE FROM gyre_jobs
    WHERE queue = ? AND id = ? AND state = 'running' AND attempt = ? AND cancelled`,
  remove: `DELETE FROM gyre_jobs WHERE queue = ? AND id = ?`,
  removeWaiting: `DELETE FROM gyre_jobs WHERE queue = ? AND id = ? AND state != 'running'`,
  cancelRunning: `UPDATE gyre_jobs SET cancelled = 1 WHERE queue = ? AND id = ?`,
  sweep: `DELETE FROM gyre_jobs WHERE queue = ? AND due <= ${NOW}
    AND (state = 'done' OR state = 'running' AND cancelled)`,
  lookUp: `SELECT state, reply FROM gyre_jobs WHERE queue = ? AND id = ?`,
  replies: `SELECT id, reply FROM gyre_jobs WHERE queue = ? AND caller = ? AND state = 'done'`,
  size: `SELECT count(*) AS size FROM gyre_jobs WHERE queue = ? AND state != 'done'`,
} as const;

type Queries = Record<keyof typeof QUERIES, StatementSync>;

/** The file, while it is open. */
interface OpenFile {
  readonly loop: PlatformLoop;
  readonly database: DatabaseSync;
  readonly queries: Queries;
}

function openFile(loop: PlatformLoop, path: string): OpenFile {
  const database = openDatabase(path);
  try {
    database.exec(SCHEMA);
    const queries = Object.entries(QUERIES).map(([name, sql]) => [name, database.prepare(sql)]);
    return { loop, database, queries: Object.fromEntries(queries) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw isNotCapable(error) ? nameMissingFlag(error as Error, "open a queue") : error;
  }
}

/** Something that looks at the file again and again. */
interface Look {
  timer: TimerHandle;
  stop(): void;
}

/**
 * A broker that keeps its jobs in a SQLite file. Several processes of one machine use one file at once;
 * it is durable against the end of any of them, and, but for the last moments, of the machine.
 *
 * Nobody tells a process of what another has written: it looks, every 2 to 20 milliseconds.
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
  #file: OpenFile | null = null;
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
    while (this.#file === null) {
      try {
        this.#file = openFile(loop, this.#path);
      } catch (error) {
        // Who else opens it at the same time sets it up; SQLite waits for anything else.
        if (!messageOf(error).includes("locked") || loop.time() > deadline) throw error;
        await sleep(LONGEST_LOOK);
      }
    }
  }

  /** Adds a job. */
  // deno-lint-ignore require-await -- What it throws is to reject, here and below.
  async add({ id, caller, priority, delay, payload }: JobOrder): Promise<void> {
    this.#queries("add a job").add.run(this.#queue, id, caller, priority, delay, payload);
  }

  /** Tells `listener` of replies to `caller`. */
  onEvent(caller: string, listener: (event: JobEvent) => void): () => void {
    const { replies } = this.#queries("listen for replies");
    const look = this.#look(() => {
      const rows = replies.all(this.#queue, caller) as unknown as JobEvent[];
      for (const { id, reply } of rows) listener({ id, reply });
      return rows.length > 0;
    });
    return () => look.stop();
  }

  /** Says where each of `ids` stands. */
  // deno-lint-ignore require-await -- As above.
  async lookUp(ids: readonly string[]): Promise<JobState[]> {
    const { lookUp } = this.#queries("look up jobs");
    return ids.map((id) => {
      const row = lookUp.get(this.#queue, id) as unknown as JobState | undefined;
      return row ?? { state: "unknown" };
    });
  }

  /** Takes a job out that waits, and has the worker of one that runs told. */
  // deno-lint-ignore require-await -- As above.
  async cancel(id: string): Promise<void> {
    const { removeWaiting, cancelRunning } = this.#queries("cancel a job");
    removeWaiting.run(this.#queue, id);
    cancelRunning.run(this.#queue, id);
  }

  /** Lets go of a job. */
  // deno-lint-ignore require-await -- As above.
  async forget(id: string): Promise<void> {
    this.#queries("forget a job").remove.run(this.#queue, id);
  }

  /** How many jobs wait or run. */
  // deno-lint-ignore require-await -- As above.
  async size(): Promise<number> {
    return Number(this.#queries("count jobs").size.get(this.#queue)?.["size"]);
  }

  /** Waits for a job, and takes it. */
  async take(signal: AbortSignal): Promise<TakenJob | null> {
    const { loop } = this.#open("take a job");
    if (signal.aborted) return null;
    const first = this.#takeNow();
    if (first !== null) return first;
    const taken: Future<TakenJob | null> = loop.createFuture();
    const look = this.#look(() => {
      if (taken.done()) return false;
      const job = this.#takeNow();
      if (job !== null) taken.setResult(job);
      return job !== null;
    });
    const onAbort = () => taken.done() || taken.setResult(null);
    signal.addEventListener("abort", onAbort);
    try {
      return await taken;
    } finally {
      signal.removeEventListener("abort", onAbort);
      look.stop();
    }
  }

  /** Holds a job for another lease. */
  // deno-lint-ignore require-await -- As above.
  async renew({ id, token }: TakenJob): Promise<"held" | "cancelled" | "lost"> {
    const { renew } = this.#queries("renew a lease");
    const row = renew.get(this.lease, this.#queue, id, token as number);
    if (row === undefined) return "lost";
    return row["cancelled"] === 1 ? "cancelled" : "held";
  }

  /** The job is done. */
  // deno-lint-ignore require-await -- As above.
  async finish({ id, token }: TakenJob, reply: Uint8Array): Promise<void> {
    const { dropCancelled, finish } = this.#queries("finish a job");
    dropCancelled.run(this.#queue, id, token as number);
    finish.run(reply, this.#queue, id, token as number);
  }

  /** Gives a job back. One that has not failed was not tried. */
  // deno-lint-ignore require-await -- As above.
  async giveBack({ id, token }: TakenJob, delay: number, failed: boolean): Promise<void> {
    const { dropCancelled, giveBack } = this.#queries("give a job back");
    const [failures, untried] = failed ? [1, 0] : [0, 1];
    dropCancelled.run(this.#queue, id, token as number);
    giveBack.run(delay, failures, untried, this.#queue, id, token as number);
  }

  /** Closes the file. */
  // deno-lint-ignore require-await -- As above.
  async close(): Promise<void> {
    for (const look of [...this.#looks]) look.stop();
    this.#file?.database.close();
    this.#file = null;
  }

  #takeNow(): TakenJob | null {
    const { peek, take, sweep } = this.#queries("take a job");
    // What writes, if only nothing, keeps others from writing.
    if (this.#countdown === 0) sweep.run(this.#queue);
    this.#countdown = (this.#countdown + 1) % SWEEP_EVERY;
    if (peek.get(this.#queue) === undefined) return null;
    const row = take.get(this.lease, this.#queue) as unknown as TakenJob | undefined;
    return row === undefined ? null : { ...row, token: row.attempt };
  }

  /** Calls `work` from the loop, soon again when it has found something, later when not. */
  #look(work: () => boolean): Look {
    const { loop } = this.#open("look for jobs");
    let pause = FIRST_LOOK;
    const again = () => {
      const found = work();
      pause = found ? FIRST_LOOK : Math.min(1.5 * pause, LONGEST_LOOK);
      if (this.#looks.has(look)) look.timer = loop.callLater(pause, again);
    };
    const look: Look = {
      timer: loop.callLater(pause, again),
      stop: () => {
        look.timer.cancel();
        this.#looks.delete(look);
      },
    };
    this.#looks.add(look);
    return look;
  }

  #queries(action: string): Queries {
    return this.#open(action).queries;
  }

  #open(action: string): OpenFile {
    if (this.#file !== null) return this.#file;
    throw new InvalidStateError(`Cannot ${action}: the broker is not open`);
  }
}
