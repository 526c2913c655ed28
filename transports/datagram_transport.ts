/**
 * The state machine of datagram endpoints.
 *
 * *Theory of operation.* A transport is `opening` until `connectionMade()`, an entry of the loop;
 * `open` while it sends and receives; `flushing` after `close()` while datagrams are buffered;
 * `closing` once the channel was told to close; `closed` at the end. A datagram that cannot be
 * sent changes nothing: the protocol is told, and the endpoint goes on.
 *
 * Deno has no connected sockets for datagrams. An endpoint with a remote address remembers it,
 * and drops what comes from elsewhere.
 *
 * @module
 */
import { assert } from "../loop/assert.ts";
import { type Context, copyContext, enterContext } from "../loop/context.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/future.ts";
import type { DatagramChannel, DatagramSink } from "../loop/platform.ts";
import { FlowControl } from "./_flow_control.ts";
import { type OpenResource, openResources } from "./open_resources.ts";
import type { EndpointProtocol } from "./protocol.ts";
import type { DatagramAddress, DatagramTransport, WriteBufferLimits } from "./transport.ts";

/** Where an endpoint stands; see above. */
type State = "opening" | "open" | "flushing" | "closing" | "closed";

/** Every legal move. Anything else is our bug, and asserts. */
const MOVES: Readonly<Record<State, readonly State[]>> = {
  opening: ["open", "flushing", "closing"],
  open: ["flushing", "closing"],
  flushing: ["closing"],
  closing: ["closed"],
  closed: [],
};

/** A transport over a datagram channel. Created by `createDatagramEndpoint()`. */
export class DatagramEndpoint implements DatagramTransport, DatagramSink, OpenResource {
  readonly #loop: EventLoop;
  readonly #channel: DatagramChannel;
  readonly #protocol: EndpointProtocol;
  readonly #remote: Deno.NetAddr | null;
  readonly #opened: Future<void>;
  readonly #context: Context = copyContext();
  readonly #flow = new FlowControl();
  #state: State = "opening";
  #error: Error | null = null;
  /** Bytes that have not gone out. */
  #unsent = 0;
  /** Datagrams that have not gone out; an empty one counts too. */
  #pending = 0;

  /** Starts on `channel`, which belongs to the transport from now on. */
  constructor(
    loop: EventLoop,
    channel: DatagramChannel,
    protocol: EndpointProtocol,
    remote: Deno.NetAddr | null,
    opened: Future<void>,
  ) {
    this.#loop = loop;
    this.#channel = channel;
    this.#protocol = protocol;
    this.#remote = remote;
    this.#opened = opened;
    openResources(loop).add(this);
    loop.enqueue(this);
  }

  getExtraInfo(name: string, fallback?: unknown): unknown {
    if (name === "sockname") return this.#channel.address;
    if (name === "peername") return this.#remote ?? fallback;
    return name === "socket" ? this.#channel : fallback;
  }

