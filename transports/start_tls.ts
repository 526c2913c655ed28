import { checkOptions } from "../loop/check_options.ts";
import { CancelledError } from "../loop/errors.ts";
import type { Future } from "../loop/future.ts";
import type { ByteChannel } from "../loop/platform.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import { START_TLS } from "./_options.ts";
import { type Secure, secureClient, secureServer } from "./_secure_channel.ts";
import type { StreamProtocol } from "./protocol.ts";
import { StreamTransport } from "./stream_transport.ts";
import type { TlsOptions } from "./tls_options.ts";
import type { Transport } from "./transport.ts";

/** Settings of {@linkcode startTls}. */
export interface StartTlsOptions {
  /** How to secure the connection; `true` stands for the defaults of a client. */
  tls: true | TlsOptions;
  /** Whether this side is the server; it needs `cert` and `key` in `tls`. */
  serverSide?: boolean | undefined;
  /** The host that the certificate of the server must be for. A client needs it. */
  serverHostname?: string | undefined;
  /** Seconds that the handshake may take; 60 by default. */
  handshakeTimeout?: number | undefined;
  /** Seconds that the peer gets to confirm the end, before the connection is cut; 30 by default. */
  shutdownTimeout?: number | undefined;
}

/**
 * Secures a connection that is open. As `loop.start_tls()`.
 *
 * What was written before goes out first, as it is. From the call on, `transport` is of no more use;
 * its place is taken by the transport that is returned, on which `connectionMade` is not called.
 *
 * @param loop The loop of the connection.
 * @param transport The transport to secure.
 * @param protocol Who is called from then on.
 * @param options How to secure it.
 * @returns The transport of the secured connection.
 * @throws {Deno.errors.InvalidData} If the peer cannot be trusted, or does not speak TLS. The
 * connection is closed then, and `connectionLost` called.
 * @throws {Deno.errors.ConnectionAborted} If the handshake takes too long.
 * @throws {InvalidStateError} If the transport is not open in both directions.
 * @throws {TypeError} If the options cannot be used, or it is no transport of a connection.
 *
 * @example Securing both ends of a connection
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, Protocol, run, type TlsInfo } from "@gyre/asyncio";
 *
 * const folder = "tests/transports/certificates";
 * const cert = await Deno.readTextFile(`${folder}/server.pem`);
 * const key = await Deno.readTextFile(`${folder}/server.key`);
 * const authority = await Deno.readTextFile(`${folder}/authority.pem`);
 *
 * const version = await run(async () => {
 *   const loop = getRunningLoop();
 *   await using server = await loop.createServer(() => {
 *     const protocol = new Protocol();
 *     protocol.connectionMade = (transport) => {
 *       loop.startTls(transport, protocol, { tls: { cert, key }, serverSide: true });
 *     };
 *     return protocol;
 *   }, { hostname: "127.0.0.1" });
 *   const [{ port }] = server.addresses as [Deno.NetAddr];
 *
 *   const [plain, protocol] = await loop.createConnection(() => new Protocol(), { port });
 *   const transport = await loop.startTls(plain, protocol, {
 *     tls: { caCerts: [authority] },
 *     serverHostname: "localhost",
 *   });
 *   transport.close();
 *   return (transport.getExtraInfo("tls") as TlsInfo).version;
 * });
 * assertEquals(version, "TLSv1.3");
 * ```
 */
export function startTls(
  loop: PlatformLoop,
  transport: Transport,
  protocol: StreamProtocol,
  options: StartTlsOptions,
): Future<Transport> {
  checkOptions("start TLS", options, START_TLS);
  return startOperation(loop, startTlsSteps(loop, transport, protocol, options));
}

function* startTlsSteps(
  loop: PlatformLoop,
  transport: Transport,
  protocol: StreamProtocol,
  options: StartTlsOptions,
): Coroutine<Transport> {
  if (!(transport instanceof StreamTransport)) {
    throw new TypeError("Cannot start TLS: expected a transport of a connection");
  }
  const secure = secureAs(loop, options);
  const channel = yield* handshake(transport, secure);
  const secured = new StreamTransport(loop, channel, protocol, {
    owner: transport._owner,
    isMade: true,
  });
  transport._endLeaving();
  return secured;
}

function secureAs(loop: PlatformLoop, options: StartTlsOptions): Secure {
  const timeouts = {
    tlsHandshakeTimeout: options.handshakeTimeout,
    tlsShutdownTimeout: options.shutdownTimeout,
  };
  const secure = options.serverSide === true
    ? secureServer(loop, { tls: options.tls as TlsOptions, ...timeouts })
    : secureClient(loop, { tls: options.tls, ...timeouts }, options.serverHostname);
  if (secure === null) throw new TypeError("Cannot start TLS: tls is missing");
  return secure;
}

/** Takes the channel of `transport`, and puts TLS on it. */
function* handshake(transport: StreamTransport, secure: Secure): Coroutine<ByteChannel> {
  try {
    const { channel, held } = yield* transport._leave();
    return yield* secure(channel, held);
  } catch (error) {
    transport._endLeaving(
      error instanceof Error && !(error instanceof CancelledError) ? error : null,
    );
    throw error;
  }
}
