import type { Socket } from "node:dgram";
import type { EventLoop } from "../loop/event_loop.ts";
import type {
  DatagramChannel,
  DatagramSink,
  OpenDatagramsOptions,
  TcpAddress,
} from "../loop/platform.ts";
import { nameMissingFlag } from "../loop/deno_not_capable.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { familyOf } from "./ip_address.ts";

/**
 * A datagram channel over `node:dgram`: for a Deno without `--unstable-net`, and for ports that
 * several processes share.
 */
export class NodeDatagramChannel implements DatagramChannel {
  readonly #loop: EventLoop;
  readonly #socket: Socket;
  #sink: DatagramSink | null = null;
  /** Datagrams to send; the first is with the socket, which would send later ones out of order. */
  readonly #queue: { bytes: Uint8Array; address: Deno.NetAddr }[] = [];
  #closed = false;
  /** Where it may send to. */
  #granted: TcpAddress | null = null;
  readonly address: Deno.Addr;

  /** Wraps `socket`, which is bound and belongs to the channel from now on. */
  constructor(loop: EventLoop, socket: Socket) {
    this.#loop = loop;
    this.#socket = socket;
    const { address, port } = socket.address();
    this.address = { transport: "udp", hostname: address, port };
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#socket.on("message", (buffer, from) => {
      // The methods of a Buffer do other things than those of its class.
      const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
      const address: Deno.NetAddr = { transport: "udp", hostname: from.address, port: from.port };
      this.#enter(() => sink.received(bytes, address));
    });
    this.#socket.on("error", (error) => this.#enter(() => sink.failed(error)));
  }

  send(bytes: Uint8Array, address: Deno.Addr): void {
    const refusal = this.#refusalOf(address as Deno.NetAddr);
    if (refusal !== null) return this.#refuse(bytes, refusal);
    if (this.#queue.push({ bytes, address: address as Deno.NetAddr }) === 1) this.#sendFirst();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#loop.enqueue({ _run: () => this.#sink?.closed() });
  }

  #sendFirst(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#closed) return;
    const { hostname, port } = first.address;
    this.#socket.send(first.bytes, port, hostname, this.#onSent);
  }

  /** Node says nothing of a missing permission. What was granted last is remembered. */
  #refusalOf({ hostname, port }: Deno.NetAddr): Error | null {
    if (this.#granted?.port === port && this.#granted.hostname === hostname) return null;
    try {
      checkNetPermission({ hostname, port });
    } catch (error) {
      return nameMissingFlag(error as Error, "send a datagram");
    }
    this.#granted = { hostname, port };
    return null;
  }

  #refuse(bytes: Uint8Array, error: Error): void {
    this.#loop.enqueue({
      _run: () => {
        if (this.#closed) return;
        this.#sink?.failed(error);
        this.#sink?.sent(bytes.length);
      },
    });
  }

  readonly #onSent = (error: Error | null): void => {
    const sent = this.#queue.shift();
    if (this.#closed) return;
    this.#sendFirst();
    this.#sink?.sent(sent?.bytes.length ?? 0);
    if (error !== null) this.#enter(() => this.#sink?.failed(error));
  };

  #enter(report: () => void): void {
    this.#loop.enter({ _run: () => this.#closed || report() });
  }
}

/** Binds a socket of Node's. */
export async function bindNodeDatagrams(
  { hostname, port }: TcpAddress,
  { allowBroadcast = false, reusePort = false }: OpenDatagramsOptions,
): Promise<Socket> {
  checkNetPermission({ hostname, port });
  const { createSocket } = await import("node:dgram");
  const type = familyOf(hostname) === "ipv6" ? "udp6" : "udp4";
  // `reusePort` is missing in the types of Deno.
  const options = { type, reusePort } as Parameters<typeof createSocket>[0];
  const socket = createSocket(options);
  return await new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, hostname, () => {
      socket.removeAllListeners("error");
      if (allowBroadcast) socket.setBroadcast(true);
      resolve(socket);
    });
  });
}
