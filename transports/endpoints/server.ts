/**
 * What listens, and serves what connects.
 *
 * *Theory of operation.* A server owns listeners, which it hands an acceptor, and counts what comes
 * of their connections: handshakes of TLS, and then transports. It is
 *
 * - `bound` from its creation: its addresses are taken, and connections wait with the host;
 * - `serving` once it was started: the listeners report connections;
 * - `closing` after `close()`: it accepts no more, and what is open goes on;
 * - `closed` when its listeners have said so, and no handshake and no transport is left. Who waits
 *   in `waitClosed()` goes on.
 *
 * There is no way back. `serveForever()`, `shutdown()` and blocks of `await using` are operations on
 * top of that: each closes the server, and differs in how long it waits and what it ends by force.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { assertMove, type Moves } from "../../loop/errors/assert.ts";
import { type Context, copyContext, enterContext } from "../../loop/scheduling/context.ts";
import { CancelledError, InvalidStateError } from "../../loop/errors/errors.ts";
import { inWords } from "../../loop/values/in_words.ts";
import { lineOf, showAsText } from "../../loop/values/describe.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Acceptor, ByteChannel, Listener } from "../../loop/platform/platform.ts";
import { interruptedBy } from "../../loop/tasks/interrupted_by.ts";
import { NamedFuture } from "../../loop/tasks/named_future.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import { captureEngineContext, runInEngineContext } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { setKeepAlive } from "./_keep_alive.ts";
import { createProtocol } from "../core/create_protocol.ts";
import { SERVE_FOREVER, SHUTDOWN } from "../_options.ts";
import type { Secure } from "../tls/_secure_channel.ts";
import { openResources } from "../core/open_resources.ts";
import type { ProtocolLike } from "../protocol.ts";
import { FlowControlProtocol } from "../core/flow_control_protocol.ts";
import { StreamTransport, type TransportOwner } from "../core/stream_transport.ts";
import type { ResourceFigures } from "../../loop/inspection/resource_figures.ts";

/** Seconds that {@linkcode Server.shutdown} waits for connections where no grace is given. */
const DEFAULT_GRACE = 5;

/**
 * Seconds without a byte after which the end of a block does not wait for a connection any more.
 */
const SILENCE = 0.5;

/** How long what is asked to end may take to do so, as part of the grace before that. */
const LAST_CALL = 1 / 8;

/**
 * Settings of {@linkcode Server.shutdown}.
 *
 * @category Protocols and transports
 */
export interface ServerShutdownOptions {
  /** Seconds in which connections may end by themselves; 5 by default. */
  grace?: number | undefined;
}

/**
 * Settings of {@linkcode Server.serveForever}.
 *
 * @category Protocols and transports
 */
export interface ServeForeverOptions {
  /** Ends the server as {@linkcode Server.shutdown} does. By default it waits without a limit. */
  grace?: number | undefined;
  /** Aborting it ends the server, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/** What a server does with what it accepts, and what ends it. */
export interface ServerSettings {
  /** Puts TLS on each connection; none by default. */
  readonly secure?: Secure | null | undefined;
  /** Whether the system probes connections; its own setting by default. */
  readonly keepAlive?: boolean | undefined;
  /** Aborting it ends the server. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a server stands; see above. */
type State = "bound" | "serving" | "closing" | "closed";

/** Every legal move. Anything else is our bug, and asserts. */
const MOVES: Moves<State> = {
  bound: ["serving", "closing"],
  serving: ["closing"],
  closing: ["closed"],
  closed: [],
};

/**
 * Accepts connections and creates a protocol for each; `A` is the type of the addresses that it
 * listens at. As `asyncio.Server`.
 *
 * It is shut down at the end of an `await using` block, also when an error ends that: its
 * connections have 5 seconds to end by themselves, and those on which nothing happens half a second.
 *
 * @category Protocols and transports
 *
 * @example A server for the time of a block
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop } from "@gyre/asyncio";
 *
 * const loop = new DenoEventLoop();
 * await loop.runUntilComplete(async () => {
 *   await using server = await loop.createServer(() => ({}), { hostname: "127.0.0.1" });
 *   assertEquals(server.isServing(), true);
 * });
 * loop.close();
 * ```
 */
export class Server<A extends Deno.Addr = Deno.Addr> implements AsyncDisposable {
  readonly #loop: EventLoop;
  readonly #protocolFactory: () => ProtocolLike;
  /** The context variables that the factory sees, captured here. */
  readonly #context: Context = copyContext();
  /** The foreign context that it sees, likewise. */
  readonly #engineContext = captureEngineContext();
  #listeners: Listener<A>[];
  #state: State = "bound";
  /** Listeners whose address is not free yet. */
  #openListeners = 0;
  readonly #transports: Set<StreamTransport> = new Set();
  /** When it was created, by the clock of the loop. */
  readonly #since: number;
  /** How many connections were accepted. */
  #accepted = 0;
  /** Puts TLS on what is accepted, which takes a while. */
  readonly #secure: Secure | null;
  /** Whether the system probes connections. */
  readonly #keepAlive: boolean | undefined;
  readonly #handshakes: Set<Future<void>> = new Set();
  readonly #closedWaiters: Set<Future<void>> = new Set();
  /** What `serveForever()` waits for. */
  #forever: Future<void> | null = null;
  /** Seconds in which `serveForever()` ends the server, if it waits and has a limit. */
  #foreverGrace: number | undefined;
  /** Aborting it ends the server. */
  readonly #signal: AbortSignal | undefined;
  /** Takes the signal off. */
  #unfollow: () => void = () => {};
  readonly #acceptor: Acceptor = {
    accepted: (channel) => this.#accept(channel),
    failed: (error) => this.#report(error, "Accepting a connection has failed; it is tried again"),
    closed: () => {
      this.#openListeners -= 1;
      this.#endIfDone();
    },
  };
  readonly #owner: TransportOwner = {
    server: this,
    attached: (transport) => this.#transports.add(transport),
    detached: (transport) => {
      this.#transports.delete(transport);
      this.#endIfDone();
    },
  };

