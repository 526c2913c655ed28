import { DatabaseSync, type StatementSync } from "node:sqlite";
import { isNotCapable, nameMissingFlag } from "../../loop/errors/deno_not_capable.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { messageOf } from "../../loop/values/describe.ts";
import { callRoughly } from "./deno_rough_timer.ts";

/** Seconds that a result stays that nobody fetches. */
const KEEP = 3600;
/** Seconds until it is tried again what another process has locked: at first, and at most. */
const FIRST_PAUSE = 0.001;
const LONGEST_PAUSE = 0.02;
/** Seconds after which a lock is given up on: whoever has it holds it for a millisecond. */
const LONGEST_LOCK = 5;

/** A job is delayed, waiting, running or done, and in one index in each state. */
const TABLE = `gyre_jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  id TEXT NOT NULL,
  caller TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  due REAL NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  reply BLOB,
  payload BLOB,
  UNIQUE (queue, id)
)`;

/** Checkpoints, which flush the disk, are made four times as seldom as by default. */
export const SCHEMA = `
PRAGMA busy_timeout = 0;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 4000;
CREATE TABLE IF NOT EXISTS ${TABLE};
CREATE INDEX IF NOT EXISTS gyre_jobs_waiting ON gyre_jobs (queue, priority DESC, seq)
  WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS gyre_jobs_due ON gyre_jobs (queue, due)
  WHERE state IN ('delayed', 'running');
CREATE INDEX IF NOT EXISTS gyre_jobs_done ON gyre_jobs (queue, caller, due) WHERE state = 'done';
`;

/** Gives the table as it was made. */
const FOUND = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'gyre_jobs'";

/** The time now, by the clock that all processes share. */
const NOW = "unixepoch('subsec')";

/** Whether a worker holds a job still: its lease may have ended, if nobody has taken the job since. */
const HELD = "queue = ? AND id = ? AND attempt = ? AND state IN ('running', 'waiting')";

/** What is asked of the file. */
export const QUERIES = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  add: `INSERT INTO gyre_jobs (queue, id, caller, priority, state, due, payload)
    VALUES (?, ?, ?, ?, ?, ${NOW} + ?, ?) ON CONFLICT DO NOTHING`,
  peek: `SELECT
    EXISTS (SELECT 1 FROM gyre_jobs WHERE queue = ?1 AND state = 'waiting') AS waiting,
    EXISTS (SELECT 1 FROM gyre_jobs WHERE queue = ?1 AND state IN ('delayed', 'running')
      AND due <= ${NOW}) AS due`,
  /** Those whose worker is lost, and which nobody wants any more. */
  dropLost: `DELETE FROM gyre_jobs WHERE queue = ? AND state = 'running' AND due <= ${NOW}
    AND cancelled`,
  wake: `UPDATE gyre_jobs SET state = 'waiting' WHERE queue = ? AND state IN ('delayed', 'running')
    AND due <= ${NOW}`,
  take: `UPDATE gyre_jobs SET state = 'running', attempt = attempt + 1, due = ${NOW} + ?
    WHERE seq = (SELECT seq FROM gyre_jobs WHERE queue = ? AND state = 'waiting'
      ORDER BY priority DESC, seq LIMIT 1)
    RETURNING id, payload, attempt, failures`,
  renew: `UPDATE gyre_jobs SET state = 'running', due = ${NOW} + ? WHERE ${HELD}
    RETURNING cancelled`,
  finish: `UPDATE gyre_jobs SET state = 'done', reply = ?, payload = NULL, due = ${NOW} + ${KEEP}
    WHERE ${HELD}`,
  giveBack: `UPDATE gyre_jobs SET state = ?, due = ${NOW} + ?, failures = failures + ?,
    attempt = attempt - ? WHERE ${HELD}`,
  dropCancelled: `DELETE FROM gyre_jobs WHERE ${HELD} AND cancelled`,
  remove: "DELETE FROM gyre_jobs WHERE queue = ? AND id = ?",
  removeWaiting: "DELETE FROM gyre_jobs WHERE queue = ? AND id = ? AND state != 'running'",
  cancelRunning: "UPDATE gyre_jobs SET cancelled = 1 WHERE queue = ? AND id = ?",
  sweep: `DELETE FROM gyre_jobs WHERE queue = ? AND state = 'done' AND due <= ${NOW}`,
  lookUp: "SELECT state, reply FROM gyre_jobs WHERE queue = ? AND id = ?",
  replies: `SELECT id, reply, due FROM gyre_jobs
    WHERE queue = ? AND caller = ? AND state = 'done' AND due >= ? ORDER BY due LIMIT ?`,
  size: "SELECT count(*) AS size FROM gyre_jobs WHERE queue = ? AND state != 'done'",
} as const;

