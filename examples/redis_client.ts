/**
 * A Redis client as a protocol: commands do not wait for replies, which may be all but arrays.
 *
 * deno run --allow-net=127.0.0.1:6390 examples/redis_client.ts 6390
 *
 * Prints, when no Redis listens:
 *     Cannot connect to "127.0.0.1:6390": connection refused (os error 111)
 * or, when `redis-server --port 6390` runs, for instance:
 *     100000 increments in 0.41 s, counter 100000
 *
 * @module
 */
import { DenoEventLoop, type Future, type ProtocolLike, type Transport } from "@gyre/asyncio";

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
const loop = new DenoEventLoop();

class Redis implements ProtocolLike {
  #transport: Transport | null = null;
  #unread = new Uint8Array();
  #waiting: Future<string | null>[] = [];
  connectionMade = (transport: Transport): void => void (this.#transport = transport);
  connectionLost = (error: Error | null): void =>
    this.#waiting.forEach((reply) => reply.setException(error ?? new Error("Redis has gone")));

  send(...words: string[]): Future<string | null> {
    const parts = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
    this.#transport?.write(encoder.encode(`*${words.length}\r\n${parts.join("")}`));
    const reply = loop.createFuture<string | null>();
    this.#waiting.push(reply);
    return reply;
  }

  dataReceived(data: Uint8Array): void {
    let bytes = new Uint8Array([...this.#unread, ...data]);
    let count = 0;
    for (let line = 0; (line = bytes.indexOf(10)) > 0; count += 1) {
      const head = decoder.decode(bytes.subarray(0, line - 1));
      const size = head[0] === "$" ? Number(head.slice(1)) : -1;
      const end = size < 0 ? line + 1 : line + size + 3;
      if (bytes.length < end) break;
      const text = size < 0 ? head.slice(1) : decoder.decode(bytes.subarray(line + 1, end - 2));
      if (head[0] === "-") this.#waiting[count]?.setException(new Error(text));
      else this.#waiting[count]?.setResult(head === "$-1" ? null : text);
      bytes = bytes.subarray(end);
    }
    this.#unread = bytes;
    this.#waiting.splice(0, count);
  }
}

await loop.runUntilComplete(async () => {
  const [, redis] = await loop.createConnection(() => new Redis(), { port: Number(Deno.args[0]) });
  const start = loop.time();
  let reply = redis.send("SET", "counter", "0");
  for (let count = 0; count < 100_000; count += 1) reply = redis.send("INCR", "counter");
  const counter = await reply;
  console.log(`100000 increments in ${(loop.time() - start).toFixed(2)} s, counter ${counter}`);
}).catch((error) => console.error(error.message));
loop.close();
