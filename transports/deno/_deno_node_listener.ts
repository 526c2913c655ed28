import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { AddressInfo, ListenOptions, Server, Socket } from "node:net";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import type {
  Acceptor,
  Listener,
  ListenTcpOptions,
  SocketAddress,
} from "../../loop/platform/platform.ts";
import { noteClosing } from "./_deno_closing_listeners.ts";
import { isOutOfDescriptors, tooManyOpenFiles } from "../../loop/errors/deno_too_many_files.ts";
import { checkNetPermission } from "./_deno_net_permission.ts";
import { toDenoError } from "./_deno_node_error.ts";
import { NodeSocketChannel } from "./_deno_node_socket_channel.ts";

/** Seconds between two looks at whether a listener still accepts. */
const CARE_INTERVAL = 1;

/**
 * A listener over a server of Node's, for a port that several processes share on a Deno without
 * `--unstable-net`.
 *
 * Deno's server of Node's accepts no more, and says nothing, once it could not accept for want of a
 * descriptor. Its handle goes on when it is told to listen again, which does nothing where it still
 * accepts; so that is done every second.
 *
 * The server accepts from its beginning; what comes before the start waits in a list, which the
 * number of descriptors bounds.
 */
export class NodeListener implements Listener<Deno.NetAddr> {
  readonly address: Deno.NetAddr;
  readonly #loop: EventLoop;
  readonly #server: Server;
  readonly #waiting: Set<Socket> = new Set();
  readonly #backlog: number;
  #onFreed: () => void = () => {};
  #acceptor: Acceptor | null = null;
  #care: TimerHandle | null = null;
  #closed = false;

  /** Wraps `server`, which listens and belongs to the listener from now on. */
  constructor(loop: EventLoop, server: Server, { backlog = DEFAULT_BACKLOG }: ListenTcpOptions) {
    this.#loop = loop;
    this.#backlog = backlog;
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.address = { transport: "tcp", hostname: address, port };
    server.on("connection", (socket: Socket) => this.#onConnection(socket));
    server.on("error", (error) => {
      loop[inside.enter](new Step(() => this.#acceptor?.failed(toDenoError(error))));
    });
    server.on("close", () => {
      this.#onFreed();
      loop[inside.enter](new Step(() => this.#acceptor?.closed()));
    });
  }

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    for (const socket of this.#waiting) this.#accept(socket);
    this.#waiting.clear();
    this.#takeCare();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#care?.cancel();
    this.#onFreed = noteClosing();
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #takeCare(): void {
    if (this.#closed) return;
    if (isOutOfDescriptors()) this.#acceptor?.failed(tooManyOpenFiles("accept a connection"));
    (this.#server as unknown as ListeningServer)._handle?.listen?.(this.#backlog);
    this.#care = this.#loop.callLater(CARE_INTERVAL, () => this.#takeCare());
  }

  #onConnection(socket: Socket): void {
    if (this.#closed) socket.destroy();
    else if (this.#acceptor === null) this.#waiting.add(socket);
    else this.#accept(socket);
  }

  #accept(socket: Socket): void {
    const channel = new NodeSocketChannel(this.#loop, socket);
    this.#loop[inside.enter](
      new Step(() => this.#closed ? channel.abort() : this.#acceptor?.accepted(channel)),
    );
  }
}

/** How many connections may wait where no backlog is given, as in Node. */
const DEFAULT_BACKLOG = 511;

/** What a server of Node's stands on; missing in the types, and once it is closed. */
interface ListeningServer {
  readonly _handle?: { listen?(backlog: number): number } | null;
}

/** Listens on `address` with a server of Node's. */
export async function listenOnNode(
  address: SocketAddress,
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
