import type { CertificateRow } from "./_names_table.ts";

const ALTERNATIVE_NAMES = [0x55, 0x1d, 0x11];
const COMMON_NAME = [0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
/** How `openssl` writes the kinds of names, and their tags. */
const TAGS: Readonly<Record<string, number>> = { email: 0x81, DNS: 0x82, URI: 0x86, IP: 0x87 };

/** Writes a value in DER. */
export function der(tag: number, ...contents: readonly (readonly number[])[]): number[] {
  const content = contents.flat();
  const { length } = content;
  if (length < 128) return [tag, length, ...content];
  return [tag, 0x82, length >> 8, length & 255, ...content];
}

/** Writes as much of a certificate as says whom it is for; nobody has signed it. */
export function certificateFor({ names, commonName }: CertificateRow): Uint8Array {
  const subject = commonName === undefined
    ? []
    : der(0x31, der(0x30, der(0x06, COMMON_NAME), der(0x0c, utf8(commonName))));
  const constraints = der(0x30, der(0x06, BASIC_CONSTRAINTS), der(0x01, [255]), octets(der(0x30)));
  const alternatives = names.length === 0
    ? []
    : der(0x30, der(0x06, ALTERNATIVE_NAMES), octets(der(0x30, ...names.map(name))));
  const signed = der(
    0x30,
    der(0xa0, der(0x02, [2])),
    der(0x02, [7]),
    der(0x30),
    der(0x30, der(0x31, der(0x30, der(0x06, COMMON_NAME), der(0x0c, utf8("authority.test"))))),
    der(0x30),
    der(0x30, subject),
    der(0x30, Array(200).fill(1)),
    der(0xa3, der(0x30, constraints, alternatives)),
  );
  return new Uint8Array(der(0x30, signed, der(0x30), der(0x03, [0])));
}

function octets(content: number[]): number[] {
  return der(0x04, content);
}

function name(text: string): number[] {
  const [kind = "", ...rest] = text.split(":");
  const value = rest.join(":");
  return der(TAGS[kind] as number, kind === "IP" ? address(value) : utf8(value));
}

/** Writes an address; of those of version 6 only the few in the table. */
function address(text: string): number[] {
  if (/^[\d.]+$/.test(text)) return text.split(".").map(Number);
  const bytes: number[] = Array(16).fill(0);
  if (text === "::1") bytes[15] = 1;
  else if (text === "fe80::1") bytes.splice(0, 16, 0xfe, 0x80, ...bytes.slice(3), 1);
  else if (text === "::ffff:1.2.3.4") bytes.splice(10, 6, 255, 255, 1, 2, 3, 4);
  else throw new Error(`Cannot write ${text}: it is new`);
  return bytes;
}

function utf8(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}
