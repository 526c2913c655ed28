/** A host as the system reads its name: one text for all ways to write it. */
export interface CanonicalHost {
  /** Whether it is a numeric address, which nothing is looked up for. */
  readonly isNumeric: boolean;
  /** The name in lower case and ASCII, or the address; IPv6 without brackets and zone. */
  readonly text: string;
  /** The zone of an IPv6 address with its `%`, or nothing. */
  readonly zone: string;
}

/** What neither a name nor an address has. A URL would read some of it as something else. */
const FOREIGN = /[\s*/?#@\\%<>^|[\]]/;

/** An IPv4 address in IPv6: the same host. */
const MAPPED = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;

/** Addresses that are valid on one wire only, and may have the name of that wire for a zone. */
const OF_ONE_WIRE = /^(fe[89ab][\da-f]|ff[\da-f]2):/;

/** An IPv4 address as the system writes it. */
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

const DOTTED = /^\d+\.\d+\.\d+\.\d+$/;

/** Addresses that mean this machine or its wire, not a host of somebody's: 0/8, 127/8, 169.254/16. */
const OF_THIS_MACHINE = /^(0|127|169\.254)\.|^(::|::1)$|^fe[89ab][\da-f]:/;

/**
 * Returns `hostname` in the one form that it is compared in, or `null` if it is none.
 *
 * The parser of URLs knows what the system's resolver accepts: `127.1`, `0x7f000001`, octal and
 * full-width digits, capitals, `::ffff:127.0.0.1`. Who connects must use the result, not the text
 * that it came from, so that what was checked is what is used.
 */
export function canonicalHost(hostname: string): CanonicalHost | null {
  if (!hostname.includes(":")) return FOREIGN.test(hostname) ? null : canonicalName(hostname);
  const address = parseIpv6(hostname);
  if (address === null) return null;
  return { isNumeric: true, text: unmap(address.text), zone: address.zone };
}

/** Whether `hostname` is an IPv4 address as the system writes it: four decimal numbers. */
export function isIpv4(hostname: string): boolean {
  return IPV4.test(hostname);
}

/** An IPv6 address in its shortest form, with its zone. */
export interface Ipv6Address {
  /** The address, all of it in hexadecimal digits. */
  readonly text: string;
  /** The zone with its `%`, or nothing. */
  readonly zone: string;
}

/** Reads an IPv6 address; `null` if it is none. */
export function parseIpv6(hostname: string): Ipv6Address | null {
  const [address = "", zone, ...more] = hostname.split("%");
  if (more.length > 0 || FOREIGN.test(address)) return null;
  const text = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1);
  if (text === undefined) return null;
  if (zone === undefined) return { text, zone: "" };
  const isZone = /^\d+$/.test(zone) || (OF_ONE_WIRE.test(text) && /^[\w.-]+$/.test(zone));
  return isZone ? { text, zone: `%${zone}` } : null;
}

/** Returns the IPv4 address in an IPv6 one, and any other address as it is. */
export function unmap(address: string): string {
  const [, high, low] = MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const bits = [parseInt(high, 16), parseInt(low, 16)];
  return bits.flatMap((word) => [word >> 8, word & 255]).join(".");
}

/** Whether an address is this machine's own, or only valid on its wire. */
export function isOfThisMachine(address: string): boolean {
  return OF_THIS_MACHINE.test(address);
}

/** Returns the address that a connection to `address` reaches: the wildcards are the machine. */
export function destinationOf(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

function canonicalName(name: string): CanonicalHost | null {
  const text = URL.parse(`http://${name}/`)?.hostname.replace(/\.$/, "");
  if (text === undefined || text === "") return null;
  return { isNumeric: DOTTED.test(text), text, zone: "" };
}
