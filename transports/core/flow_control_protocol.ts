import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import type { CancelledError } from "../../loop/errors/errors.ts";
import { type EventLoop, runningEventLoop } from "../../loop/event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { Operation } from "../../loop/tasks/operation.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { FLOW_CONTROL_PROTOCOL } from "../_options.ts";
import { connectionLost } from "./deno_connection_lost.ts";
import { BaseProtocol, type ProtocolLike } from "../protocol.ts";
import type { BaseTransport, Transport } from "../transport.ts";
import { peerOf } from "./peer_of.ts";

/** How a connection was lost: by `error`, or orderly. */
interface Loss {
  readonly error: Error | null;
}

/**
 * Settings of a {@linkcode FlowControlProtocol}.
 *
 * @category Protocols and transports
 */
export interface FlowControlProtocolOptions {
  /** The loop it belongs to. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/**
 * The protocol under a `StreamWriter`: who writes waits while its transport has too much to send,
 * and learns how the connection ended. As `FlowControlMixin` of `asyncio.streams`.
 *
 * @category Protocols and transports
 */
export class FlowControlProtocol extends BaseProtocol implements ProtocolLike {
  /** @ignore The options of its operations. */
  readonly [inside.options]: { readonly loop: EventLoop };
  /** What `drain()` gives when there is nothing to wait for; one object serves all calls. */
  readonly #drained: Future<void>;
  #paused = false;
  #loss: Loss | null = null;
  /** Both are bounded by the number of tasks. */
  readonly #drains: Set<Wait> = new Set();
  readonly #closeWaits: Set<Wait> = new Set();

  /** Creates the protocol of one connection. */
  constructor(options: FlowControlProtocolOptions = {}) {
    super();
    if (new.target === FlowControlProtocol) {
      checkOptions("create a protocol", options, FLOW_CONTROL_PROTOCOL);
    }
    this[inside.options] = { loop: options.loop ?? runningEventLoop() };
    this.#drained = new Drained(this[inside.options]);
  }

  override pauseWriting(): void {
    this.#paused = true;
  }

  override resumeWriting(): void {
    this.#paused = false;
    endAll(this.#drains, null);
  }

  override connectionLost(error: Error | null): void {
    this.#loss = { error };
    endAll(this.#closeWaits, error);
    endAll(this.#drains, error);
  }

  /**
   * @ignore Waits until `transport` has room.
   *
   * @param failure What the stream has failed with, or `null`.
   */
  [inside.drain](transport: BaseTransport, failure: unknown): Future<void> {
    const isFree = !this.#paused && this.#loss === null && !transport.isClosing();
    if (isFree && failure === null) return this.#drained;
    return startOperation(
      this[inside.options].loop,
      this.#drainSteps(transport, failure),
      "drain to",
      peerOf(transport),
    );
  }

  /** @ignore Whether it belongs to the side that has accepted the connection. */
  get [inside.isServer](): boolean {
    return false;
  }

  /** @ignore Cancels the task that serves the connection, which then closes it. Whether one did. */
  [inside.cancelServing](): boolean {
    return false;
  }

  /** @ignore Whether nobody serves the connection, or who does waits for its other side. */
  [inside.waitsForPeer](): boolean {
    return true;
  }

  /** @ignore Takes what has come and was not read. */
  [inside.takeUnread](): Uint8Array {
    return new Uint8Array(0);
  }

  /** @ignore The connection has moved to another transport. */
  [inside.move](_transport: Transport): void {}

  /** @ignore Whether the connection is gone. */
  get [inside.isLost](): boolean {
    return this.#loss !== null;
  }

  /** @ignore Waits until the connection is gone. Throws the error that it was lost by. */
  [inside.waitClosed](transport: BaseTransport): Future<void> {
    const { loop } = this[inside.options];
    return startOperation(loop, this.#closedSteps(), "waitClosed of", transport);
  }

  *#drainSteps(transport: BaseTransport, failure: unknown): Coroutine<void> {
    if (failure !== null) throw failure;
    // In this turn `connectionLost()` may come: so a writer that only drains learns of it.
    if (transport.isClosing()) yield;
    if (this.#loss !== null || hasDropped(transport)) throw connectionLost("drain a stream");
    if (this.#paused) yield* new Wait(this[inside.options], this.#drains);
  }

  *#closedSteps(): Coroutine<void> {
    if (this.#loss === null) yield* new Wait(this[inside.options], this.#closeWaits);
    else if (this.#loss.error !== null) throw this.#loss.error;
  }
}

/** Whether something that was written was dropped. */
function hasDropped(
  transport: BaseTransport & { readonly [inside.hasDropped]?: boolean },
): boolean {
  return transport[inside.hasDropped] === true;
}

function endAll(waits: Set<Wait>, error: Error | null): void {
  for (const wait of waits) wait.end(error);
  waits.clear();
}

/** Waits until it is ended by {@linkcode end}. */
class Wait extends Operation<void> {
  readonly #line: Set<Wait>;
  #error: Error | null = null;

  constructor(options: { readonly loop: EventLoop }, line: Set<Wait>) {
    super(options);
    this.#line = line;
    line.add(this);
  }

  end(error: Error | null): void {
    this.#error = error;
    this.wake();
  }

  protected override resumed(): void {
    if (this.#error === null) this.finish();
    else this.fail(this.#error);
  }

  protected override interrupted(error: CancelledError): void {
    this.#line.delete(this);
    this.fail(error);
  }
}

/** Has nothing to wait for. */
class Drained extends Operation<void> {
  constructor(options: { readonly loop: EventLoop }) {
    super(options);
    this.finish();
  }

  protected override resumed(): void {}

  protected override interrupted(): void {}
}
