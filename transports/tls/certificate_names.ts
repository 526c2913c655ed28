/**
 * Whom a certificate is for, and whether that is the host that a client wants.
 *
 * *Theory of operation.* The names are read from the certificate itself. What `node:tls` makes of
 * them is one text, in which a name with a comma in it looks like two. They are compared as OpenSSL
 * does for CPython: a wildcard is the whole first label of at least three and stands for one label;
 * addresses match addresses only; the common name counts where there is no DNS name.
 *
 * @module
 */
import { isIpv4 } from "../../loop/values/host_name.ts";

/** Whom a certificate is for. */
export interface CertificateNames {
  /** The DNS names among its alternative names. */
  readonly dnsNames: readonly string[];
  /** The addresses among them, of 4 or 16 bytes. */
  readonly addresses: readonly Uint8Array[];
  /** The common names of its subject. */
  readonly commonNames: readonly string[];
}

/** A value in DER: its tag, and where its content is. */
interface Value {
  readonly tag: number;
  readonly content: Uint8Array;
}

const SEQUENCE = 0x30;
const EXTENSIONS = 0xa3;
const VERSION = 0xa0;
const OCTETS = 0x04;
const DNS_NAME = 0x82;
const ADDRESS = 0x87;
/** The kinds of alternative names that have a text. */
const KINDS: Readonly<Record<number, string>> = {
  0x81: "email",
  [DNS_NAME]: "DNS",
  0x86: "URI",
  [ADDRESS]: "IP Address",
};
/** UTF8String, PrintableString, IA5String: all of them are UTF-8. */
const TEXTS: readonly number[] = [0x0c, 0x13, 0x16];

/** The contents of the identifiers 2.5.29.17 and 2.5.4.3. */
const ALTERNATIVE_NAMES = "85,29,17";
const COMMON_NAME = "85,4,3";

/** Values of a certificate before its subject: serial number, algorithm, issuer, validity. */
const BEFORE_SUBJECT = 4;

/**
 * Reads the names in a certificate.
 *
 * @param der The certificate, in DER.
 * @throws {RangeError} If it is no certificate.
 */
export function namesIn(der: Uint8Array): CertificateNames {
  const fields = signedFields(der);
  const dnsNames: string[] = [];
  const addresses: Uint8Array[] = [];
  for (const { tag, content } of alternativeNames(fields)) {
    if (tag === DNS_NAME) dnsNames.push(text(content));
    else if (tag === ADDRESS) addresses.push(content);
  }
  return { dnsNames, addresses, commonNames: commonNames(fields[BEFORE_SUBJECT]) };
}

/**
 * Writes the alternative names of a certificate as OpenSSL does, `DNS:localhost, IP
 * Address:127.0.0.1`, but so that none looks like two: those with other characters than names of
 * hosts, mail and URIs need are JSON, with commas escaped.
 *
 * @param der The certificate, in DER.
 * @throws {RangeError} If it is no certificate.
 */
export function describeAlternativeNames(der: Uint8Array): string {
  const names = alternativeNames(signedFields(der));
  return names.map(({ tag, content }) => {
    const kind = KINDS[tag];
    if (kind === undefined) return "other:<unsupported>";
    return `${kind}:${tag === ADDRESS ? textOfAddress(content) : quoted(text(content))}`;
  }).join(", ");
}

/** Returns a name in ASCII, as certificates and TLS have it, or an address; `null` if it is neither. */
export function asciiHost(hostname: string): string | null {
  if (bytesOfAddress(hostname) !== null) return hostname;
  const isAscii = /^[\x21-\x7e]+$/.test(hostname);
  const name = isAscii || FOREIGN.test(hostname)
    ? hostname
    : URL.parse(`http://${hostname}/`)?.hostname;
  return name !== undefined && NAME.test(name) ? name : null;
}

/**
 * Whether a certificate with `names` is one for a host.
 *
 * @param hostname A name in ASCII, or an address in numbers.
 */
export function areFor(names: CertificateNames, hostname: string): boolean {
  const address = bytesOfAddress(hostname);
  if (address !== null) return names.addresses.some((other) => isSame(address, other));
  const candidates = names.dnsNames.length > 0 ? names.dnsNames : names.commonNames;
  return candidates.some((name) => matches(name.toLowerCase(), hostname.toLowerCase()));
}

