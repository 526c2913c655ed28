import { assertEquals } from "@std/assert";
import { BullmqBroker } from "@gyre/asyncio/queue/bullmq";
import { Redis } from "ioredis";
import type { Engine, EngineKind } from "../executor/queue/_engine.ts";
import { Server } from "./_server.ts";

/** What BullMQ keeps of a queue that is empty. */
const OF_EMPTY = ["events", "id", "marker", "meta", "pc", "stalled", "stalled-check"];

/** Starts a Redis that keeps what it is told. */
export function startRedis(): Promise<Server> {
  return Server.start((port, folder) => [
    ...["redis-server", "--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
    ...["--save", "", "--appendonly", "yes"],
  ]);
}

/** A queue of its own on a Redis that all tests of a file share, or one that it may kill. */
export const REDIS: EngineKind = {
  name: "BullmqBroker",
  command: "redis-server",
  startServer: startRedis,
  nowhere: {
    url: "redis://127.0.0.1:1",
    broker: () => new BullmqBroker({ url: "redis://127.0.0.1:1" }),
  },
  async start(lease, server): Promise<Engine> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "gyre-queue-" });
    const queue = crypto.randomUUID();
    const url = `redis://127.0.0.1:${server?.port}`;
    return {
      url,
      queue,
      folder,
      lease,
      broker: () => new BullmqBroker({ url, queue, lease }),
      async assertEmpty() {
        const client = new Redis(url);
        const keys = await client.keys(`bull:${queue}:*`);
        const ended = new Promise((resolve) => client.once("end", resolve));
        client.disconnect();
        await ended;
        const names = keys.map((key) => key.slice(`bull:${queue}:`.length));
        assertEquals(names.filter((name) => !OF_EMPTY.includes(name)), []);
      },
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
};
