/**
 * Sockets that this worker shares with others, for servers to listen on.
 *
 * *Theory of operation.* Who supervises workers binds a socket, and each worker gets it: one queue of
 * connections, from which all of them accept. A worker that closes it, or is killed, takes none from
 * the queue with it; a socket of its own, as with `reusePort`, would. What a server in the worker
 * listens on is compared with what is offered here.
 *
 * @module
 */
import type { SocketAddress } from "../../loop/platform/platform.ts";

/** A socket that is bound, and that others may accept from too. */
export interface SharedSocket {
  /** Where the program asks to listen. */
  readonly asked: SocketAddress;
  /** Where the socket is bound. */
  readonly bound: SocketAddress;
  /** What `listen()` of a server of Node's takes for it. */
  readonly handle: unknown;
  /** A server accepts from it. */
  onServing(): void;
}

const offered: Set<SharedSocket> = new Set();

/** Lets the next server that listens there have `socket`. */
export function offerSocket(socket: SharedSocket): void {
  offered.add(socket);
}

/** Returns the socket that is offered for `address`, once; `null` if there is none. */
export function takeSocket({ hostname, port }: SocketAddress): SharedSocket | null {
  for (const socket of offered) {
    const names = [socket.asked.hostname, socket.bound.hostname];
    if (port !== socket.bound.port || !names.includes(hostname)) continue;
    offered.delete(socket);
    return socket;
  }
  return null;
}
