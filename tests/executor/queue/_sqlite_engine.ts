import { DatabaseSync } from "node:sqlite";
import { assertEquals } from "@std/assert";
import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
import type { Engine, EngineKind } from "./_engine.ts";

/** A file in a folder of its own. */
export const SQLITE: EngineKind = {
  name: "SqliteBroker",
  async start(lease: number): Promise<Engine> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "gyre-queue-" });
    const path = `${folder}/jobs.db`;
    return {
      url: `sqlite:${path}`,
      queue: "jobs",
      folder,
      lease,
      broker: () => new SqliteBroker({ path, lease }),
      // deno-lint-ignore require-await -- Other engines wait.
      async assertEmpty() {
        using database = new DatabaseSync(path);
        const [table] = database.prepare("SELECT name FROM sqlite_master").all();
        // A broker that was never used has made no file.
        if (table === undefined) return;
        const rows = database.prepare("SELECT id, state FROM gyre_jobs").all();
        assertEquals(rows, []);
      },
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
};