  /** @ignore Servers are created by `createServer()` and its like. */
  constructor(
    loop: EventLoop,
    listeners: readonly Listener<A>[],
    protocolFactory: () => ProtocolLike,
    { secure = null, keepAlive, signal }: ServerSettings = {},
  ) {
    this.#loop = loop;
    this.#since = loop.time();
    this.#listeners = [...listeners];
    this.#protocolFactory = protocolFactory;
    this.#secure = secure;
    this.#keepAlive = keepAlive;
    this.#signal = signal;
    openResources(loop).add(this);
    if (signal !== undefined) this.#follow(signal);
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<Server serving at="127.0.0.1:80" connections=2>`. */
  toString(): string {
    return lineOf(this, this.#state, {
      at: JSON.stringify(this.addresses.map(inWords).join(", ")).replace('""', ""),
      connections: this.#transports.size,
      handshakes: this.#handshakes.size,
    });
  }

  /** @ignore */
  [inside.inWords](): string {
    const places = this.addresses.map(inWords).join(" and ");
    return places === "" ? "server that is closed" : `server on ${places}`;
  }

  /** @ignore */
  [inside.figures](figures: ResourceFigures): void {
    figures.servers.push({
      id: figures.idOf(this),
      what: this[inside.inWords](),
      state: this.#state,
      addresses: this.addresses.map(inWords),
      connections: this.#transports.size,
      handshakes: this.#handshakes.size,
      accepted: this.#accepted,
      age: figures.now - this.#since,
    });
  }

  /** Where the server listens; empty once it is closed. As `sockets`. */
  get addresses(): A[] {
    return this.#listeners.map((listener) => listener.address);
  }

  /**
   * Where the server listens: the first of its {@linkcode addresses}.
   *
   * @throws {InvalidStateError} If the server is closed.
   */
  get address(): A {
    const [first] = this.#listeners;
    if (first !== undefined) return first.address;
    throw new InvalidStateError("Cannot get the address of the server: it is closed");
  }

  /** Returns the loop that the server lives on. */
  getLoop(): EventLoop {
    return this.#loop;
  }

  /** Whether new connections are accepted. */
  isServing(): boolean {
    return this.#state === "serving";
  }

  /**
   * Accepts connections from now on. Idempotent. Those that came before wait.
   *
   * @throws {InvalidStateError} If the server is closed.
   */
  startServing(): Future<void> {
    return startOperation(this.#loop, this.#startSteps());
  }

  /**
   * Accepts connections until it is cancelled; then it closes the server and waits for what is
   * open, as {@linkcode waitClosed} does, or, with a `grace`, {@linkcode shutdown}.
   *
   * @throws {InvalidStateError} If the server is closed, or is served for ever already.
   * @throws {CancelledError} At its end, also when {@linkcode close} is called, or when the signal
   * of `createServer()` aborts, whose reason is its `cause` then.
   */
  serveForever(options: ServeForeverOptions = {}): Future<void> {
    checkOptions("serve for ever", options, SERVE_FOREVER);
    const start = () =>
      startOperation(this.#loop, this.#serveSteps(options.grace), "serveForever of", this);
    // The server's own ends it anyway.
    if (options.signal === undefined || options.signal === this.#signal) return start();
    return interruptedBy(this.#loop, options.signal, start);
  }

  /**
   * Ends the server within a bounded time. It accepts no more, and waits until its connections have
   * ended by themselves. After `grace` seconds the tasks that serve them are cancelled, which closes
   * their connections, and other protocols' connections are closed, both in good order. What is open
   * still when another eighth of the grace is over is aborted. Cancelling it aborts at once.
   *
   * @throws {RangeError} If `grace` is no number of seconds.
   *
   * @example A server that ends although a client stays
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { CancelledError, openConnection, run, startServer } from "@gyre/asyncio";
   *
   * const ends: string[] = [];
   * await run(async () => {
   *   const server = await startServer(async (reader, writer) => {
   *     try {
   *       writer.write(await reader.readLine());
   *       await reader.readLine();
   *     } catch (error) {
   *       ends.push(error instanceof CancelledError ? "cancelled" : "failed");
   *       writer.write(new TextEncoder().encode("bye\n"));
   *       throw error;
   *     }
   *   }, { hostname: "127.0.0.1" });
   *   const { port } = server.address;
   *   const [reader, writer] = await openConnection({ port });
   *   writer.write(new TextEncoder().encode("hello\n"));
   *   await reader.readLine();
   *
   *   await server.shutdown({ grace: 0.1 });
   *   ends.push(new TextDecoder().decode(await reader.read()));
   *   writer.close();
   * });
   * assertEquals(ends, ["cancelled", "bye\n"]);
   * ```
   */
  shutdown(options: ServerShutdownOptions = {}): Future<void> {
    checkOptions("shut a server down", options, SHUTDOWN);
    return startOperation(
      this.#loop,
      this.#shutdownSteps(options.grace ?? DEFAULT_GRACE),
      "shutdown of",
      this,
    );
  }

  /** Accepts no more. Connections that are open go on. Idempotent. */
  close(): void {
    if (this.#hasClosed()) return;
    // First, so that a listener may report its end from within its `close()`.
    this.#move("closing");
    openResources(this.#loop).delete(this);
    this.#closeListeners();
    this.#forever?.cancel();
    this.#endIfDone();
  }

  /** @ignore Closes the listeners, without calling user code. The loop is closed. */
  [inside.release](): void {
    this.#unfollow();
    this.#closeListeners();
  }

  /** Waits until the server is closed and has no open connection left. */
  waitClosed(): Future<void> {
    const waiter = new NamedFuture<void>(this.#loop, "waitClosed of", this);
    this.#closedWaiters.add(waiter);
    this.#endIfDone();
    return waiter;
  }

  /** Closes the open connections in good order; see `Transport.close()`. */
  closeClients(): void {
    this.#cancelHandshakes();
    for (const transport of [...this.#transports]) transport.close();
  }

  /** Closes the open connections at once; see `Transport.abort()`. */
  abortClients(): void {
    this.#cancelHandshakes();
    for (const transport of [...this.#transports]) transport.abort();
  }

  /**
   * Shuts the server down, as {@linkcode shutdown} with a grace of 5 seconds. A connection is ended
   * sooner, when for half a second no byte came or went: one whose task waits for its client, or whose
   * client does not read. It may be one of the block itself, which an error has ended.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await startOperation(this.#loop, this.#disposeSteps());
  }

  /** @ignore Starts without a future. */
  [inside.start](): void {
    if (this.#hasClosed()) {
      throw new InvalidStateError("Cannot start the server: it is closed");
    }
    if (this.#state === "serving") return;
    this.#move("serving");
    // Before any starts: their ends are counted down from this.
    this.#openListeners = this.#listeners.length;
    for (const listener of this.#listeners) listener.start(this.#acceptor);
  }

  #accept(channel: ByteChannel): void {
    this.#accepted += 1;
    setKeepAlive(channel, this.#keepAlive);
    if (this.#secure === null) return this.#serve(channel);
    const handshake = startOperation(this.#loop, this.#handshakeSteps(channel, this.#secure));
    this.#handshakes.add(handshake);
    // It has made the transport by then: between the two the server is never seen empty.
    handshake.addDoneCallback(() => {
      this.#handshakes.delete(handshake);
      this.#endIfDone();
    });
  }

  *#handshakeSteps(channel: ByteChannel, secure: Secure): Coroutine<void> {
    let secured: ByteChannel;
    try {
      secured = yield* secure(channel);
    } catch (error) {
      // Strangers cause this at will, so that it is told in debug mode only, as in asyncio.
      if (this.#loop.getDebug()) this.#report(error, "The handshake of a connection has failed");
      return;
    }
    this.#serve(secured);
  }

  #cancelHandshakes(): void {
    for (const handshake of this.#handshakes) handshake.cancel();
  }

  #serve(channel: ByteChannel): void {
    enterContext(this.#context);
    try {
      runInEngineContext(this.#engineContext, () => {
        const protocol = createProtocol(this.#protocolFactory);
        new StreamTransport(this.#loop, channel, protocol, { owner: this.#owner });
      });
    } catch (exception) {
      channel.abort();
      this.#report(exception, "Error on transport creation for incoming connection");
    }
  }

  *#startSteps(): Coroutine<void> {
    this[inside.start]();
    yield;
  }

  *#shutdownSteps(grace: number): Coroutine<void> {
    this.close();
    try {
      if (yield* this.#closedWithin(grace)) return;
      this.#endClients();
      if (yield* this.#closedWithin(grace * LAST_CALL)) return;
    } catch (error) {
      this.abortClients();
      throw error;
    }
    this.abortClients();
    yield* this.waitClosed();
  }

  /** Waits that long at most. Returns whether everything is closed. */
  *#closedWithin(seconds: number): Coroutine<boolean> {
    const over = this.#loop.createFuture<boolean>();
    const end = (isClosed: boolean) => over.done() || over.setResult(isClosed);
    const closed = this.waitClosed();
    closed.addDoneCallback(() => closed.cancelled() || end(true));
    const timer = this.#loop.callLater(seconds, () => end(false));
    try {
      return yield* over;
    } finally {
      timer.cancel();
      this.#closedWaiters.delete(closed);
      closed.cancel();
    }
  }

  /** Asks every connection to end: who serves one may say a last word. */
  #endClients(): void {
    this.#cancelHandshakes();
    for (const transport of [...this.#transports]) endClient(transport);
  }

  *#disposeSteps(): Coroutine<void> {
    const asked = new Set<StreamTransport>();
    for (const transport of this.#transports) transport[inside.isSilent]();
    const endSilent = () => {
      this.#cancelHandshakes();
      for (const transport of [...this.#transports]) {
        if (!isSilent(transport)) continue;
        if (asked.has(transport)) transport.abort();
        else endClient(transport);
        asked.add(transport);
      }
      timer = this.#loop.callLater(SILENCE, endSilent);
    };
    let timer = this.#loop.callLater(SILENCE, endSilent);
    try {
      yield* this.#shutdownSteps(DEFAULT_GRACE);
    } finally {
      timer.cancel();
    }
  }

  *#serveSteps(grace: number | undefined): Coroutine<void> {
    if (this.#forever !== null) {
      throw new InvalidStateError("Cannot serve for ever: serveForever() is already awaited");
    }
    if (this.#signal?.aborted === true) {
      yield* this.waitClosed();
      throw new CancelledError(undefined, { cause: this.#signal.reason });
    }
    this[inside.start]();
    this.#forever = this.#loop.createFuture();
    this.#foreverGrace = grace;
    try {
      yield* this.#forever;
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      this.close();
      if (grace === undefined) yield* this.waitClosed();
      else yield* this.#shutdownSteps(grace);
      throw error;
    } finally {
      this.#forever = null;
      this.#foreverGrace = undefined;
    }
  }

  /** Ends the server when `signal` aborts. */
  #follow(signal: AbortSignal): void {
    const onAbort = () => {
      this.#unfollow();
      this.#forever?.cancel(undefined, { cause: signal.reason });
      this.shutdown({ grace: this.#foreverGrace });
    };
    signal.addEventListener("abort", onAbort);
    this.#unfollow = () => signal.removeEventListener("abort", onAbort);
  }

  #closeListeners(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }

  /** Whether {@linkcode close} was called. */
  #hasClosed(): boolean {
    return this.#state === "closing" || this.#state === "closed";
  }

  #move(state: State): void {
    assertMove("a server", MOVES, this.#state, state);
    this.#state = state;
  }

  /** Ends the server that was closed, when nothing of it is open; then nobody waits any more. */
  #endIfDone(): void {
    const isOpen = this.#openListeners + this.#handshakes.size + this.#transports.size > 0;
    if (this.#state === "closing" && !isOpen) this.#move("closed");
    if (this.#state !== "closed") return;
    this.#unfollow();
    for (const waiter of this.#closedWaiters) if (!waiter.done()) waiter.setResult();
    this.#closedWaiters.clear();
  }

  #report(exception: unknown, message: string): void {
    this.#loop.callExceptionHandler({ message, exception });
  }
}

/** Asks a connection to end. */
function endClient(transport: StreamTransport): void {
  const protocol = transport.getProtocol();
  if (!(protocol instanceof FlowControlProtocol) || !protocol[inside.cancelServing]()) {
    transport.close();
  }
}

/** Whether its client has neither sent nor taken a byte since the last time, and that is waited for. */
function isSilent(transport: StreamTransport): boolean {
  if (!transport[inside.isSilent]()) return false;
  const protocol = transport.getProtocol();
  return transport.getWriteBufferSize() > 0 || !(protocol instanceof FlowControlProtocol) ||
    protocol[inside.waitsForPeer]();
}
