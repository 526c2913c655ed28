import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { Socket } from "node:dgram";
import type { EventLoop } from "../../loop/event_loop.ts";
import type {
  DatagramChannel,
  DatagramSink,
  OpenDatagramsOptions,
  SocketAddress,
} from "../../loop/platform/platform.ts";
import { DatagramSendQueue } from "../core/_datagram_send_queue.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { copyOf } from "../core/_read_buffer.ts";
import { explainSendError } from "./_deno_network_error.ts";
import { toDenoError } from "./_deno_node_error.ts";
import { familyOf } from "../names/ip_address.ts";

/**
 * A datagram channel over `node:dgram`, for a Deno without `--unstable-net`.
 */
export class NodeDatagramChannel implements DatagramChannel {
  readonly #loop: EventLoop;
  readonly #socket: Socket;
  readonly #queue: DatagramSendQueue;
  #sink: DatagramSink | null = null;
  #closed = false;
  /** Where it may and can send to. */
  #checked: SocketAddress | null = null;
  readonly address: Deno.NetAddr;

  /** Wraps `socket`, which is bound and belongs to the channel from now on. */
  constructor(loop: EventLoop, socket: Socket) {
    this.#loop = loop;
    this.#socket = socket;
    this.#queue = new DatagramSendQueue(
      loop,
      explainSendError,
      (bytes, address) => this.#start(bytes, address),
    );
    const { address, port } = socket.address();
    this.address = { transport: "udp", hostname: address, port };
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#queue.report(sink);
    this.#socket.on("message", (buffer, from) => {
      // The memory may hold others, and the methods of a Buffer do other things than its class.
      const bytes = copyOf(buffer, 0, buffer.length);
      const address: Deno.NetAddr = { transport: "udp", hostname: from.address, port: from.port };
      this.#enter(() => sink.received(bytes, address));
    });
    this.#socket.on("error", (error) => this.#enter(() => sink.failed(toDenoError(error))));
  }

  send(bytes: Uint8Array, address: Deno.NetAddr): void {
    this.#queue.push(bytes, address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.close();
    this.#socket.close();
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  /** Hands over a copy: the socket reads the memory later, and nobody could catch that it is gone. */
  #start(bytes: Uint8Array, address: Deno.NetAddr): void {
    this.#checkDestination(address);
    this.#socket.send(bytes.slice(), address.port, address.hostname, this.#onSent);
  }

  /** Node says nothing of a missing permission, nor why. What was fine last is remembered. */
  #checkDestination({ hostname, port }: Deno.NetAddr): void {
    if (this.#checked?.port === port && this.#checked.hostname === hostname) return;
    checkNetPermission({ hostname, port });
    if (
      familyOf(hostname) === "ipv6" && familyOf(this.address.hostname) === "ipv4"
    ) {
      throw Object.assign(new Error("Cannot send to IPv6 from IPv4: no such route"), {
        code: "EAFNOSUPPORT",
      });
    }
    this.#checked = { hostname, port };
  }

  readonly #onSent = (error: Error | null): void => {
    if (error === null) this.#queue.sent();
    else this.#queue.failed(error);
  };

  #enter(report: () => void): void {
    this.#loop[inside.enter](new Step(() => this.#closed || report()));
  }
}

/** Binds a socket of Node's. */
export async function bindNodeDatagrams(
  { hostname, port }: SocketAddress,
  { allowBroadcast = false }: OpenDatagramsOptions,
): Promise<Socket> {
  checkNetPermission({ hostname, port });
  const { createSocket } = await import("node:dgram");
  const socket = createSocket(familyOf(hostname) === "ipv6" ? "udp6" : "udp4");
  return await new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(toDenoError(error));
    });
    socket.bind(port, hostname, () => {
      socket.removeAllListeners("error");
      if (allowBroadcast) socket.setBroadcast(true);
      resolve(socket);
    });
  });
}
