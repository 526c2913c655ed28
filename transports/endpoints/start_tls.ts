import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { CancelledError } from "../../loop/errors/errors.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { ByteChannel } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkProtocol } from "../core/create_protocol.ts";
import { START_TLS } from "../_options.ts";
import {
  clientHandshake,
  serverHandshake,
  type StartHandshake,
  untilSecured,
} from "../tls/_secure_channel.ts";
import { FlowControlProtocol } from "../core/flow_control_protocol.ts";
import type { ProtocolLike } from "../protocol.ts";
import { StreamTransport, type Unread } from "../core/stream_transport.ts";
import type { TlsOptions, TlsTimeouts } from "../tls/tls_options.ts";
import type { Transport } from "../transport.ts";
import { peerOf } from "../core/peer_of.ts";

/**
 * Settings of {@linkcode startTls}.
 *
 * @category Protocols and transports
 */
export interface StartTlsOptions extends TlsTimeouts {
  /** How to secure the connection; `true` stands for the defaults of a client. */
  tls: true | TlsOptions;
  /** Whether this side is the server; it needs `cert` and `key` in `tls`. */
  serverSide?: boolean | undefined;
  /** The host that the certificate of the server must be for. A client needs it. */
  serverHostname?: string | undefined;
  /**
   * What a protocol was given behind the last line that was meant for it: the peer need not have
   * waited with its handshake. Streams keep account of that themselves.
   */
  unread?: Uint8Array | undefined;
}

/**
 * Secures a connection that is open. As `loop.start_tls()`.
 *
 * What was written before goes out first, as it is. What has come and was not read belongs to the
 * handshake: nothing that was sent in clear is ever read as secured, and plain text there makes the
 * handshake fail.
 *
 * From the call on, `transport` takes no more writes. Its place is taken by the transport that is
 * returned, on which `connectionMade` is not called; until then, closing it gives up.
 *
 * @param loop The loop of the connection.
 * @param transport The transport to secure.
 * @param protocol Who is called from then on.
 * @param options How to secure it.
 * @returns The transport of the secured connection.
 * @throws {Deno.errors.InvalidData} If the peer cannot be trusted, or does not speak TLS. The
 * connection is closed then, and `connectionLost` called.
 * @throws {Deno.errors.ConnectionAborted} If the handshake takes too long, or the transport is
 * closed meanwhile.
 * @throws {InvalidStateError} If the transport is not open in both directions, or closed before
 * all was sent, or a file is being sent.
 * @throws {TypeError} If the options cannot be used, or it is no transport of a connection.
 *
 * @category Protocols and transports
 *
 * @example Securing both ends of a connection
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, Protocol, run } from "@gyre/asyncio";
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
 *   const { port } = server.address;
 *
 *   const [plain, protocol] = await loop.createConnection(() => new Protocol(), { port });
 *   const transport = await loop.startTls(plain, protocol, {
 *     tls: { caCerts: [authority] },
 *     serverHostname: "localhost",
 *   });
 *   transport.close();
 *   return transport.getExtraInfo("tls")?.version;
 * });
 * assertEquals(version, "TLSv1.3");
 * ```
 */
export function startTls<A extends Deno.Addr = Deno.Addr>(
  loop: PlatformLoop,
  transport: Transport<A>,
  protocol: ProtocolLike,
  options: StartTlsOptions,
): Future<Transport<A>> {
  checkOptions("start TLS", options, START_TLS);
  return startOperation(
    loop,
    startTlsSteps(loop, transport, protocol, options),
    "TLS handshake with",
    peerOf(transport),
  );
}

function* startTlsSteps<A extends Deno.Addr>(
  loop: PlatformLoop,
  transport: Transport<A>,
  protocol: ProtocolLike,
  options: StartTlsOptions,
): Coroutine<Transport<A>> {
  if (!(transport instanceof StreamTransport)) {
    throw new TypeError("Cannot start TLS: expected a transport of a connection");
  }
  checkProtocol(protocol, "start TLS with a protocol");
  const { unread = NO_BYTES } = options;
  const start = handshakeOf(loop, options);
  const protocols = [transport.getProtocol(), protocol];
  const channel = yield* handshake(transport, start, () => [...protocols.map(takeUnread), unread]);
  const secured = new StreamTransport<A>(loop, channel, protocol, {
    owner: transport[inside.owner],
    isMade: true,
  });
  transport[inside.endLeaving]();
  if (protocol instanceof FlowControlProtocol) protocol[inside.move](secured);
  return secured;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

function handshakeOf(loop: PlatformLoop, options: StartTlsOptions): StartHandshake {
  const { tls, serverSide = false } = options;
  if (tls === undefined) throw new TypeError("Cannot start TLS: tls is missing");
  return serverSide ? serverHandshake(loop, tls, options) : clientHandshake(loop, tls, options);
}

/**
 * Takes the channel of `transport`, puts TLS on it by `start`, and waits for the handshake.
 *
 * @param takeAll Takes what was received and not read.
 */
function* handshake(
  transport: StreamTransport,
  start: StartHandshake,
  takeAll: () => Uint8Array[],
): Coroutine<ByteChannel> {
  let parts: Uint8Array[] | null = null;
  const take = () => parts ??= takeAll().filter((part) => part.length > 0);
  // What the transport holds has come last.
  const left = transport[inside.leave]((wire, held) => start(wire, [...take(), ...partsOf(held)]));
  try {
    // It may have to send first. Nobody reads in clear meanwhile.
    take();
    const channel = yield* untilSecured(yield* left);
    transport[inside.checkLeft]();
    return channel;
  } catch (error) {
    transport[inside.endLeaving](
      error instanceof Error && !(error instanceof CancelledError) ? error : null,
    );
    throw error;
  }
}

/** Takes what a protocol with a reader was given and nobody has read. */
function takeUnread(protocol: ProtocolLike): Uint8Array {
  return protocol instanceof FlowControlProtocol ? protocol[inside.takeUnread]() : NO_BYTES;
}

function partsOf(held: Unread | null): (Uint8Array | "end")[] {
  if (held === null) return [];
  return [held === "end" ? held : held.buffer.subarray(0, held.count)];
}
