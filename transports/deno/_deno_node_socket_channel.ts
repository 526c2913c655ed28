import * as inside from "../../loop/inside.ts";
import type { Socket, TcpSocketConnectOpts } from "node:net";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink, TcpAddress } from "../../loop/platform/platform.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { toDenoError } from "./_deno_node_error.ts";
import { memoryChanged, UnsentBytes } from "../core/_unsent_bytes.ts";
import { familyOf } from "../names/ip_address.ts";

/** A longer write is cut, so that its progress shows. */
const PIECE_SIZE = 64 * 1024;

/**
 * A byte channel over a socket of Node's, for what Deno's own cannot do: connections from a local
 * address, and those of a shared port.
 *
 * The socket reads ahead as much as its high-water mark, also while the channel is paused.
 */
export class NodeSocketChannel implements ByteChannel {
  readonly #loop: EventLoop;
  readonly #socket: Socket;
  /** The addresses of both ends; the socket forgets them when it is closed. */
  readonly #sockname: Deno.NetAddr;
  readonly #peername: Deno.NetAddr;
  #sink: ByteSink | null = null;
  #isReading = false;
  #ended = false;
  #closed = false;
  /** What is still to be sent of the write in flight; its first piece is with the socket. */
  readonly #unsent = new UnsentBytes();

  /** Wraps `socket`, which is connected and belongs to the channel from now on. */
  constructor(loop: EventLoop, socket: Socket) {
    this.#loop = loop;
    this.#socket = socket;
    this.#sockname = netAddress(socket.localAddress, socket.localPort);
    this.#peername = netAddress(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
    socket.on("readable", () => loop[inside.enter](this));
    socket.on("end", () => {
      this.#ended = true;
      loop[inside.enter](this);
    });
    socket.on("error", (error) => this.#fail(this.#unsent.explain(toDenoError(error))));
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): number {
    this.#unsent.start(bytes);
    this.#sendPiece();
    return 0;
  }

  resume(): void {
    this.#isReading = true;
    this.#loop[inside.enqueue](this);
  }

  pause(): void {
    this.#isReading = false;
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
    this.#socket.destroy();
    this.#loop[inside.enqueue]({ [inside.run]: () => this.#sink?.closed() });
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

  /** @ignore Reports what the socket has read. */
  [inside.run](): void {
    while (this.#isReading && !this.#closed) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk === null) break;
      this.#sink?.received(chunk, chunk.length);
    }
    if (!this.#ended || !this.#isReading || this.#closed) return;
    this.#isReading = false;
    this.#sink?.ended();
  }

  #fail(error: Error): void {
    this.#loop[inside.enter]({ [inside.run]: () => this.#closed || this.#sink?.failed(error) });
  }

  #sendPiece(): void {
    this.#socket.write(this.#unsent.first(PIECE_SIZE), this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    // What failed is reported by the socket itself.
    if (this.#closed || error instanceof Error) return;
    const count = this.#unsent.sent(PIECE_SIZE);
    if (count === null) return this.#fail(memoryChanged());
    if (this.#unsent.size > 0) this.#sendPiece();
    this.#sink?.sent(count);
  };
}

/** Connects to `address` from `localAddress`, which is numeric. Aborting `signal` gives it up. */
export async function connectNodeSocket(
  address: TcpAddress,
  localAddress: TcpAddress,
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
