import { assertEquals } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { NatsBroker } from "@gyre/asyncio/queue/nats";
import type { Engine, EngineKind } from "../executor/queue/_engine.ts";
import { Server } from "./_server.ts";

/** Starts a NATS that keeps what it is told. */
export function startNats(): Promise<Server> {
  return Server.start((port, folder) => [
    ...["nats-server", "--addr", "127.0.0.1", "--port", String(port)],
    ...["--jetstream", "--store_dir", folder],
  ]);
}

/** A stream of its own on a NATS that all tests of a file share, or one that it may kill. */
export const NATS: EngineKind = {
  name: "NatsBroker",
  command: "nats-server",
  startServer: startNats,
  nowhere: {
    url: "nats://127.0.0.1:1",
    broker: () => new NatsBroker({ url: "nats://127.0.0.1:1" }),
  },
  async start(lease, server): Promise<Engine> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "gyre-queue-" });
    const queue = crypto.randomUUID();
    const url = `nats://127.0.0.1:${server?.port}`;
    return {
      url,
      queue,
      folder,
      lease,
      broker: () => new NatsBroker({ url, queue, lease }),
      async assertEmpty() {
        const nats = await connect({ servers: url });
        const request = JSON.stringify({ subjects_filter: ">" });
        const answer = await nats.request(`$JS.API.STREAM.INFO.gyre-${queue}`, request);
        await nats.close();
        const { state, error } = answer.json<
          { state?: { subjects?: object }; error?: { description: string } }
        >();
        // A broker that was never used has made no stream.
        if (error !== undefined) return assertEquals(error.description, "stream not found");
        assertEquals(Object.keys(state?.subjects ?? {}), []);
      },
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
};
