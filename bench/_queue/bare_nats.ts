/**
 * A caller and a worker of JetStream alone: jobs are kept, and replies go to who asks for them now. With
 * `keepsReplies` those are kept too, as ours are.
 *
 * @module
 */
import { jetstream, jetstreamManager, type RetentionPolicy } from "@nats-io/jetstream";
import { connect, createInbox, headers } from "@nats-io/transport-node";
import type { Side } from "./side.ts";

/** Returns the two sides. */
export function bareNats(keepsReplies: boolean): Side {
  return {
    async call(url, name) {
      const nats = await connect({ servers: url });
      const manager = await jetstreamManager(nats);
      const retention = "workqueue" as RetentionPolicy;
      await manager.streams.add({ name, subjects: [`${name}.jobs`], retention });
      await manager.streams.add({ name: `${name}-done`, subjects: [`${name}.done.*`] });
      const ack_policy = "explicit" as never;
      await manager.consumers.add(name, { durable_name: "worker", ack_policy });
      const stream = jetstream(nats);
      const inbox = keepsReplies ? `${name}.done` : createInbox();
      const waiting = new Map<string, (value: unknown) => void>();
      nats.subscribe(`${inbox}.*`, {
        callback: (_error, message) => {
          const id = message.subject.slice(inbox.length + 1);
          waiting.get(id)?.(message.json());
          waiting.delete(id);
        },
      });
      let count = 0;
      return async (value) => {
        const id = String(count += 1);
        const { promise, resolve } = Promise.withResolvers();
        waiting.set(id, resolve);
        const reply = headers();
        reply.set("Reply-To", `${inbox}.${id}`);
        await stream.publish(`${name}.jobs`, JSON.stringify(value), { headers: reply });
        return await promise;
      };
    },
    async work(url, name, concurrency) {
      const nats = await connect({ servers: url });
      const stream = jetstream(nats);
      const consumer = await stream.consumers.get(name, "worker");
      await consumer.consume({
        max_messages: concurrency,
        callback: (message) => {
          const subject = message.headers?.get("Reply-To") ?? "";
          const value = JSON.stringify(message.json());
          if (keepsReplies) void stream.publish(subject, value).then(() => message.ack());
          else {
            nats.publish(subject, value);
            message.ack();
          }
        },
      });
    },
  };
}
