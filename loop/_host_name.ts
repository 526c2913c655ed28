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
  const [address = "", zone, ...more] = hostname.split("%");
  if (more.length > 0 || FOREIGN.test(address)) return null;
  if (!address.includes(":")) return zone === undefined ? canonicalName(address) : null;
  if (zone !== undefined && !/^\w+$/.test(zone)) return null;
  const text = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1);
  if (text === undefined) return null;
  return { isNumeric: true, text: unmap(text), zone: zone === undefined ? "" : `%${zone}` };
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

function unmap(address: string): string {
  const [, high, low] = MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const bits = [parseInt(high, 16), parseInt(low, 16)];
  return bits.flatMap((word) => [word >> 8, word & 255]).join(".");
}
