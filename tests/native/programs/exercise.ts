/**
 * Uses all that the native backend has, and prints how often.
 *
 * Usage: exercise.ts [gc] [canaries] [overrun] [poll]
 *
 * With `gc` memory is collected between the steps (`--v8-flags=--expose-gc`), with `canaries` every
 * buffer that libc is handed is guarded, with `overrun` one of them is overrun on purpose, with `poll` a
 * thread waits in place of the kernel.
 *
 * @module
 */
import { guardBuffers } from "./_canaries.ts";

const modes = new Set(Deno.args);
if (modes.has("canaries")) guardBuffers();

const { run, getRunningLoop } = await import("../../../mod.ts");
const { newNativeEventLoop, socketpair } = await import("../../../transports/native/mod.ts");
const { ringSleeper } = await import("../../../transports/native/native_sleeper.ts");
const { libc } = await import("../../../transports/native/native_libc.ts");

if (modes.has("poll")) ringSleeper.enabled = false;

const { gc } = globalThis as { gc?: () => void };
const collect = modes.has("gc") ? gc as () => void : () => {};
/** To collect memory takes a tenth of a second. */
const ROUNDS = modes.has("gc") ? 3 : 40;
let steps = 0;

function step(): void {
  steps += 1;
  // Memory that is new fills what was freed.
  collect();
  new Uint8Array(4096).fill(steps);
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  const isSame = actual.length === expected.length &&
    actual.every((byte, index) => byte === expected[index]);
  if (!isSame) {
    throw new Error(`other bytes than were sent: ${actual.length} of ${expected.length}`);
  }
}

function message(round: number): Uint8Array {
  return new Uint8Array(1 + round * 997).map((_, index) => index * 31 + round);
}

/** Waits until `size` bytes have come by a protocol, of either kind. */
class Echoed {
  readonly received = Promise.withResolvers<Uint8Array>();
  readonly #bytes: Uint8Array;
  #size = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  dataReceived(data: Uint8Array): void {
    step();
    this.#bytes.set(data, this.#size);
    this.#size += data.length;
    if (this.#size === this.#bytes.length) this.received.resolve(this.#bytes);
  }
}

async function exchange(connect: (protocol: Echoed) => PromiseLike<unknown>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = message(round);
    const protocol = new Echoed(bytes.length);
    const [transport] = await connect(protocol) as [
      { write(bytes: Uint8Array): void; abort(): void },
    ];
    step();
    transport.write(bytes);
    assertSame(await protocol.received.promise, bytes);
    transport.abort();
    step();
  }
}

function echoing() {
  let transport: { write(bytes: Uint8Array): void } | null = null;
  const memory = new Uint8Array(5000);
  return {
    connectionMade: (made: typeof transport) => void (transport = made),
    getBuffer: () => memory,
    bufferUpdated(count: number): void {
      step();
      transport?.write(memory.slice(0, count));
    },
  };
}

await run(async () => {
  const loop = getRunningLoop();
  const server = await loop.createServer(echoing as never, { hostname: "127.0.0.1" });
  await exchange((protocol) =>
    loop.createConnection(() => protocol, { port: server.address.port })
  );
  await exchange((protocol) => {
    return loop.createConnection(() => protocol, {
      hostname: "localhost",
      port: server.address.port,
    });
  });
  server.close();

  const [first, second] = socketpair();
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = message(round);
    await loop.sockSendall(first, bytes);
    step();
    assertSame(await loop.sockRecv(second, 100_000), bytes);
  }
  if (modes.has("overrun")) {
    await loop.sockSendall(first, new Uint8Array(100));
    libc.recv(second.fd, new Uint8Array(10), 20, 0);
  }
  first.close();
  second.close();

  let received = Promise.withResolvers<Uint8Array>();
  const [receiver] = await loop.createDatagramEndpoint(() => ({
    datagramReceived: (data: Uint8Array) => received.resolve(data),
  }), { localAddress: { hostname: "127.0.0.1", port: 0 } });
  const remoteAddress = receiver.getExtraInfo("sockname");
  const [sender] = await loop.createDatagramEndpoint(() => ({}), { remoteAddress });
  for (let round = 0; round < ROUNDS; round += 1) {
    received = Promise.withResolvers();
    sender.sendto(message(round));
    step();
    assertSame(await received.promise, message(round));
  }
  sender.close();
  receiver.close();
}, { loopFactory: newNativeEventLoop });
console.log(`${steps > 6 * ROUNDS ? "many" : steps} steps`);
