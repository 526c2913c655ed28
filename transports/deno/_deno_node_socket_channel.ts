import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { Socket, TcpSocketConnectOpts } from "node:net";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink, SocketAddress } from "../../loop/platform/platform.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { toDenoError } from "./_deno_node_error.ts";
import { type PieceSink, PieceWriter } from "../core/_piece_writer.ts";
import { NodeReads } from "./_deno_node_reads.ts";
import { familyOf } from "../names/ip_address.ts";

/**
 * A byte channel over a socket of Node's, for what Deno's own cannot do: connections from a local
 * address, and those of a shared port.
 */
export class NodeSocketChannel implements ByteChannel, PieceSink {
  readonly #loop: EventLoop;
  readonly #socket: Socket;
  /** The addresses of both ends; the socket forgets them when it is closed. */
  readonly #sockname: Deno.NetAddr;
  readonly #peername: Deno.NetAddr;
  #sink: ByteSink | null = null;
  #closed = false;
  readonly #reads: NodeReads;
  readonly #pieces = new PieceWriter(this);

  /** Wraps `socket`, which is connected and belongs to the channel from now on. */
  constructor(loop: EventLoop, socket: Socket) {
    this.#loop = loop;
    this.#socket = socket;
    this.#sockname = netAddress(socket.localAddress, socket.localPort);
    this.#peername = netAddress(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
    this.#reads = new NodeReads(loop, socket);
    socket.on("error", (error) => this.#fail(this.#pieces.explain(toDenoError(error))));
  }

  attach(sink: ByteSink): void {
    this.#sink = this.#reads.sink = sink;
  }

  write(bytes: Uint8Array): number {
    return this.#pieces.write(bytes);
  }

  resume(): void {
    this.#reads.resume();
  }

  pause(): void {
    this.#reads.pause();
  }

  closeWrite(): void {
    this.#socket.end();
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reads.stop();
    this.#socket.destroy();
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  getExtraInfo(name: string): unknown {
    switch (name) {
      case "peername":
        return this.#peername;
      case "sockname":
        return this.#sockname;
      case "socket":
        return this.#socket;
      default:
        return undefined;
    }
  }

  /** @ignore */
  sendPiece(piece: Uint8Array): void {
    this.#socket.write(piece, this.#onWritten);
  }

  /** @ignore */
  pieceSent(count: number): void {
    this.#sink?.sent(count);
  }

  /** @ignore */
  piecesLost(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#loop[inside.enter](new Step(() => this.#closed || this.#sink?.failed(error)));
  }

  readonly #onWritten = (error?: Error | null): void => {
    // What failed is reported by the socket itself.
    if (!this.#closed && !(error instanceof Error)) this.#pieces.sent();
  };
}

/** Connects to `address` from `localAddress`, which is numeric. Aborting `signal` gives it up. */
export async function connectNodeSocket(
  address: SocketAddress,
  localAddress: SocketAddress,
  signal: AbortSignal,
): Promise<Socket> {
  checkNetPermission(address);
  checkNetPermission(localAddress);
  const { connect } = await import("node:net");
  signal.throwIfAborted();
  // `allowHalfOpen` is missing in the types of Deno.
  const options = {
    host: address.hostname,
    port: address.port,
    localAddress: localAddress.hostname,
    localPort: localAddress.port,
    family: familyOf(localAddress.hostname) === "ipv6" ? 6 : 4,
    allowHalfOpen: true,
  } as TcpSocketConnectOpts;
  return await new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      signal.removeEventListener("abort", giveUp);
      socket.off("error", onError);
      resolve(socket);
    });
    const onError = (error: Error) => reject(toDenoError(error));
    const giveUp = () => {
      socket.destroy();
      reject(signal.reason);
    };
    socket.once("error", onError);
    signal.addEventListener("abort", giveUp);
  });
}

function netAddress(hostname = "", port = 0): Deno.NetAddr {
  return { transport: "tcp", hostname: hostname.replace(/^::ffff:/, ""), port };
}
