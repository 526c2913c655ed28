import type { ByteChannel, Tls, TlsContext } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { denoTls } from "./_deno_tls_context.ts";
import { DenoTlsChannel } from "./deno_tls_channel.ts";
import type {
  TlsClientSettings,
  TlsOptions,
  TlsServerSettings,
  TlsTimeouts,
} from "./tls_options.ts";

/** Puts TLS on a channel, and waits for the handshake. */
export type Secure = (channel: ByteChannel) => Coroutine<ByteChannel>;

/**
 * Puts TLS on a channel and starts the handshake. `unread` is what the channel has received
 * already.
 */
export type StartHandshake = (
  channel: ByteChannel,
  unread?: readonly (Uint8Array | "end")[],
) => DenoTlsChannel;

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
  if (settings.tls === undefined) return withoutTls(settings);
  const start = clientHandshake(loop, settings.tls, settings, hostname);
  return (channel) => untilSecured(start(channel));
}

/** Returns what secures the connections of a server as `settings` say; `null` without TLS. */
export function secureServer(loop: PlatformLoop, settings: TlsServerSettings): Secure | null {
  if (settings.tls === undefined) return withoutTls(settings);
  const start = serverHandshake(loop, settings.tls, settings);
  return (channel) => untilSecured(start(channel));
}

/** Returns what starts the handshakes of a client; `hostname` as for {@linkcode secureClient}. */
export function clientHandshake(
  loop: PlatformLoop,
  tls: true | TlsOptions,
  settings: TlsClientSettings,
  hostname?: string,
): StartHandshake {
  checkTimeouts(settings);
  const options = tls === true ? {} : tls;
  const context = engines(loop).clientContext(options, settings.serverHostname ?? hostname);
  return handshakeIn(loop, context, settings);
}

/** Returns what starts the handshakes of a server. */
export function serverHandshake(
  loop: PlatformLoop,
  tls: true | TlsOptions,
  timeouts: TlsTimeouts,
): StartHandshake {
  checkTimeouts(timeouts);
  return handshakeIn(loop, engines(loop).serverContext(tls === true ? {} : tls), timeouts);
}

/** Waits for the handshake of `channel`. If that fails or is cancelled, closes it. */
export function* untilSecured(channel: DenoTlsChannel): Coroutine<ByteChannel> {
  try {
    yield* channel.secured;
  } catch (error) {
    channel.abort();
    throw error;
  }
  return channel;
}

/** Returns what TLS on `loop` is done by. */
function engines(loop: PlatformLoop): Tls {
  return loop.platform.tls ?? denoTls;
}

function handshakeIn(
  loop: PlatformLoop,
  context: TlsContext,
  timeouts: TlsTimeouts,
): StartHandshake {
  return (wire, unread = []) => {
    const channel = new DenoTlsChannel(loop, wire, context, timeouts);
    for (const part of unread) {
      if (part === "end") channel.ended();
      else channel.received(part, part.length);
    }
    return channel;
  };
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
