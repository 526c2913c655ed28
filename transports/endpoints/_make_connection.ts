import type { ByteChannel } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { createProtocol } from "../core/create_protocol.ts";
import { untilOpened } from "./_until_opened.ts";
import type { ProtocolLike } from "../protocol.ts";
import { StreamTransport } from "../core/stream_transport.ts";
import type { Transport } from "../transport.ts";

/**
 * Puts a transport and a protocol on `channel`, and waits until the connection is made. If that
 * fails or is cancelled, the channel is closed.
 */
export function* makeConnection<P extends ProtocolLike, A extends Deno.Addr>(
  loop: PlatformLoop,
  channel: ByteChannel,
  protocolFactory: () => P,
): Coroutine<[Transport<A>, P]> {
  let protocol: P;
  try {
    protocol = createProtocol(protocolFactory);
  } catch (error) {
    channel.abort();
    throw error;
  }
  return [yield* openTransport(loop, channel, protocol), protocol];
}

/** As {@linkcode makeConnection} for a protocol that is there, on a channel of one direction or both. */
export function* openTransport<A extends Deno.Addr>(
  loop: PlatformLoop,
  channel: ByteChannel,
  protocol: ProtocolLike,
  direction?: "read" | "write",
): Coroutine<StreamTransport<A>> {
  const opened = loop.createFuture<void>();
  const transport = new StreamTransport<A>(loop, channel, protocol, { opened, direction });
  return yield* untilOpened(transport, opened);
}
