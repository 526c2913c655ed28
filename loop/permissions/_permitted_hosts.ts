import { formatAddress } from "../values/format_address.ts";
import { canonicalHost, destinationOf, isOfThisMachine } from "../values/host_name.ts";
import type { NetGrant } from "./_net_grant.ts";
import { refusal } from "./_refusal.ts";
import type { SocketAddress } from "../platform/platform.ts";

/** How many addresses of one name are remembered; the oldest are forgotten first. */
const MOST_ADDRESSES = 64;

/** The name of this machine, whatever the network says. */
const LOCALHOST = "localhost";

/** A list of hosts, with what the names in it have resolved to. */
export class PermittedHosts {
  readonly #grant: NetGrant;
  /** Addresses by name; only names of the list get here. */
  readonly #addressesOf: Map<string, Set<string>> = new Map();

  constructor(grant: NetGrant) {
    this.#grant = grant;
  }

  /** Grants `addresses` as what `name` means; those of this machine only to its own name. */
  remember(name: string, addresses: readonly string[]): void {
    const known = this.#addressesOf.get(name) ?? new Set<string>();
    this.#addressesOf.set(name, known);
    for (const address of addresses) {
      if (isOfThisMachine(address) && name !== LOCALHOST) continue;
      known.delete(address);
      known.add(address);
    }
    for (const oldest of known) {
      if (known.size <= MOST_ADDRESSES) break;
      known.delete(oldest);
    }
  }

  /** Whether `port` of `address`, which is canonical, is listed, or that of a name for it. */
  allowsAddress(address: string, port: number | "any"): boolean {
    if (this.#grant.allows(address, port)) return true;
    for (const [name, addresses] of this.#addressesOf) {
      if (addresses.has(address) && this.#grant.allows(name, port)) return true;
    }
    return false;
  }

  /** Returns the error for sending datagrams to `address`, or connecting; `null` if it is permitted. */
  refuseSending(address: SocketAddress, verb = "send to"): Error | null {
    return this.#refuse(verb, address, destinationOf);
  }

  /** Returns the error for connecting from `address`; `null` if it is permitted. */
  refuseBinding(address: SocketAddress): Error | null {
    return this.#refuse("connect from", address, (own) => own);
  }

  /** Names are refused too: the host would look them up, each time anew. */
  #refuse(
    verb: string,
    { hostname, port }: SocketAddress,
    meaning: (address: string) => string,
  ): Error | null {
    if (this.#grant.isFull) return null;
    const host = canonicalHost(hostname);
    const address = meaning(host?.text ?? hostname);
    if (host?.isNumeric && this.allowsAddress(address, port)) return null;
    const reason = host?.isNumeric ? undefined : "a name has to be resolved before";
    return refusal(
      `${verb} "${formatAddress({ hostname, port })}"`,
      "net",
      formatAddress({ hostname: address, port }),
      reason,
    );
  }
}
