/**
 * An echo server and 100 concurrent clients move 256 MiB over real loopback TCP, in one loop. Both
 * directions of every connection are hashed with SHA-256 and compared. Takes a few seconds; Ctrl-C
 * ends it early.
 *
 * deno task demo
 * or: deno run --allow-net=127.0.0.1 examples/throughput_demo.ts
 *
 * Prints, for instance, a progress bar, and then:
 *     …
 *     256 MiB there and back, every byte verified: 100 connections, SHA-256 equal on all
 *     ┌─────────────────┬─────────┐
 *     │ MiB/s           │ 310     │
 *     │ messages/s      │ 19843   │
 *     │ latency p50     │ 4.2 ms  │
 *     │ latency p99     │ 11.8 ms │
 *     │ loop iterations │ 65278   │
 *     │ callbacks run   │ 66444   │
 *     └─────────────────┴─────────┘
 *
 * @module
 */
import {
  BufferedProtocol,
  CancelledError,
  type DenoEventLoop,
  type Future,
  gather,
  getRunningLoop,
  run,
  type Transport,
} from "@gyre/asyncio";
import { SingleBar } from "cli-progress";
import { createHash } from "node:crypto";

const CLIENTS = 100;
const MESSAGE_SIZE = 16 * 1024;
const MIB = 1024 * 1024;
const TOTAL_SIZE = 256 * MIB;
const MESSAGES = TOTAL_SIZE / MESSAGE_SIZE;

/** Sends back what it reads, from the memory that it reads into. */
class Echo extends BufferedProtocol {
  readonly #memory = new Uint8Array(64 * 1024);
  #transport: Transport | null = null;

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  override getBuffer(): Uint8Array {
    return this.#memory;
  }

  override bufferUpdated(count: number): void {
    this.#transport?.write(this.#memory.subarray(0, count));
  }
}

/** What all clients share: how many messages were sent, and how long each took, in seconds. */
class Work {
  sent = 0;
  readonly latencies: number[] = [];
}

/** Sends one message after the other, and checks that what it sent comes back. */
class Client extends BufferedProtocol {
  /** Whether all that was sent came back. */
  readonly verified: Future<boolean>;
  readonly #loop: DenoEventLoop;
  readonly #work: Work;
  readonly #message = crypto.getRandomValues(new Uint8Array(MESSAGE_SIZE));
  readonly #memory = new Uint8Array(MESSAGE_SIZE);
  readonly #sent = createHash("sha256");
  readonly #received = createHash("sha256");
  #transport: Transport | null = null;
  #filled = 0;
  #sentAt = 0;

  constructor(loop: DenoEventLoop, work: Work) {
    super();
    this.#loop = loop;
    this.#work = work;
    this.verified = loop.createFuture();
  }

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
    this.#sendNext();
  }

  override getBuffer(): Uint8Array {
    return this.#memory.subarray(this.#filled);
  }

  override bufferUpdated(count: number): void {
    this.#filled += count;
    if (this.#filled < MESSAGE_SIZE) return;
    this.#filled = 0;
    this.#received.update(this.#memory);
    this.#work.latencies.push(this.#loop.time() - this.#sentAt);
    this.#sendNext();
  }

  override connectionLost(error: Error | null): void {
    if (error !== null) this.verified.setException(error);
    else this.verified.setResult(this.#sent.digest("hex") === this.#received.digest("hex"));
  }

  #sendNext(): void {
    if (this.#work.sent === MESSAGES) return this.#transport?.close();
    // The message before is back, so its memory is free. A number makes this one another.
    new DataView(this.#message.buffer).setUint32(0, this.#work.sent++);
    this.#sent.update(this.#message);
    this.#sentAt = this.#loop.time();
    this.#transport?.write(this.#message);
  }
}

async function moveAll(loop: DenoEventLoop, work: Work): Promise<boolean[]> {
  await using server = await loop.createServer(() => new Echo(), { hostname: "127.0.0.1" });
  const { port } = server.address;
  const connecting = Array.from({ length: CLIENTS }, () => {
    return loop.createConnection(() => new Client(loop, work), { port });
  });
  try {
    const connections = await gather(connecting);
    return await gather(connections.map(([, client]) => client.verified));
  } finally {
    server.abortClients();
  }
}

function report(loop: DenoEventLoop, work: Work, seconds: number): void {
  const latencies = work.latencies.toSorted((a, b) => a - b);
  const percentile = (part: number) => latencies[Math.floor(latencies.length * part)] ?? 0;
  const milliseconds = (time: number) => `${(time * 1000).toFixed(1)} ms`;
  const { iterations, callbacks } = loop.statistics();
  printTable([
    ["MiB/s", (TOTAL_SIZE / MIB / seconds).toFixed(0)],
    ["messages/s", (MESSAGES / seconds).toFixed(0)],
    ["latency p50", milliseconds(percentile(0.5))],
    ["latency p99", milliseconds(percentile(0.99))],
    ["loop iterations", String(iterations)],
    ["callbacks run", String(callbacks)],
  ]);
}

function printTable(rows: [name: string, value: string][]): void {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const [left = 0, right = 0] = widths;
  console.log(`┌─${"─".repeat(left)}─┬─${"─".repeat(right)}─┐`);
  for (const [name, value] of rows) {
    console.log(`│ ${name.padEnd(left)} │ ${value.padEnd(right)} │`);
  }
  console.log(`└─${"─".repeat(left)}─┴─${"─".repeat(right)}─┘`);
}

async function main(): Promise<void> {
  const loop = getRunningLoop();
  const work = new Work();
  const bar = new SingleBar({ format: "{bar} {value} of {total} MiB", noTTYOutput: true });
  const show = () => {
    bar.update(Math.floor(work.latencies.length * MESSAGE_SIZE / MIB));
    timer = loop.callLater(0.1, show);
  };
  const start = loop.time();
  bar.start(TOTAL_SIZE / MIB, 0);
  let timer = loop.callLater(0.1, show);
  let verified: boolean[];
  try {
    verified = await moveAll(loop, work);
  } finally {
    timer.cancel();
    bar.update(Math.floor(work.latencies.length * MESSAGE_SIZE / MIB));
    bar.stop();
  }
  if (!verified.every(Boolean)) {
    throw new Error("Cannot verify: what came back is not what was sent");
  }
  console.log(
    `256 MiB there and back, every byte verified: ${verified.length} connections, SHA-256 equal on all`,
  );
  report(loop, work, loop.time() - start);
}

try {
  await run(main);
} catch (error) {
  if (!(error instanceof CancelledError)) throw error;
  console.log("Interrupted");
  Deno.exitCode = 130;
}
