/**
 * The state machine of datagram endpoints.
 *
 * *Theory of operation.* A transport is `opening` until `connectionMade()`, an entry of the loop;
 * `open` while it sends and receives; `flushing` after `close()` while datagrams are buffered;
 * `closing` once the channel was told to close; `closed` at the end. A datagram that cannot be
 * sent changes nothing: the protocol is told, and the endpoint goes on. Nor does what the protocol
 * throws: anybody can send a datagram that it cannot read, and all peers share the endpoint.
 *
 * Deno has no connected sockets for datagrams. An endpoint with a remote address remembers it,
 * and drops what comes from elsewhere.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import { assertMove, type Moves } from "../../loop/errors/assert.ts";
import { type Context, copyContext, enterContext } from "../../loop/scheduling/context.ts";
import { describe, lineOf, showAsText } from "../../loop/values/describe.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import {
  captureEngineContext,
  isInEngineContext,
  runInEngineContext,
} from "../../loop/platform/platform_loop.ts";
import { formatAddress } from "../../loop/values/format_address.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { DatagramChannel, DatagramSink, SocketAddress } from "../../loop/platform/platform.ts";
import { checkProtocol } from "./create_protocol.ts";
import { FlowControl } from "./_flow_control.ts";
import { remedyForBytes } from "./_remedy_for_bytes.ts";
import { unsendable } from "./deno_unsendable.ts";
import { hostKey } from "../names/ip_address.ts";
import { type OpenResource, openResources } from "./open_resources.ts";
import type { DatagramProtocolLike } from "../protocol.ts";
import type { DatagramTransport, ExtraInfo, WriteBufferLimits } from "../transport.ts";
import type { ResourceFigures } from "../../loop/inspection/resource_figures.ts";
import { inWords } from "../../loop/values/in_words.ts";

/** Where an endpoint stands; see above. */
type State = "opening" | "open" | "flushing" | "closing" | "closed";

/** Every legal move. Anything else is our bug, and asserts. */
const MOVES: Moves<State> = {
  opening: ["open", "flushing", "closing"],
  open: ["flushing", "closing", "closed"],
  flushing: ["closing", "closed"],
  closing: ["closed"],
  closed: [],
};

/** Settings of a {@linkcode DatagramEndpoint}. */
export interface DatagramEndpointOptions {
  /** The only peer. */
  readonly remote: Deno.NetAddr | null;
  /** Whether it may send to all hosts at once. */
  readonly allowBroadcast: boolean;
}

/** A transport over a datagram channel. Created by `createDatagramEndpoint()`. */
export class DatagramEndpoint implements DatagramTransport, DatagramSink, OpenResource {
  readonly #loop: EventLoop;
  readonly #channel: DatagramChannel;
  readonly #remote: Deno.NetAddr | null;
  readonly #allowBroadcast: boolean;
  readonly #opened: Future<void>;
  readonly #context: Context = copyContext();
  /** The foreign context that they see, and whether it is another one than that of the loop. */
  readonly #creator = captureEngineContext();
  #isForeign = false;
  readonly #flow = new FlowControl();
  #protocol: DatagramProtocolLike;
  #state: State = "opening";
  /** How the peer was written when it was told last. */
  #peer: string | null;
  /** Bytes that have come, and that were to be sent; since when it is there. */
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #since: number;
  /** Where the last datagram has come from, if the channel has frozen that. */
  #from: Deno.NetAddr | null = null;
  /** Bytes that have not gone out. */
  #unsent = 0;
  /** Datagrams that have not gone out; an empty one counts too. */
  #pending = 0;

  /** Starts on `channel`, which belongs to the transport from now on. */
  constructor(
    loop: EventLoop,
    channel: DatagramChannel,
    protocol: DatagramProtocolLike,
    { remote, allowBroadcast }: DatagramEndpointOptions,
    opened: Future<void>,
  ) {
    this.#loop = loop;
    this.#since = loop.time();
    this.#channel = channel;
    this.#protocol = protocol;
    this.#remote = remote;
    this.#peer = remote?.hostname ?? null;
    this.#allowBroadcast = allowBroadcast;
    this.#opened = opened;
    openResources(loop).add(this);
    loop[inside.enqueue](this);
  }

