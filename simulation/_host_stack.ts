import type { Packet } from "./fault_rule.ts";

/** What is bound to a port. */
export interface Bound {
  /** Where, with the port. */
  readonly address: Deno.NetAddr;
}

/** A socket that waits for connections. */
export interface ListeningSocket {
  /** Whether it takes one more connection. */
  readonly hasRoom: boolean;
}

/** A socket for datagrams. */
export interface DatagramSocket extends Bound {
  /** A datagram has arrived. */
  deliver(packet: Packet): void;
}

/** Names for any address of a host. */
const WILDCARDS: readonly string[] = ["0.0.0.0", "::"];
/** The first port that the host gives out by itself. */
const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_PORT = 65_535;

/** The network of one host: its addresses and what is bound to them. */
export class HostStack<
  Tcp extends ListeningSocket & Bound,
  Unix extends ListeningSocket,
  Datagrams extends DatagramSocket,
> {
  /** The name of the host. */
  readonly name: string;
  /** Its addresses, the loopback ones aside. The first is the one that it sends from. */
  readonly addresses: readonly string[];
  /** Listeners by path. */
  readonly paths: Map<string, Unix> = new Map();
  /** Listeners by port; a port may have several, on different addresses. */
  readonly listeners: PortTable<Tcp> = new PortTable();
  /** Datagram sockets by port. */
  readonly datagrams: PortTable<Datagrams> = new PortTable();
  /** Counts the crashes: what belongs to an earlier life is dead. */
  life = 0;
  /** Whether the host is on. */
  isUp = true;
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(name: string, addresses: readonly string[]) {
    this.name = name;
    this.addresses = addresses;
  }

  /** Whether `address` is one of this host's, as it sees them itself. */
  owns(address: string): boolean {
    return this.addresses.includes(address) || isLoopback(address);
  }

  /** Returns a port that nothing is bound to. */
  takePort(table: PortTable<Bound>): number {
    for (;;) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (table.isFree(port)) return port;
    }
  }

  /** Everything that ran is gone. */
  crash(): void {
    this.life += 1;
    this.isUp = false;
    this.paths.clear();
    this.listeners.clear();
    this.datagrams.clear();
  }
}

/** What is bound, by port. */
export class PortTable<T extends Bound> {
  readonly #ports: Map<number, T[]> = new Map();

  /** Whether nothing is bound to `port`. */
  isFree(port: number): boolean {
    return !this.#ports.has(port);
  }

  /** Whether something is bound to `port` on `hostname`, or on all addresses. */
  conflicts(hostname: string, port: number): boolean {
    const bound = this.#ports.get(port) ?? [];
    return bound.some(({ address }) => overlap(address.hostname, hostname));
  }

  /** Returns what is bound to `port` for packets to `hostname`. */
  find(hostname: string, port: number): T | undefined {
    return this.#ports.get(port)?.find(({ address }) => {
      return covers(address.hostname, hostname);
    });
  }

  add(bound: T): void {
    const { port } = bound.address;
    const list = this.#ports.get(port);
    if (list === undefined) this.#ports.set(port, [bound]);
    else list.push(bound);
  }

  delete(bound: T): void {
    const { port } = bound.address;
    const rest = (this.#ports.get(port) ?? []).filter((other) => other !== bound);
    if (rest.length === 0) this.#ports.delete(port);
    else this.#ports.set(port, rest);
  }

  clear(): void {
    this.#ports.clear();
  }
}

/** Whether `address` always means the host itself. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Whether `address` means every address of a host. */
export function isWildcard(address: string): boolean {
  return WILDCARDS.includes(address);
}

function overlap(one: string, other: string): boolean {
  return one === other || isWildcard(one) || isWildcard(other);
}

/** Whether a socket on `bound` gets what comes for `hostname`. `::` takes both families. */
function covers(bound: string, hostname: string): boolean {
  if (bound === "::" || bound === hostname) return true;
  return bound === "0.0.0.0" && !hostname.includes(":");
}
