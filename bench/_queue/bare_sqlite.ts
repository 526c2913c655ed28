/**
 * A caller and a worker of `node:sqlite` alone: the statements of `SqliteBroker`, each in a transaction of
 * its own, with its pauses.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";
import { QUERIES, SCHEMA } from "../../executor/queue/sqlite_file.ts";
import type { Side } from "./side.ts";

const CALLER = "bare";
const LEASE = 10;

function open(url: string): Record<keyof typeof QUERIES, StatementSync> {
  const database = new DatabaseSync(url.slice("sqlite:".length));
  // SQLite itself waits for locks here; that has to hold for the rest of the schema.
  database.exec("PRAGMA busy_timeout = 5000");
  database.exec(SCHEMA.replace("busy_timeout = 0", "busy_timeout = 5000"));
  const queries = Object.entries(QUERIES).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(queries);
}

/** Calls `look` after a millisecond when it has found something, later and later when not. */
async function lookAgain(look: () => boolean): Promise<never> {
  for (let pause = 1;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = look() ? 1 : Math.min(1.5 * pause, 20);
  }
}

export const BARE_SQLITE: Side = {
  // deno-lint-ignore require-await -- Others wait.
  async call(url, name) {
    const { add, replies, remove } = open(url);
    const waiting = new Map<string, (value: unknown) => void>();
    void lookAgain(() => {
      const rows = replies.all(name, CALLER, 0, 500);
      for (const { id, reply } of rows) {
        remove.run(name, id as string);
        waiting.get(id as string)?.(deserialize(reply as Uint8Array));
        waiting.delete(id as string);
      }
      return rows.length > 0;
    });
    return (value) => {
      const id = crypto.randomUUID();
      const { promise, resolve } = Promise.withResolvers<unknown>();
      waiting.set(id, resolve);
      add.run(name, id, CALLER, 0, "waiting", 0, serialize(value));
      return promise;
    };
  },
  // deno-lint-ignore require-await -- As above.
  async work(url, name) {
    const { peek, take, finish } = open(url);
    void lookAgain(() => {
      for (let found = false;; found = true) {
        if (peek.get(name)?.["waiting"] !== 1) return found;
        const row = take.get(LEASE, name);
        if (row === undefined) return found;
        const reply = serialize(deserialize(row["payload"] as Uint8Array));
        finish.run(reply, name, row["id"] as string, row["attempt"] as number);
      }
    });
  },
};
