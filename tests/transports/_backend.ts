import { assertEquals, assertInstanceOf } from "@std/assert";
import { CancelledError } from "../../mod.ts";
import type {
  Coroutine,
  DenoEventLoop,
  EventLoop,
  ExceptionContext,
  Future,
  ProtocolLike,
  Server,
  Transport,
} from "../../mod.ts";

/**
 * A kind of connection that the suites run on: TCP, TLS, Unix sockets, a simulated network; `A` is
 * the type of its addresses.
 */
export interface Backend<A extends Deno.Addr = Deno.Addr> {
  /** The kind, for the names of tests. */
  readonly name: string;
  /** More bytes than a connection takes whose other end does not read. */
  readonly capacity: number;
  /** Whether the host takes what fits within the call of `write()`. */
  readonly writesAtOnce?: boolean;
  /** Whether both directions end together, as with TLS. */
  readonly endsWhole?: boolean;
  /** Creates a loop that has such connections. */
  createLoop(): DenoEventLoop;
  /** Starts a server. */
  serve(
    loop: DenoEventLoop,
    factory: () => ProtocolLike,
    options?: { signal?: AbortSignal },
  ): Future<Server<A>>;
  /** Connects to it; `address` is one of its addresses. */
  connect<P extends ProtocolLike>(
    loop: DenoEventLoop,
    address: A,
    factory: () => P,
  ): Future<[Transport, P]>;
}

/** What a test is given. */
export interface Stage {
  loop: DenoEventLoop;
  /** Returns what the exception handler was told since the last call. A test takes it all. */
  takeReports(): ExceptionContext[];
}

/** A connection with its two ends. */
export interface Pair<C, S> {
  server: Server;
  /** The client's end. */
  client: Transport;
  clientProtocol: C;
  /** The server's end. */
  peer: Transport;
  peerProtocol: S;
}

/** Runs `main` on a loop of its own. Fails if an error was reported and not taken. */
export async function runOn(
  backend: Backend,
  main: (stage: Stage) => Coroutine<void>,
): Promise<void> {
  const loop = backend.createLoop();
  let reports: ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  const takeReports = () => {
    const taken = reports;
    reports = [];
    return taken;
  };
  try {
    await loop.runUntilComplete(main({ loop, takeReports }));
  } finally {
    loop.close();
    assertEquals(reports.map((report) => [report.message, report.exception]), []);
  }
}

/** Connects one client to a server that closes with it. */
export function* connectPair<C extends ProtocolLike, S extends ProtocolLike>(
  backend: Backend,
  loop: DenoEventLoop,
  clientProtocol: C,
  peerProtocol: S,
): Coroutine<Pair<C, S>> {
  const accepted = loop.createFuture<Transport>();
  const made = peerProtocol.connectionMade;
  peerProtocol.connectionMade = (transport) => {
    accepted.setResult(transport);
    made?.call(peerProtocol, transport);
  };
  const server = yield* backend.serve(loop, () => peerProtocol);
  const [client] = yield* backend.connect(loop, server.address, () => clientProtocol);
  const peer = yield* accepted;
  server.close();
  return { server, client, clientProtocol, peer, peerProtocol };
}

/**
 * Sends one byte from the client to its peer and waits for it. What the peer has written before
 * has reached the client's host by then.
 */
export function* ping(pair: Pair<ProtocolLike, Recorder>): Coroutine<void> {
  const { client, peerProtocol } = pair;
  const arrived = peerProtocol.received(peerProtocol.size + 1);
  client.write(utf8("."));
  yield* arrived;
}

/** Closes both ends at once and waits until they are. */
export function* closePair(pair: Pair<Recorder, Recorder>): Coroutine<void> {
  pair.client.abort();
  pair.peer.abort();
  yield* pair.clientProtocol.lost;
  yield* pair.peerProtocol.lost;
  yield* pair.server.waitClosed();
}