/** Says whom a certificate is for. */
export function describeNames({ dnsNames, addresses, commonNames }: CertificateNames): string {
  const names = dnsNames.length > 0 ? dnsNames : commonNames;
  return [...names.map((name) => JSON.stringify(name)), ...addresses.map(textOfAddress)]
    .join(", ") || "nobody";
}

/** Returns the bytes of an address in numbers, `null` for a name. */
export function bytesOfAddress(hostname: string): Uint8Array | null {
  if (isIpv4(hostname)) return Uint8Array.from(hostname.split("."), Number);
  if (!hostname.includes(":") || hostname.includes("%")) return null;
  const text = URL.parse(`http://[${hostname}]/`)?.hostname.slice(1, -1);
  if (text === undefined) return null;
  const [left = [], right] = text.split("::").map((half) => half.split(":").filter(Boolean));
  const gap = right === undefined ? [] : Array(8 - left.length - right.length).fill("0");
  const groups = [...left, ...gap, ...right ?? []].map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** `*`, and two labels or more. */
const WILDCARD = /^\*((?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?){2,})$/;

/** Labels with dots between, and perhaps at the end. */
const NAME = /^[\w*-]+(\.[\w*-]+)*\.?$/;

/** What a URL would not take for a part of the name. */
const FOREIGN = /[\s/?#@\\:%[\]]/;

const LABEL = /^[a-z\d-]+$/;

function matches(name: string, hostname: string): boolean {
  if (name === hostname) return true;
  const parent = WILDCARD.exec(name)?.[1];
  if (parent === undefined || !hostname.endsWith(parent)) return false;
  return LABEL.test(hostname.slice(0, -parent.length));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function textOfAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    groups.push(((bytes[index] as number) * 256 + (bytes[index + 1] as number)).toString(16));
  }
  return groups.join(":");
}

/** Returns `name` so that it ends where the next comma is. */
function quoted(name: string): string {
  return PLAIN.test(name) ? name : JSON.stringify(name).replaceAll(",", "\\u002c");
}

/** What needs no quotes. */
const PLAIN = /^[\w.*@:/?#[\]!$&()+;=%~-]+$/;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What the authority has signed, from the serial number on. */
function signedFields(der: Uint8Array): Value[] {
  const [signed] = values(only(der, SEQUENCE));
  const fields = values(signed?.content ?? NO_BYTES);
  if (fields[0]?.tag === VERSION) fields.shift();
  return fields;
}

function alternativeNames(fields: readonly Value[]): Value[] {
  const wrapped = fields.find((field) => field.tag === EXTENSIONS);
  if (wrapped === undefined) return [];
  for (const extension of values(only(wrapped.content, SEQUENCE))) {
    // An identifier, perhaps whether it is critical, and what it says.
    const parts = values(extension.content);
    const said = parts.at(-1);
    if (parts[0]?.content.join() !== ALTERNATIVE_NAMES || said?.tag !== OCTETS) continue;
    return values(only(said.content, SEQUENCE));
  }
  return [];
}

function commonNames(subject: Value | undefined): string[] {
  const found: string[] = [];
  for (const set of values(subject?.content ?? NO_BYTES)) {
    for (const attribute of values(set.content)) {
      const [type, value] = values(attribute.content);
      if (type?.content.join() !== COMMON_NAME || value === undefined) continue;
      if (TEXTS.includes(value.tag)) found.push(text(value.content));
    }
  }
  return found;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Returns the content of the one value in `bytes`, which has `tag`. */
function only(bytes: Uint8Array, tag: number): Uint8Array {
  const [value] = values(bytes);
  if (value?.tag !== tag) throw malformed();
  return value.content;
}

/** Returns the values that stand one after the other in `bytes`. */
function values(bytes: Uint8Array): Value[] {
  const found: Value[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1] ?? NaN;
    at += 2;
    if (length > 127) {
      const end = at + length - 128;
      for (length = 0; at < end; at += 1) length = length * 256 + (bytes[at] ?? NaN);
    }
    if (!(at + length <= bytes.length)) throw malformed();
    found.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

function malformed(): RangeError {
  return new RangeError("Cannot read a certificate: it is cut off");
}