  sendto(data: Uint8Array, address?: DatagramAddress): void {
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(`Cannot send a datagram: expected a Uint8Array, got ${typeof data}`);
    }
    const target = this.#targetOf(address);
    if (this.isClosing()) return;
    this.#unsent += data.length;
    this.#pending += 1;
    this.#channel.send(data, target);
    this.#pauseIfHigh();
  }

  close(): void {
    if (this.isClosing()) return;
    if (this.#pending > 0) this.#move("flushing");
    else this.#closeChannel();
  }

  abort(): void {
    this.#lose(null);
  }

  isClosing(): boolean {
    return this.#state !== "opening" && this.#state !== "open";
  }

  getWriteBufferSize(): number {
    return this.#unsent;
  }

  getWriteBufferLimits(): [low: number, high: number] {
    return [this.#flow.low, this.#flow.high];
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.#flow.setLimits(limits);
    this.#pauseIfHigh();
  }

  /** @ignore The first entry of the transport. */
  _run(): void {
    if (this.#state === "opening") this.#move("open");
    this.#call("connectionMade", () => this.#protocol.connectionMade?.(this));
    this.#channel.start(this);
    if (!this.#opened.done()) this.#opened.setResult();
  }

  /** @ignore */
  _release(): void {
    this.#channel.close();
  }

  /** @ignore */
  received(bytes: Uint8Array, address: Deno.Addr): void {
    const remote = this.#remote;
    const from = address as Deno.NetAddr;
    if (remote !== null && (from.port !== remote.port || from.hostname !== remote.hostname)) return;
    if (this.#state !== "open") return;
    enterContext(this.#context);
    try {
      this.#protocol.datagramReceived?.(bytes, from);
    } catch (error) {
      this.#fail(error, "datagramReceived");
    }
  }

  /** @ignore */
  sent(count: number): void {
    this.#unsent -= count;
    this.#pending -= 1;
    if (this.#pending === 0 && this.#state === "flushing") this.#closeChannel();
    if (this.#flow.paused && this.#unsent <= this.#flow.low) {
      this.#loop.enter({ _run: () => this.#resumeWriting() });
    }
  }

  /** @ignore */
  failed(error: Error): void {
    enterContext(this.#context);
    try {
      this.#protocol.errorReceived?.(error);
    } catch (thrown) {
      this.#fail(thrown, "errorReceived");
    }
  }

  /** @ignore */
  closed(): void {
    this.#move("closed");
    openResources(this.#loop).delete(this);
    this.#call("connectionLost", () => this.#protocol.connectionLost?.(this.#error));
  }

  #move(state: State): void {
    assert(MOVES[this.#state].includes(state), `an endpoint moved: ${this.#state} to ${state}`);
    this.#state = state;
  }

  #targetOf(address: DatagramAddress | undefined): Deno.NetAddr {
    const remote = this.#remote;
    if (remote === null) {
      if (address !== undefined) return { transport: "udp", ...address };
      throw new TypeError("Cannot send a datagram: there is no address and no remote one");
    }
    if (
      address !== undefined &&
      (address.hostname !== remote.hostname || address.port !== remote.port)
    ) {
      throw new RangeError(
        `Cannot send a datagram to "${address.hostname}:${address.port}": ` +
          `the endpoint is connected to "${remote.hostname}:${remote.port}"`,
      );
    }
    return remote;
  }

  #pauseIfHigh(): void {
    if (this.#flow.paused || this.#unsent <= this.#flow.high) return;
    this.#flow.paused = true;
    try {
      this.#protocol.pauseWriting?.();
    } catch (error) {
      this.#report(error, "Exception in protocol.pauseWriting()");
    }
  }

  #resumeWriting(): void {
    if (!this.#flow.paused || this.#unsent > this.#flow.low || this.#state === "closed") return;
    this.#flow.paused = false;
    this.#call("resumeWriting", () => this.#protocol.resumeWriting?.());
  }

  #closeChannel(): void {
    this.#move("closing");
    this.#channel.close();
  }

  /** Calls a method whose errors do not end the endpoint. */
  #call(method: string, call: () => void): void {
    enterContext(this.#context);
    try {
      call();
    } catch (error) {
      this.#report(error, `Exception in protocol.${method}()`);
    }
  }

  /** A method of the protocol has thrown: the endpoint cannot go on. */
  #fail(thrown: unknown, method: string): void {
    this.#report(thrown, `Fatal error: protocol.${method}() call failed`);
    const error = thrown instanceof Error
      ? thrown
      : new Error(`Cannot go on with an endpoint: its protocol threw ${String(thrown)}`);
    this.#lose(error);
  }

  #lose(error: Error | null): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#error = error;
    this.#unsent = this.#pending = 0;
    this.#closeChannel();
  }

  #report(exception: unknown, message: string): void {
    const protocol = this.#protocol;
    this.#loop.callExceptionHandler({ message, exception, transport: this, protocol });
  }
}
