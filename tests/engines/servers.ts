import { startNats } from "./_nats_engine.ts";
import { startRedis } from "./_redis_engine.ts";
import type { Server } from "./_server.ts";

/** Servers of all engines, for as long as they are held. */
export interface Engines extends AsyncDisposable {
  readonly folder: string;
  readonly redis: string;
  readonly nats: string;
}

/** Starts them on free ports, in folders of their own. */
export async function startEngines(): Promise<Engines> {
  const servers: Server[] = [await startRedis(), await startNats()];
  const [redis, nats] = servers as [Server, Server];
  return {
    folder: redis.folder,
    redis: `redis://127.0.0.1:${redis.port}`,
    nats: `nats://127.0.0.1:${nats.port}`,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}
