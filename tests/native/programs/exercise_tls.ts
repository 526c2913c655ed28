/**
 * Uses TLS by OpenSSL in all ways, good and bad, and prints which of its objects are left.
 *
 * Usage: exercise_tls.ts [gc] [canaries]
 *
 * With `gc` memory is collected between the steps, in the midst of handshakes too
 * (`--v8-flags=--expose-gc`); with `canaries` every buffer that a library is handed is guarded.
 *
 * @module
 */
import type { TlsOptions, Transport } from "../../../mod.ts";
import { guardBuffers } from "./_canaries.ts";
import { balance, keepLedger } from "./_ledger.ts";

const modes = new Set(Deno.args);
keepLedger();
if (modes.has("canaries")) guardBuffers();

const { DenoEventLoop, getRunningLoop, run } = await import("../../../mod.ts");
const { nativePlatform, newNativeEventLoop } = await import("../../../transports/native/mod.ts");
const { nativeTls } = await import("../../../transports/native/native_tls_context.ts");
const { authority, certificate, trusting } = await import("../../transports/_tls.ts");

const { gc } = globalThis as { gc?: () => void };
const isCollecting = modes.has("gc");
const collect = isCollecting ? gc as () => void : () => {};
let steps = 0;

function step(): void {
  steps += 1;
  // To collect memory takes some milliseconds.
  if (steps % 3 === 0) collect();
  new Uint8Array(4096).fill(steps);
}

function message(size: number): Uint8Array {
  return new Uint8Array(size).map((_, index) => index * 31 + size);
}

function isSame(actual: Uint8Array, expected: Uint8Array): boolean {
  return actual.length === expected.length && actual.every((byte, at) => byte === expected[at]);
}

/** Waits until as many bytes have come as it has sent. */
class Client {
  readonly done = Promise.withResolvers<void>();
  readonly lost = Promise.withResolvers<Error | null>();
  readonly #sent: Uint8Array;
  readonly #received: Uint8Array;
  #size = 0;

  constructor(size: number) {
    this.#sent = message(size);
    this.#received = new Uint8Array(size);
  }

