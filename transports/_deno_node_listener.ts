import type { AddressInfo, ListenOptions, Server, Socket } from "node:net";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Acceptor, Listener, ListenTcpOptions, TcpAddress } from "../loop/platform.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { toDenoError } from "./_deno_node_error.ts";
import { NodeSocketChannel } from "./_deno_node_socket_channel.ts";

/**
 * A listener over a server of Node's, for a port that several processes share on a Deno without
 * `--unstable-net`.
 *
 * The server accepts from its beginning; what comes before the start waits in a list, which the
 * number of descriptors bounds.
 */
export class NodeListener implements Listener {
  readonly address: Deno.Addr;
  readonly #loop: EventLoop;
  readonly #server: Server;
  readonly #waiting: Set<Socket> = new Set();
  #acceptor: Acceptor | null = null;
  #closed = false;

  /** Wraps `server`, which listens and belongs to the listener from now on. */
  constructor(loop: EventLoop, server: Server) {
    this.#loop = loop;
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.address = { transport: "tcp", hostname: address, port };
    server.on("connection", (socket: Socket) => this.#onConnection(socket));
    server.on("error", (error) => {
      loop.enter({ _run: () => this.#acceptor?.failed(toDenoError(error)) });
    });
    server.on("close", () => loop.enter({ _run: () => this.#acceptor?.closed() }));
  }

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    for (const socket of this.#waiting) this.#accept(socket);
    this.#waiting.clear();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    if (this.#closed) socket.destroy();
    else if (this.#acceptor === null) this.#waiting.add(socket);
    else this.#accept(socket);
  }

  #accept(socket: Socket): void {
    const channel = new NodeSocketChannel(this.#loop, socket);
    this.#loop.enter({
      _run: () => this.#closed ? channel.abort() : this.#acceptor?.accepted(channel),
    });
  }
}

/** Listens on `address` with a server of Node's. */
export async function listenOnNode(
  address: TcpAddress,
  { backlog, reusePort = false }: ListenTcpOptions,
): Promise<Server> {
  checkNetPermission(address);
  const { createServer } = await import("node:net");
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  // `reusePort` is missing in the types of Deno.
  const options = { host: address.hostname, port: address.port, backlog, reusePort };
  return await new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(toDenoError(error));
    server.once("error", onError);
    server.listen(options as ListenOptions, () => {
      server.off("error", onError);
      resolve(server);
    });
  });
}