export type Queries = Readonly<Record<keyof typeof QUERIES, StatementSync>>;

/** Something to be written. */
interface Request {
  readonly work: (queries: Queries) => unknown;
  readonly settled: PromiseWithResolvers<unknown>;
}

/**
 * A file of jobs, while it is open.
 *
 * *Theory of operation.* What is to be written in one turn of the loop goes into one transaction. Where
 * another process writes just then, it is tried again after a pause of the loop, which SQLite itself
 * would spend asleep.
 */
export class JobFile {
  readonly #loop: PlatformLoop;
  readonly #database: DatabaseSync;
  readonly #queries: Queries;
  #requests: Request[] = [];
  /** Cancels the next transaction. */
  #cancelFlush: (() => void) | null = null;

  /**
   * Opens a file, and creates it where there is none.
   *
   * @throws {Error} If it is locked, as while somebody else creates it.
   * @throws {InvalidStateError} If another version of the package has made its table.
   */
  constructor(loop: PlatformLoop, path: string) {
    this.#loop = loop;
    this.#database = openDatabase(path);
    try {
      this.#database.exec(SCHEMA);
      const { sql } = this.#database.prepare(FOUND).get() as { sql: string };
      if (sql !== `CREATE TABLE ${TABLE}`) {
        throw new InvalidStateError(
          `Cannot open a queue: the table gyre_jobs in "${path}" was made by another version of this package`,
        );
      }
      const queries = Object.entries(QUERIES)
        .map(([name, sql]) => [name, this.#database.prepare(sql)] as const);
      this.#queries = Object.fromEntries(queries) as Queries;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Reads. */
  read<T>(work: (queries: Queries) => T): T {
    return work(this.#queries);
  }

  /** Writes; when the promise resolves others see it. */
  write<T>(work: (queries: Queries) => T): Promise<T> {
    const settled = Promise.withResolvers<unknown>();
    this.#requests.push({ work, settled });
    if (this.#cancelFlush === null) {
      const handle = this.#loop.callSoon(() => this.#flush());
      this.#cancelFlush = () => handle.cancel();
    }
    return settled.promise as Promise<T>;
  }

  /** Closes it. What is not written yet fails. */
  close(): void {
    this.#cancelFlush?.();
    const error = new InvalidStateError("Cannot write to a queue: it was closed");
    for (const { settled } of this.#requests) settled.reject(error);
    this.#requests = [];
    this.#database.close();
  }

  #flush(pause: number = FIRST_PAUSE, since: number = this.#loop.time()): void {
    this.#cancelFlush = null;
    const requests = this.#requests;
    this.#requests = [];
    try {
      this.#transact(requests);
    } catch (error) {
      if (isLocked(error) && this.#loop.time() - since < LONGEST_LOCK) {
        this.#requests = requests;
        const next = Math.min(1.5 * pause, LONGEST_PAUSE);
        const again = () => this.#flush(next, since);
        this.#cancelFlush = callRoughly(this.#loop, pause, again);
        return;
      }
      for (const { settled } of requests) settled.reject(error);
    }
  }

  /** Does all of `requests`, or throws and has done nothing. */
  #transact(requests: readonly Request[]): void {
    const { begin, commit, rollback } = this.#queries;
    begin.run();
    let results: unknown[];
    try {
      results = requests.map(({ work }) => work(this.#queries));
      commit.run();
    } catch (error) {
      rollback.run();
      throw error;
    }
    for (const [index, { settled }] of requests.entries()) settled.resolve(results[index]);
  }
}

/** Whether another process writes to the file, or opens it. */
export function isLocked(error: unknown): boolean {
  return messageOf(error).includes("locked");
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw isNotCapable(error) ? nameMissingFlag(error as Error, "open a queue") : error;
  }
}
