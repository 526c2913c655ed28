import type { AddressFamily } from "../loop/platform.ts";

const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** Returns the family of a numeric address, or `null` for a name. */
export function familyOf(hostname: string): AddressFamily | null {
  if (IPV4.test(hostname)) return "ipv4";
  return isIpv6(hostname) ? "ipv6" : null;
}

/** Whether `text` is an IPv6 address: up to eight groups, with one gap, maybe ending in IPv4. */
function isIpv6(text: string): boolean {
  const [address = "", zone, ...more] = text.split("%");
  if (zone === "" || more.length > 0 || !address.includes(":")) return false;
  const halves = address.split("::");
  if (halves.length > 2) return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    const size = countGroups(half, index === halves.length - 1);
    if (size === null) return false;
    count += size;
  }
  return halves.length === 2 ? count < 8 : count === 8;
}

/** Counts the groups of 16 bits between colons; `null` if one is malformed. */
function countGroups(text: string, mayEndInIpv4: boolean): number | null {
  if (text === "") return 0;
  const groups = text.split(":");
  let count = groups.length;
  if (mayEndInIpv4 && IPV4.test(groups.at(-1) ?? "")) {
    groups.pop();
    count += 1;
  }
  return groups.every((group) => /^[\da-f]{1,4}$/i.test(group)) ? count : null;
}