  getExtraInfo<N extends keyof ExtraInfo<Deno.NetAddr>, F = undefined>(
    name: N,
    fallback?: F,
  ): ExtraInfo<Deno.NetAddr>[N] | F;
  getExtraInfo(name: string, fallback?: unknown): unknown;
  getExtraInfo(name: string, fallback?: unknown): unknown {
    if (name === "sockname") return this.#channel.address;
    if (name === "peername") return this.#remote ?? fallback;
    return name === "socket" ? this.#channel : fallback;
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<DatagramEndpoint open pending=2>`. */
  toString(): string {
    return lineOf(this, this.#state, { pending: this.#pending, unsent: this.#unsent });
  }

  /** @ignore */
  [inside.inWords](): string {
    const remote = this.#remote;
    return remote === null
      ? `datagram endpoint on ${inWords(this.#channel.address)}`
      : `datagram endpoint to ${inWords(remote)}`;
  }

  /** @ignore */
  [inside.figures](figures: ResourceFigures): void {
    figures.transports.push({
      id: figures.idOf(this),
      what: this[inside.inWords](),
      kind: "udp",
      peer: this.#remote === null ? null : inWords(this.#remote),
      local: inWords(this.#channel.address),
      state: this.#state,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      buffered: this.#unsent,
      readingPaused: false,
      writingPaused: this.#flow.paused,
      age: figures.now - this.#since,
      server: null,
    });
  }

  sendto(data: Uint8Array, address?: SocketAddress): void {
    if (!(data instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot send a datagram: expected a Uint8Array, got ${describe(data)}${
          remedyForBytes(data)
        }`,
      );
    }
    const target = this.#targetOf(address);
    if (this.isClosing()) return;
    const size = data.length;
    this.#unsent += size;
    this.#bytesOut += size;
    this.#pending += 1;
    const error = unsendable(target, this.#allowBroadcast);
    if (error === null) this.#channel.send(data, target);
    else this.#loop[inside.enqueue](new Step(() => this.#refuse(error, size)));
    this.#pauseIfHigh();
  }

  setProtocol(protocol: DatagramProtocolLike): void {
    this.#protocol = checkProtocol(protocol);
  }

  getProtocol(): DatagramProtocolLike {
    return this.#protocol;
  }

  close(): void {
    if (this.isClosing()) return;
    if (this.#pending > 0) this.#move("flushing");
    else this.#closeChannel();
  }

  abort(): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#unsent = this.#pending = 0;
    this.#closeChannel();
  }

  isClosing(): boolean {
    return this.#state !== "opening" && this.#state !== "open";
  }

  getWriteBufferSize(): number {
    return this.#unsent;
  }

  getWriteBufferLimits(): [low: number, high: number] {
    return this.#flow.limits;
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.#flow.setLimits(limits);
    this.#pauseIfHigh();
  }

  /** @ignore The first entry of the transport. */
  [inside.run](): void {
    this.#isForeign = !isInEngineContext(this.#creator);
    if (this.#state === "opening") this.#move("open");
    this.#call("connectionMade", this);
    this.#channel.start(this);
    if (!this.#opened.done()) this.#opened.setResult();
  }

  /** @ignore */
  [inside.release](): void {
    this.#channel.close();
  }

  /** @ignore */
  received(bytes: Uint8Array, from: Deno.NetAddr): void {
    if (this.#state !== "open" || !this.#isPeer(from)) return;
    this.#bytesIn += bytes.length;
    this.#from = Object.isFrozen(from) ? from : null;
    this.#call("datagramReceived", bytes, from);
  }

  /** @ignore */
  sent(count: number): void {
    this.#unsent -= count;
    this.#pending -= 1;
    if (this.#pending === 0 && this.#state === "flushing") this.#closeChannel();
    if (this.#flow.mayResume(this.#unsent)) {
      this.#loop[inside.enter](new Step(() => this.#resumeWriting()));
    }
  }

  /** @ignore */
  failed(error: Error): void {
    this.#call("errorReceived", error);
  }

  /** @ignore */
  closed(error: Error | null = null): void {
    this.#move("closed");
    this.#unsent = this.#pending = 0;
    openResources(this.#loop).delete(this);
    this.#call("connectionLost", error);
  }

  #move(state: State): void {
    assertMove("an endpoint", MOVES, this.#state, state);
    this.#state = state;
  }

  /** Returns where to send to: a copy, for the address may be changed before that. */
  #targetOf(address: SocketAddress | undefined): Deno.NetAddr {
    const remote = this.#remote;
    if (address === undefined) {
      if (remote !== null) return remote;
      throw new TypeError("Cannot send a datagram: there is no address and no remote one");
    }
    // An answer: where a datagram has come from was an address then, and nobody can have changed it.
    const from = this.#from;
    if (from !== null && address === from && remote === null) return from;
    const { hostname, port } = checkAddress(address);
    if (remote === null) return { transport: "udp", hostname, port };
    if (this.#isPeer({ hostname, port })) return remote;
    throw new RangeError(
      `Cannot send a datagram to "${formatAddress({ hostname, port })}": ` +
        `the endpoint is connected to "${formatAddress(remote)}"`,
    );
  }

  /** Whether `address` is the remote one, however it is written; any is where there is none. */
  #isPeer({ hostname, port }: SocketAddress): boolean {
    const remote = this.#remote;
    if (remote === null) return true;
    if (port !== remote.port) return false;
    if (hostname === remote.hostname || hostname === this.#peer) return true;
    if (hostKey(hostname) !== hostKey(remote.hostname)) return false;
    this.#peer = hostname;
    return true;
  }

  /** A datagram that cannot be sent has had its turn. */
  #refuse(error: Error, size: number): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.failed(error);
    this.sent(size);
  }

  #pauseIfHigh(): void {
    if (this.#flow.pause(this.#unsent)) this.#callInPlace("pauseWriting");
  }

  #resumeWriting(): void {
    if (this.#state === "closed") return;
    if (this.#flow.resume(this.#unsent)) this.#call("resumeWriting");
  }

  #closeChannel(): void {
    this.#move("closing");
    this.#channel.close();
  }

  /** Calls a method of the protocol from the loop. */
  #call<M extends keyof DatagramProtocolLike>(
    method: M,
    ...args: Parameters<NonNullable<DatagramProtocolLike[M]>>
  ): void {
    enterContext(this.#context);
    if (!this.#isForeign) return this.#callInPlace(method, ...args);
    runInEngineContext(this.#creator, () => this.#callInPlace(method, ...args));
  }

  /** Calls a method of the protocol. What it throws, or rejects with, does not end the endpoint. */
  #callInPlace<M extends keyof DatagramProtocolLike>(
    method: M,
    ...args: Parameters<NonNullable<DatagramProtocolLike[M]>>
  ): void {
    const protocol = this.#protocol as Record<M, ((...args: unknown[]) => unknown) | undefined>;
    try {
      const result = protocol[method]?.(...args);
      // An async function: nobody else would see how its promise fails.
      if (result instanceof Promise) result.catch((error) => this.#report(error, method));
    } catch (error) {
      this.#report(error, method);
    }
  }

  #report(exception: unknown, method: string): void {
    this.#loop.callExceptionHandler({
      message: `Exception in protocol.${method}()`,
      exception,
      transport: this,
      protocol: this.#protocol,
    });
  }
}

/** Returns the parts of `address`, read once. */
function checkAddress(address: SocketAddress): SocketAddress {
  if (typeof address !== "object" || address === null) {
    throw new TypeError(`Cannot send a datagram: expected an address, got ${describe(address)}`);
  }
  const { hostname, port } = address;
  if (typeof hostname !== "string" || hostname === "") {
    const state = hostname === "" ? "it is empty" : `got ${describe(hostname)}`;
    throw new TypeError(`Cannot send a datagram: expected a hostname, ${state}`);
  }
  if (typeof port !== "number") {
    throw new TypeError(`Cannot send a datagram: expected a port, got ${describe(port)}`);
  }
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return { hostname, port };
  throw new RangeError(`Cannot send a datagram to port ${port}: it is not between 0 and 65535`);
}
