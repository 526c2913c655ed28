import type { SecureContext, Server } from "node:tls";
import { asciiHost } from "./certificate_names.ts";
import { type NodeTls, nodeTls } from "./_deno_node_tls.ts";
import type { TlsOptions } from "./tls_options.ts";

/** All that the handshakes of one client, or of one server, have in common. */
export interface TlsContext {
  /** The modules of Node's. */
  readonly node: NodeTls;
  /** What it was made from. */
  readonly options: TlsOptions;
  /** The certificates and keys, parsed. */
  readonly secureContext: SecureContext;
  /** On the side of the server: what accepts connections. It does not listen. */
  readonly server: Server | null;
  /** On the side of the client: the host that the server must be. */
  readonly hostname: string | null;
}

/**
 * Creates the context of connections to `hostname`.
 *
 * @throws {TypeError} If a certificate or key cannot be used, or the host is needed and missing, or
 * no host can have that name.
 * @throws {RangeError} If no handshake can offer the protocols or the versions.
 */
export function createClientContext(settings: true | TlsOptions, hostname?: string): TlsContext {
  const options = settings === true ? {} : settings;
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
  const node = nodeTls();
  checkOptions(node, options);
  const secureContext = createSecureContext(node, options);
  return { node, options, secureContext, server: null, hostname: host };
}

/**
 * Creates the context of a server.
 *
 * @throws {TypeError} If the certificate or the key is missing, or cannot be used.
 * @throws {RangeError} If no handshake can offer the protocols or the versions.
 */
export function createServerContext(options: true | TlsOptions): TlsContext {
  if (options === true || options.cert === undefined || options.key === undefined) {
    throw new TypeError("Cannot secure a server: its TLS options lack a cert or a key");
  }
  if (options.requestClientCert === true && options.caCerts === undefined) {
    throw new TypeError("Cannot ask clients for certificates: the TLS options lack caCerts");
  }
  const node = nodeTls();
  checkOptions(node, options);
  const server = node.tls.createServer({
    ...contextOptions(options),
    requestCert: options.requestClientCert === true,
    rejectUnauthorized: true,
    ...options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] },
  });
  return {
    node,
    options,
    secureContext: createSecureContext(node, options),
    server,
    hostname: null,
  };
}

function createSecureContext({ tls }: NodeTls, options: TlsOptions): SecureContext {
  return tls.createSecureContext(contextOptions(options));
}

function contextOptions({ caCerts, cert, key, minVersion, maxVersion }: TlsOptions): object {
  return {
    cert,
    key,
    minVersion: minVersion ?? "TLSv1.2",
    maxVersion: maxVersion ?? "TLSv1.3",
    ...caCerts === undefined ? {} : { ca: [...caCerts] },
  };
}

/** Finds out now what would fail every handshake. */
function checkOptions(node: NodeTls, options: TlsOptions): void {
  const { caCerts, cert, key, minVersion, maxVersion } = options;
  checkProtocols(options.alpnProtocols ?? []);
  if (minVersion === "TLSv1.3" && maxVersion === "TLSv1.2") {
    throw new RangeError("Cannot use any version of TLS: minVersion is above maxVersion");
  }
  for (const caCert of caCerts ?? []) parseCertificate(node, caCert, "in caCerts");
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("Cannot use a certificate: its cert and its key come only together");
  }
  if (cert === undefined || key === undefined) return;
  const certificate = parseCertificate(node, cert, "in cert");
  if (certificate.checkPrivateKey(parseKey(node, key))) return;
  throw new TypeError("Cannot use a certificate: the key is not the one of cert");
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

function parseCertificate({ crypto }: NodeTls, pem: string, where: string) {
  try {
    return new crypto.X509Certificate(pem);
  } catch (cause) {
    throw new TypeError(`Cannot use a certificate: what is ${where} is not one in PEM`, { cause });
  }
}

function parseKey({ crypto }: NodeTls, pem: string) {
  try {
    return crypto.createPrivateKey(pem);
  } catch (cause) {
    throw new TypeError("Cannot use a certificate: what is in key is not a private key in PEM", {
      cause,
    });
  }
}