  connectionMade(transport: Transport): void {
    step();
    transport.write(this.#sent);
  }

  dataReceived(data: Uint8Array): void {
    step();
    this.#received.set(data, this.#size);
    this.#size += data.length;
    if (this.#size < this.#sent.length) return;
    if (isSame(this.#received, this.#sent)) this.done.resolve();
    else this.done.reject(new Error("other bytes than were sent"));
  }

  connectionLost(error: Error | null): void {
    this.lost.resolve(error);
  }
}

class Echo {
  #transport: Transport | null = null;

  connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  dataReceived(data: Uint8Array): void {
    step();
    this.#transport?.write(data);
  }
}

const SERVER: TlsOptions = {
  ...certificate("server"),
  ...trusting,
  alpnProtocols: ["one", "two"],
  requestClientCert: "optional",
  sni: (name) => {
    step();
    return name === null ? null : certificate("server");
  },
};

/** Sends messages of many sizes, each on a connection of its own that ends in its own way. */
async function exchange(): Promise<void> {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => new Echo(), { hostname: "127.0.0.1", tls: SERVER });
  const { port } = server.address;
  const sizes = [1, 100, 16_383, 16_384, 16_385, 100_000, 300_000];
  for (const [index, size] of sizes.entries()) {
    const client = new Client(size);
    const [transport] = await loop.createConnection(() => client, {
      port,
      tls: {
        ...trusting,
        ...index % 2 === 0 ? certificate("client") : {},
        maxVersion: index % 3 === 0 ? "TLSv1.2" : "TLSv1.3",
        alpnProtocols: ["two", "three"],
      },
      serverHostname: index % 4 === 0 ? "127.0.0.1" : "localhost",
    });
    await client.done.promise;
    transport.getExtraInfo("tls")?.peerCertificate;
    if (index % 2 === 0) transport.close();
    else transport.abort();
    await client.lost.promise;
  }
  server.close();
  await server.waitClosed();
}

/** Secures what is secured. */
async function twice(): Promise<void> {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => {
    const echo = new Echo();
    return {
      connectionMade: (transport: Transport) => {
        loop.startTls(transport, echo, { tls: certificate("server"), serverSide: true })
          .addDoneCallback((done) => echo.connectionMade(done.result() as Transport));
      },
    };
  }, { hostname: "127.0.0.1", tls: certificate("server") });
  const [outer] = await loop.createConnection(() => ({}), {
    port: server.address.port,
    tls: trusting,
  });
  const client = new Client(300_000);
  const inner = await loop.startTls(outer, client, { tls: trusting, serverHostname: "localhost" });
  client.connectionMade(inner);
  await client.done.promise;
  inner.close();
  await client.lost.promise;
  server.close();
  await server.waitClosed();
}

/** What fails, on one side or on both, early or late. */
async function refuse(): Promise<void> {
  const loop = getRunningLoop();
  const refused: [TlsOptions, TlsOptions][] = [
    [{ caCerts: [authority("stranger")] }, {}],
    [{}, { ...trusting, requestClientCert: true }],
    [certificate("untrusted_client"), { ...trusting, requestClientCert: true }],
    [{ alpnProtocols: ["a"] }, { alpnProtocols: ["b"] }],
    [{ maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }],
    [{}, certificate("wrong_host")],
    [{}, certificate("expired")],
    [{}, {
      sni: () => {
        step();
        throw new Error("unknown");
      },
    }],
    [{}, { sni: () => ({ cert: "none", key: "none" }) }],
  ];
  for (const [tls, serverTls] of refused) {
    const server = await loop.createServer(() => new Echo(), {
      hostname: "127.0.0.1",
      tls: { ...certificate("server"), ...serverTls },
    });
    const client = new Client(1);
    const connecting = loop.createConnection(() => client, {
      port: server.address.port,
      tls: { ...trusting, ...tls },
      serverHostname: "localhost",
    });
    const error = await connecting.then(() => client.lost.promise, (error) => error);
    if (!(error instanceof Error)) throw new Error("nothing was refused");
    server.close();
    await server.waitClosed();
    step();
  }
  const useless: TlsOptions[] = [
    { cert: "none", key: "none" },
    { ...certificate("server"), key: certificate("client").key },
    { ...certificate("server"), key: "-----BEGIN ENCRYPTED", password: "x" },
    { ...certificate("server"), ciphers: "none" },
    { ...certificate("server"), caCerts: [authority(), "none"] },
  ];
  for (const tls of useless) {
    await loop.createServer(() => new Echo(), { tls }).then(
      () => Promise.reject(new Error("nothing was refused")),
      step,
    );
  }
}

/** Who closes a loop leaves handshakes behind. */
async function leave(): Promise<void> {
  const loop = new DenoEventLoop({ platform: nativePlatform() });
  await loop.runUntilComplete(function* () {
    const server = yield* loop.createServer(() => ({}), { hostname: "127.0.0.1" });
    const connecting = loop.createConnection(() => ({}), {
      port: server.address.port,
      tls: trusting,
    });
    connecting.addDoneCallback((done) => done.cancelled() || done.exception());
    for (let turn = 0; turn < 10; turn += 1) yield;
  });
  loop.close();
}

/** More contexts than are kept. */
function makeContexts(): void {
  for (let index = 0; index < 80; index += 1) {
    nativeTls.clientContext({ ...trusting, alpnProtocols: [`${index}`] }, "localhost");
  }
}

/** Engines that nobody destroys, and an end that comes by itself. */
async function forget(): Promise<void> {
  const nobody = {
    secured: step,
    encrypted: () => true,
    decrypted: step,
    ended: step,
    failed: step,
  };
  for (let index = 0; index < 20; index += 1) {
    nativeTls.clientContext(trusting, "localhost").start(nobody);
  }
  for (let turn = 0; turn < 10 && balance().SSL !== 0; turn += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

await run(async () => {
  await exchange();
  await twice();
  await refuse();
}, { loopFactory: newNativeEventLoop });
await leave();
makeContexts();
if (isCollecting) await forget();
console.log(steps > 50 ? "many" : steps, "steps; left:", JSON.stringify(balance()));
