/**
 * What every engine refuses of TLS options, before it looks into certificates.
 *
 * @module
 */
import type { TlsIdentity, TlsOptions } from "../../loop/platform/platform.ts";
import { asciiHost } from "./certificate_names.ts";

/**
 * Checks what a client says of itself, and returns the host that the server must be, in ASCII;
 * `null` if it may be any.
 *
 * @throws {TypeError} If the host is needed and missing, or no host can have that name; if there is a
 * certificate without a key.
 * @throws {RangeError} If no handshake can offer the protocols or the versions.
 */
export function checkClientOptions(options: TlsOptions, hostname?: string): string | null {
  const host = hostname === undefined ? null : asciiHost(hostname);
  if (host === null && options.unsafelyDisableHostnameVerification !== true) {
    throw new TypeError(
      `Cannot secure a connection: serverHostname is ${
        hostname === undefined || hostname === ""
          ? "missing"
          : `no host: ${JSON.stringify(hostname)}`
      }`,
    );
  }
  if (options.sni !== undefined) {
    throw new TypeError("Cannot use sni for a client: a server chooses its certificate by it");
  }
  checkOffers(options);
  return host;
}

/**
 * Checks what a server says of itself, and returns its certificate.
 *
 * @throws {TypeError} If the certificate or the key is missing, or the authorities of clients.
 * @throws {RangeError} If no handshake can offer the protocols or the versions.
 */
export function checkServerOptions(options: TlsOptions): TlsIdentity {
  const { cert, key, password, requestClientCert = false } = options;
  if (cert === undefined || key === undefined) {
    throw new TypeError("Cannot secure a server: its TLS options lack a cert or a key");
  }
  if (requestClientCert !== false && options.caCerts === undefined) {
    throw new TypeError("Cannot ask clients for certificates: the TLS options lack caCerts");
  }
  checkOffers(options);
  return { cert, key, password };
}

/** Finds out now what would fail every handshake. */
function checkOffers({ alpnProtocols, cert, key, minVersion, maxVersion }: TlsOptions): void {
  checkProtocols(alpnProtocols ?? []);
  if (minVersion === "TLSv1.3" && maxVersion === "TLSv1.2") {
    throw new RangeError("Cannot use any version of TLS: minVersion is above maxVersion");
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("Cannot use a certificate: its cert and its key come only together");
  }
}

/** What a list of protocols has room for; before each of them stands its length, in one byte. */
const LONGEST_PROTOCOL = 255;
const LONGEST_LIST = 65_535;

function checkProtocols(protocols: readonly string[]): void {
  let size = 0;
  for (const protocol of protocols) {
    const { length } = new TextEncoder().encode(protocol);
    if (length === 0 || length > LONGEST_PROTOCOL) {
      throw new RangeError(
        `Cannot offer a protocol in alpnProtocols: it takes ${length} bytes, not 1 to ${LONGEST_PROTOCOL}`,
      );
    }
    size += 1 + length;
  }
  if (size <= LONGEST_LIST) return;
  throw new RangeError(
    `Cannot offer what is in alpnProtocols: it takes ${size} bytes, not at most ${LONGEST_LIST}`,
  );
}

/** What a part of TLS options cannot be used for, where its text is wrong. */
export function unusable(state: string, cause?: unknown): TypeError {
  return new TypeError(
    `Cannot use a certificate: ${state}`,
    cause === undefined ? {} : { cause },
  );
}
