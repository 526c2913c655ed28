import type { ByteChannel } from "../loop/platform.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import type { Coroutine } from "../loop/task.ts";
import { createClientContext, createServerContext, type TlsContext } from "./_deno_tls_context.ts";
import { DenoTlsChannel } from "./deno_tls_channel.ts";
import type { Held } from "./stream_transport.ts";
import type { TlsClientSettings, TlsServerSettings, TlsTimeouts } from "./tls_options.ts";

/**
 * Puts TLS on a channel, and waits for the handshake. `held` is what the channel has received
 * already, if anything.
 */
export type Secure = (channel: ByteChannel, held?: Held | null) => Coroutine<ByteChannel>;

/**
 * Returns what secures the connections of a client as `settings` say; `null` without TLS.
 *
 * @param hostname Where the client connects to, if it knows.
 */
export function secureClient(
  loop: PlatformLoop,
  settings: TlsClientSettings,
  hostname?: string,
): Secure | null {
  const { tls, serverHostname = hostname } = settings;
  if (tls === undefined) return withoutTls(settings);
  checkTimeouts(settings);
  const context = createClientContext(tls, serverHostname);
  return (channel, held) => handshake(loop, channel, context, settings, held);
}

/** Returns what secures the connections of a server as `settings` say; `null` without TLS. */
export function secureServer(loop: PlatformLoop, settings: TlsServerSettings): Secure | null {
  if (settings.tls === undefined) return withoutTls(settings);
  checkTimeouts(settings);
  const context = createServerContext(settings.tls);
  return (channel, held) => handshake(loop, channel, context, settings, held);
}

function* handshake(
  loop: PlatformLoop,
  wire: ByteChannel,
  context: TlsContext,
  timeouts: TlsTimeouts,
  held: Held | null = null,
): Coroutine<ByteChannel> {
  const channel = new DenoTlsChannel(loop, wire, context, timeouts);
  if (held === "end") channel.ended();
  else if (held !== null) channel.received(held.buffer, held.count);
  try {
    yield* channel.secured;
  } catch (error) {
    channel.abort();
    throw error;
  }
  return channel;
}

/** Throws if there are settings that mean nothing without TLS. */
function withoutTls(settings: TlsClientSettings): null {
  for (const name of ["serverHostname", "tlsHandshakeTimeout", "tlsShutdownTimeout"] as const) {
    if (settings[name] === undefined) continue;
    throw new TypeError(`Cannot use ${name} without TLS: tls is missing`);
  }
  return null;
}

function checkTimeouts(timeouts: TlsTimeouts): void {
  for (const name of ["tlsHandshakeTimeout", "tlsShutdownTimeout"] as const) {
    const seconds = timeouts[name] ?? 1;
    if (seconds > 0) continue;
    throw new RangeError(`Cannot set ${name} as it must be above 0: it is ${seconds}`);
  }
}
