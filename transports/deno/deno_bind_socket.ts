import type { SocketAddress } from "../../loop/platform/platform.ts";
import { formatAddress } from "../../loop/values/format_address.ts";
import { explainNetworkError } from "./_deno_network_error.ts";

/** A socket that is bound, for workers to accept from. */
export interface BoundSocket {
  readonly handle: BoundHandle;
  readonly address: SocketAddress;
}

/** What Node's `net` makes for a server before that listens; missing in the types. */
export interface BoundHandle {
  getsockname(name: { address?: string; port?: number }): number;
  /** Returns one more descriptor of the socket, for who takes it over. */
  fdForIpc(): number;
  close(): void;
}

type Bind = (
  address: string,
  port: number,
  family: 4 | 6,
  descriptor: -1,
  flags: 0,
) => BoundHandle | number;

/**
 * Binds a socket to a numeric address, without listening. Whoever is given it can listen; the queue of
 * connections stays when one of them closes it or ends.
 *
 * @throws {Deno.errors.AddrInUse} If something listens there.
 * @throws {Deno.errors.NotCapable} If the permission is missing.
 * @throws {Deno.errors.NotSupported} If this Deno has no such thing.
 */
export async function bindSocket({ hostname, port }: SocketAddress): Promise<BoundSocket> {
  const action = `listen on "${formatAddress({ hostname, port })}"`;
  const net = await import("node:net");
  const bind = (net as unknown as { _createServerHandle?: Bind })._createServerHandle;
  if (bind === undefined) {
    throw new Deno.errors.NotSupported(
      `Cannot ${action} with several workers: this version of Deno does not share sockets`,
    );
  }
  let handle: BoundHandle | number;
  try {
    handle = bind(hostname, port, hostname.includes(":") ? 6 : 4, -1, 0);
  } catch (error) {
    throw explainNetworkError(error, action);
  }
  if (typeof handle === "number") {
    const { getSystemErrorName } = await import("node:util");
    throw explainNetworkError(failure(getSystemErrorName(handle) ?? "UNKNOWN"), action);
  }
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  if (!name.port) {
    // An address in use is told later, to who listens: by then the socket would have another port.
    handle.close();
    throw explainNetworkError(failure("EADDRINUSE"), action);
  }
  return { handle, address: { hostname: name.address ?? hostname, port: name.port } };
}

/** Returns what the system answered as an error of Node's. */
function failure(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: "bind" });
}
