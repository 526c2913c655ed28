import { canonicalHost, isIpv4, parseIpv6, unmap } from "../../loop/values/host_name.ts";
import type { AddressFamily, HostAddress } from "../../loop/platform/platform.ts";

/**
 * Returns a numeric address as the system writes it, or `null` for a name: `::1` for
 * `0:0:0:0:0:0:0:1`, and an IPv4 address in IPv6 with dots.
 */
export function parseAddress(hostname: string): HostAddress | null {
  if (isIpv4(hostname)) return { family: "ipv4", hostname };
  if (!hostname.includes(":")) return null;
  const address = parseIpv6(hostname);
  if (address === null) return null;
  const { text, zone } = address;
  const inside = unmap(text);
  return { family: "ipv6", hostname: (inside === text ? text : `::ffff:${inside}`) + zone };
}

/** Returns the family of a numeric address, or `null` for a name. */
export function familyOf(hostname: string): AddressFamily | null {
  return parseAddress(hostname)?.family ?? null;
}

/**
 * Returns `hostname` in the form in which hosts are compared: the same for an IPv4 address and the
 * IPv6 one that it is in, and without the zone, which the system leaves out when it tells a peer.
 */
export function hostKey(hostname: string): string {
  return canonicalHost(hostname)?.text ?? hostname;
}
