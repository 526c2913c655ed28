import type { SecureContext, Server } from "node:tls";
import type { Tls, TlsEngine, TlsEngineEvents } from "../../loop/platform/platform.ts";
import { checkClientOptions, checkServerOptions, unusable } from "./_check_tls_options.ts";
import { type NodeTls, nodeTls } from "./_deno_node_tls.ts";
import { DenoTlsEngine } from "./_deno_tls_engine.ts";
import type { TlsOptions } from "./tls_options.ts";

/** What only OpenSSL can do. */
const NATIVE_ONLY = ["ciphers", "password", "sni"] as const;

/** All that the handshakes of one client, or of one server, have in common. */
export class DenoTlsContext {
  /** The modules of Node's. */
  readonly node: NodeTls = nodeTls();
  /** What it was made from. */
  readonly options: TlsOptions;
  /** The certificates and keys, parsed. */
  readonly secureContext: SecureContext;
  /** On the side of the server: what accepts connections. It does not listen. */
  readonly server: Server | null;
  /** On the side of the client: the host that the server must be. */
  readonly hostname: string | null;

  /** Parses what is in `options`; they are those of a server unless there is a `hostname`, or `null`. */
  constructor(options: TlsOptions, hostname?: string | null) {
    checkKnown(options);
    checkCertificates(this.node, options);
    this.options = options;
    this.hostname = hostname ?? null;
    this.server = hostname === undefined ? createServer(this.node, options) : null;
    this.secureContext = this.node.tls.createSecureContext(contextOptions(options));
  }

  start(events: TlsEngineEvents): TlsEngine {
    return new DenoTlsEngine(this, events);
  }
}

/** TLS by `node:tls`. */
export const denoTls: Tls = {
  clientContext(options, hostname) {
    return new DenoTlsContext(options, checkClientOptions(options, hostname));
  },
  serverContext(options) {
    checkServerOptions(options);
    return new DenoTlsContext(options);
  },
};

function createServer({ tls }: NodeTls, options: TlsOptions): Server {
  return tls.createServer({
    ...contextOptions(options),
    requestCert: options.requestClientCert === true,
    rejectUnauthorized: true,
    ...options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] },
  });
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

function checkKnown(options: TlsOptions): void {
  const names = NATIVE_ONLY.filter((name) => options[name] !== undefined);
  const name = options.requestClientCert === "optional"
    ? 'requestClientCert: "optional"'
    : names[0];
  if (name === undefined) return;
  throw new TypeError(
    `Cannot use ${name} in TLS options: Deno's TLS has no such thing; that of "@gyre/asyncio/native" has, where there is OpenSSL 3`,
  );
}

function checkCertificates(node: NodeTls, { caCerts, cert, key }: TlsOptions): void {
  for (const caCert of caCerts ?? []) parseCertificate(node, caCert, "in caCerts");
  if (cert === undefined || key === undefined) return;
  const certificate = parseCertificate(node, cert, "in cert");
  if (certificate.checkPrivateKey(parseKey(node, key))) return;
  throw unusable("the key is not the one of cert");
}

function parseCertificate({ crypto }: NodeTls, pem: string, where: string) {
  try {
    return new crypto.X509Certificate(pem);
  } catch (cause) {
    throw unusable(`what is ${where} is not one in PEM`, cause);
  }
}

function parseKey({ crypto }: NodeTls, pem: string) {
  try {
    return crypto.createPrivateKey(pem);
  } catch (cause) {
    throw unusable("what is in key is not a private key in PEM", cause);
  }
}
