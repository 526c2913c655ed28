import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import { checkOptions, type OptionTable } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { interruptedBy } from "../../loop/tasks/interrupted_by.ts";
import type { ByteChannel } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkFactory } from "../core/create_protocol.ts";
import { makeConnection } from "./_make_connection.ts";
import type { ProtocolLike } from "../protocol.ts";
import type { Secure } from "../tls/_secure_channel.ts";
import type { TlsTimeouts } from "../tls/tls_options.ts";
import type { Transport } from "../transport.ts";

/** The options that connections of every kind have. */
interface ConnectOptions extends TlsTimeouts {
  signal?: AbortSignal | undefined;
}

/** A kind of connection, told from others by the options `O` that say where it comes from. */
export interface ConnectionKind<O extends object> {
  /** What {@linkcode connect} does with it, for messages. */
  readonly action: string;
  /** What the options must be. */
  readonly table: OptionTable<O>;
  /** Returns what puts TLS on the connection; `null` without TLS. */
  secure(loop: PlatformLoop, options: O): Secure | null;
  /** Gets the channel of the connection. Cancelled, it leaves nothing open. */
  open(loop: PlatformLoop, options: O): Coroutine<ByteChannel>;
}

/**
 * Makes a connection of a kind: gets its channel, puts TLS on that, then a transport and a protocol.
 * Cancelled at any step, it closes what it has.
 */
export function connect<
  P extends ProtocolLike,
  A extends Deno.Addr,
  O extends ConnectOptions,
>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: O,
  kind: ConnectionKind<O>,
): Future<[Transport<A>, P]> {
  checkFactory(protocolFactory);
  checkOptions(kind.action, options, kind.table);
  checkLoopOpen(loop, kind.action);
  const start = () =>
    startOperation(
      loop,
      connectSteps<P, A, O>(loop, protocolFactory, options, kind),
      "connect to",
      options,
    );
  return interruptedBy(loop, options.signal, start);
}

function* connectSteps<P extends ProtocolLike, A extends Deno.Addr, O extends object>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  options: O,
  kind: ConnectionKind<O>,
): Coroutine<[Transport<A>, P]> {
  // First, so that nothing is opened when the options of TLS cannot be used.
  const secure = kind.secure(loop, options);
  const channel = yield* kind.open(loop, options);
  const secured = secure === null ? channel : yield* secure(channel);
  return yield* makeConnection(loop, secured, protocolFactory);
}
