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
import type { SharedSocket } from "./deno_shared_sockets.ts";
import { toDenoError } from "./_deno_node_error.ts";
import { NodeSocketChannel } from "./_deno_node_socket_channel.ts";

/** Seconds between two looks at whether a listener still accepts. */
const CARE_INTERVAL = 1;

/**
 * A listener over a server of Node's: for a socket that a worker shares with others, and for a port
 * that several processes share on a Deno without `--unstable-net`.
 *
 * Deno's server of Node's accepts no more, and says nothing, once it could not accept for want of a
 * descriptor. Its handle goes on when it is told to listen again, which does nothing where it still
 * accepts; so that is done every second.
 *
 * On a port of its own the server accepts from its beginning; what comes before the start waits in a
 * list, which the number of descriptors bounds. On a shared socket it accepts from the start only:
 * others may serve what waits there.
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
  /** What it is going to listen on. */
  #shared: SharedSocket | null;

  /** Wraps `server`, which listens, or is to listen on `shared`, and belongs to it from now on. */
  constructor(
    loop: EventLoop,
    server: Server,
    { backlog = DEFAULT_BACKLOG }: ListenTcpOptions,
    shared: SharedSocket | null = null,
  ) {
    this.#loop = loop;
    this.#backlog = backlog;
    this.#server = server;
    this.#shared = shared;
    const { hostname, port } = shared?.bound ?? addressOf(server);
    this.address = { transport: "tcp", hostname, port };
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
    if (this.#shared === null) this.#takeCare();
    else this.#listen(this.#shared);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#care?.cancel();
    this.#onFreed = noteClosing();
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #listen(shared: SharedSocket): void {
    const { listen } = this.#server as unknown as SharedListening;
    listen.call(this.#server, shared.handle, this.#backlog, () => {
      shared.onServing();
      this.#loop[inside.enter](new Step(() => this.#takeCare()));
    });
  }

  #takeCare(): void {
    if (this.#closed) return;
    if (isOutOfDescriptors()) this.#acceptor?.failed(tooManyOpenFiles("accept a connection"));
    (this.#server as unknown as ListeningServer)._handle?.listen?.(this.#backlog);
    this.#care = this.#loop.callLater(CARE_INTERVAL, () => this.#takeCare());
  }

  #onConnection(socket: Socket): void {
    if (this.#acceptor !== null && !this.#loop.isClosed()) this.#accept(socket);
    else if (this.#closed) socket.destroy();
    else this.#waiting.add(socket);
  }

  /** What was accepted is served, though the listener may have been closed since. */
  #accept(socket: Socket): void {
    const channel = new NodeSocketChannel(this.#loop, socket);
    this.#loop[inside.enter](new Step(() => this.#acceptor?.accepted(channel)));
  }
}

/** How many connections may wait where no backlog is given, as in Node. */
const DEFAULT_BACKLOG = 511;

/** What a server of Node's stands on; missing in the types, and once it is closed. */
interface ListeningServer {
  readonly _handle?: { listen?(backlog: number): number } | null;
}

/** What is missing in the types of Node's server. */
interface SharedListening {
  listen(handle: unknown, backlog: number, callback: () => void): void;
}

function addressOf(server: Server): { hostname: string; port: number } {
  const { address, port } = server.address() as AddressInfo;
  return { hostname: address, port };
}

/** Accepts from `shared`. What the server needs of a permission its supervisor had. */
export async function listenOnShared(
  loop: EventLoop,
  shared: SharedSocket,
  options: ListenTcpOptions,
): Promise<NodeListener> {
  return new NodeListener(loop, await createNodeServer(), options, shared);
}

async function createNodeServer(): Promise<Server> {
  const { createServer } = await import("node:net");
  return createServer({ allowHalfOpen: true, pauseOnConnect: true });
}

/** Listens on `address` with a server of Node's. */
export async function listenOnNode(
  address: SocketAddress,
  { backlog, reusePort = false }: ListenTcpOptions,
): Promise<Server> {
  checkNetPermission(address);
  const server = await createNodeServer();
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