/** A protocol that writes down what it is told. Methods that a test sets are called as well. */
export class Recorder implements ProtocolLike {
  /** Every call: `made`, `data`, `eof`, `pause`, `resume`, `lost`; joined data is one entry. */
  readonly log: string[] = [];
  readonly chunks: Uint8Array[] = [];
  /** How many bytes have come. */
  size = 0;
  error: Error | null = null;
  /** Finished by `connectionLost`. */
  readonly lost: Future<Error | null>;
  /** Finished by `eofReceived`. */
  readonly eof: Future<void>;
  /** Whether `eofReceived` keeps the connection open. */
  keepOpen = false;
  transport: Transport | null = null;
  readonly #loop: EventLoop;
  #wanted: { size: number; future: Future<void> } | null = null;

  constructor(loop: EventLoop) {
    this.#loop = loop;
    this.lost = loop.createFuture();
    this.eof = loop.createFuture();
  }

  /** Waits until `size` bytes have come in all. */
  received(size: number): Future<void> {
    const future = this.#loop.createFuture<void>();
    this.#wanted = { size, future };
    this.#check();
    return future;
  }

  /** What has come, as text. */
  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  /** What has come. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    let offset = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  }

  connectionMade(transport: Transport): void {
    this.transport = transport;
    this.log.push("made");
  }

  dataReceived(data: Uint8Array): void {
    if (this.log.at(-1) !== "data") this.log.push("data");
    this.chunks.push(data);
    this.size += data.length;
    this.#check();
  }

  eofReceived(): boolean {
    this.log.push("eof");
    this.eof.setResult();
    return this.keepOpen;
  }

  pauseWriting(): void {
    this.log.push("pause");
  }

  resumeWriting(): void {
    this.log.push("resume");
  }

  connectionLost(error: Error | null): void {
    this.log.push("lost");
    this.error = error;
    this.lost.setResult(error);
  }

  #check(): void {
    if (this.#wanted === null || this.size < this.#wanted.size) return;
    if (!this.#wanted.future.done()) this.#wanted.future.setResult();
    this.#wanted = null;
  }
}

/** Ends the stream of `transport`: its own side where each has one, else the connection. */
export function endStream(transport: Transport): void {
  if (transport.canWriteEof()) transport.writeEof();
  else transport.close();
}

/** Returns `text` in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns `size` bytes that differ from their neighbours, so that a gap or a swap shows. */
export function pattern(size: number): Uint8Array {
  while (patternBytes.length < size) patternBytes = grow(patternBytes);
  return patternBytes.subarray(0, size);
}

/** Grown on demand and shared: making it takes longer than sending it. */
let patternBytes = new Uint8Array(0);

function grow(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(bytes.length * 2, 1 << 20));
  let state = 1;
  for (let index = 0; index < grown.length; index += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    grown[index] = state >> 16;
  }
  return grown;
}

/** Whether two runs of bytes are the same. `assertEquals` takes minutes on megabytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** Lets `count` iterations of the loop pass. */
export function* passIterations(count: number): Coroutine<void> {
  for (let index = 0; index < count; index += 1) yield;
}

/**
 * Cancels connecting `times` times, after 0, 1, 2, … iterations of the loop, and waits for the end of
 * what was made. Returns how often the cancellation came too late.
 */
export function* cancelAtEachIteration(
  loop: DenoEventLoop,
  times: number,
  connect: (factory: () => ProtocolLike) => Future<[Transport, ProtocolLike]>,
): Coroutine<number> {
  let connected = 0;
  for (let iterations = 0; iterations < times; iterations += 1) {
    const made = loop.createFuture<void>();
    const lost = loop.createFuture<void>();
    const connecting = connect(() => ({
      connectionMade: () => made.setResult(),
      connectionLost: () => lost.setResult(),
    }));
    yield* passIterations(iterations);
    if (!connecting.cancel()) {
      connected += 1;
      (yield* connecting)[0].abort();
    } else assertInstanceOf(yield* errorOf(connecting), CancelledError);
    if (made.done()) yield* lost;
  }
  return connected;
}

/** Waits for `future` and gives what it throws. Fails if it throws nothing. */
export function* errorOf(future: Future<unknown>): Coroutine<Error & { code?: string }> {
  try {
    yield* future;
  } catch (error) {
    return error as Error;
  }
  throw new Error("Expected an error, got none");
}

/** A factory that must not be called. */
export function neverCalled(): ProtocolLike {
  throw new Error("The factory was called");
}
