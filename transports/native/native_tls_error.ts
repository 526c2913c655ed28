/**
 * What OpenSSL fails with, as errors with codes like those of Node's.
 *
 * @module
 */
import { describeNames, namesIn } from "../tls/certificate_names.ts";
import { otherHost } from "../tls/_deno_tls_error.ts";
import { textAt } from "./native_memory.ts";
import {
  openssl,
  SSL_AD_REASON_OFFSET,
  X509_V_ERR_HOSTNAME_MISMATCH,
  X509_V_ERR_IP_ADDRESS_MISMATCH,
} from "./native_openssl.ts";

/** An error with the name that OpenSSL has for it. */
export type CodedError = Error & { code: string };

/** The names of what a certificate is refused for. */
const VERDICTS: Readonly<Record<number, string>> = {
  2: "UNABLE_TO_GET_ISSUER_CERT",
  9: "CERT_NOT_YET_VALID",
  10: "CERT_HAS_EXPIRED",
  18: "DEPTH_ZERO_SELF_SIGNED_CERT",
  19: "SELF_SIGNED_CERT_IN_CHAIN",
  20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  22: "CERT_CHAIN_TOO_LONG",
  23: "CERT_REVOKED",
  26: "INVALID_PURPOSE",
  27: "CERT_UNTRUSTED",
  28: "CERT_REJECTED",
};

/** The parts of OpenSSL by their numbers, for codes. */
const PARTS: Readonly<Record<number, string>> = { 9: "PEM", 11: "X509", 20: "SSL" };

const PART_SSL = 20;

/** What stands before the name of an alert. */
const ALERT = /^\w+ alert /;

/** Takes the first error that OpenSSL has noted, and drops the others; `undefined` if there is none. */
export function takeReason(): CodedError | undefined {
  const number = openssl.ERR_get_error();
  if (number === 0) return undefined;
  clearErrors();
  const part = (number >>> 23) & 0xff;
  const reason = number & 0x7f_ffff;
  const text = textAt(openssl.ERR_reason_error_string(BigInt(number))) ?? `error ${number}`;
  const code = `ERR_${PARTS[part] ?? "OPENSSL"}_${upperCase(text)}`;
  const isAlert = part === PART_SSL && reason >= SSL_AD_REASON_OFFSET;
  const message = isAlert
    ? `the peer has refused it with the alert "${text.replace(ALERT, "")}"`
    : text;
  return coded(message, code);
}

/** Returns what the channel gives a beginning: why it cannot go on. */
export function coded(message: string, code: string, options: ErrorOptions = {}): CodedError {
  return Object.assign(new Error(message, options), { code });
}

/** Drops what OpenSSL has noted: it would be taken for the reason of the next failure. */
export function clearErrors(): void {
  openssl.ERR_clear_error();
}

/**
 * Says why a certificate was refused.
 *
 * @param verdict The number of the reason.
 * @param der The certificate.
 * @param hostname Whom it should be for.
 */
export function refusedCertificate(
  verdict: number,
  der: Uint8Array,
  hostname: string | null,
): Error {
  if (verdict === X509_V_ERR_HOSTNAME_MISMATCH || verdict === X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return otherHost(JSON.stringify(hostname), namesOf(der));
  }
  const text = textAt(openssl.X509_verify_cert_error_string(BigInt(verdict))) ??
    "it is not trusted";
  const code = VERDICTS[verdict] ?? `ERR_X509_${upperCase(text)}`;
  return coded(`the certificate of the peer was refused: ${text}`, code);
}

/** Writes a text of OpenSSL's as a code. */
function upperCase(text: string): string {
  return text.toUpperCase().replaceAll(/\W+/g, "_");
}

function namesOf(der: Uint8Array): string {
  try {
    return describeNames(namesIn(der));
  } catch {
    return "somebody else";
  }
}
