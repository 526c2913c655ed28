/**
 * Sends many messages over many connections that are closed at random, and prints how much memory and
 * how many descriptors that took in the end.
 *
 * Usage: soak.ts messages connections [tls]
 *
 * @module
 */
import { getRunningLoop, run, type Transport } from "../../../mod.ts";
import { libc } from "../../../transports/native/native_libc.ts";
import { newNativeEventLoop } from "../../../transports/native/mod.ts";

const [messages = 0, connections = 0] = Deno.args.map(Number);
const secured = Deno.args[2] === "tls" ? await import("../../transports/_tls.ts") : null;

/** Connections at a time. */
const BESIDE = 50;

const F_GETFD = 1;

/** How many descriptors are open. */
function descriptors(): number {
  return Array.from({ length: 1024 }, (_, fd) => libc.fcntl(fd, F_GETFD, 0))
    .filter((flags) => flags >= 0).length;
}

let sent = 0;
let opened = 0;
let before = 0;
/** In KiB, at a fifth of the way and at its end. */
const resident: number[] = [];

/** Sends on when it has its message back; ends at random, in one of three ways. */
class Client {
  readonly done = Promise.withResolvers<void>();
  readonly #left: number;
  #transport: Transport | null = null;
  #count = 0;

  constructor(left: number) {
    this.#left = left;
  }

  connectionMade(transport: Transport): void {
    this.#transport = transport;
    transport.write(new Uint8Array(64));
  }

  dataReceived(): void {
    sent += 1;
    this.#count += 1;
    if (this.#count < this.#left) return this.#transport?.write(new Uint8Array(64));
    const chance = Math.random();
    if (chance < 0.4) this.#transport?.close();
    else if (chance < 0.7) this.#transport?.abort();
    else this.#transport?.write(new TextEncoder().encode("close"));
  }

  connectionLost(): void {
    this.done.resolve();
  }
}

class Echo {
  #transport: Transport | null = null;

  connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  dataReceived(data: Uint8Array): void {
    if (data[0] !== 0) this.#transport?.abort();
    else this.#transport?.write(data);
  }
}

await run(async () => {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => new Echo(), {
    hostname: "127.0.0.1",
    backlog: 500,
    ...secured === null ? {} : { tls: secured.certificate("server") },
  });
  const { port } = server.address;
  before = descriptors();
  const work = async () => {
    while (opened < connections) {
      opened += 1;
      if (opened === Math.ceil(connections / 5)) resident.push(Deno.memoryUsage().rss >> 10);
      const left = Math.ceil(Math.random() * 2 * messages / connections);
      const [, client] = await loop.createConnection(() => new Client(left), {
        port,
        ...secured === null ? {} : { tls: secured.trusting },
      });
      await client.done.promise;
    }
  };
  await Promise.all(Array.from({ length: BESIDE }, work));
  resident.push(Deno.memoryUsage().rss >> 10);
  server.close();
  await server.waitClosed();
  // The server's own is closed, and the rest is as before.
  console.log(`${descriptors() - before + 1} descriptors more`);
}, { loopFactory: newNativeEventLoop });
const [early = 0, late = 0] = resident;
console.error(`${sent} messages, ${opened} connections; resident ${early} KiB, then ${late} KiB`);
if (late > early * 1.2 + 16_384) throw new Error("the memory of the process has grown");
