import type { SocketAddress } from "../loop/platform/platform.ts";

/** What a worker is told. Over the channel of a process a socket goes along with `serve`. */
export type Command =
  | {
    readonly command: "serve";
    readonly asked: SocketAddress;
    readonly bound: SocketAddress;
    readonly index: number;
    readonly grace: number;
    /** The descriptor of the socket, for a thread. */
    readonly descriptor?: number | undefined;
  }
  | { readonly command: "stop" };

/** What a worker says: that it listens to commands; that it accepts connections. */
export type Notice = "ready" | "serving";

/** The exit code of a worker whose program has failed. */
export const FAILED = 1;
