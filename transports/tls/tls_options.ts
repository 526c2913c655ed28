/**
 * A version of TLS.
 *
 * @category TLS
 */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/**
 * How a connection is secured. As an `ssl.SSLContext`. Everything in it is in PEM.
 *
 * @category TLS
 */
export interface TlsOptions {
  /**
   * The certificates of the authorities whose word is trusted, instead of those that Deno trusts.
   * A client checks the server with them, and a server with `requestClientCert` the client.
   */
  caCerts?: readonly string[] | undefined;
  /** The own certificate, with those between it and the authority behind it. Servers need it. */
  cert?: string | undefined;
  /** The private key of `cert`, not encrypted. */
  key?: string | undefined;
  /**
   * The protocols spoken inside, the best first; see RFC 7301. The server picks one. Each takes 1 to
   * 255 bytes, and all of them, with one more for each, at most 65,535.
   */
  alpnProtocols?: readonly string[] | undefined;
  /** Whether a server asks for a certificate, and refuses clients without one that it trusts. */
  requestClientCert?: boolean | undefined;
  /** The oldest version that is spoken; 1.2 by default. */
  minVersion?: TlsVersion | undefined;
  /** The newest version that is spoken; 1.3 by default. */
  maxVersion?: TlsVersion | undefined;
  /**
   * Lets a client accept a server with the certificate of another host. An authority that is
   * trusted must have signed it all the same.
   */
  unsafelyDisableHostnameVerification?: boolean | undefined;
}

/**
 * Time limits of TLS.
 *
 * @category TLS
 */
export interface TlsTimeouts {
  /** Seconds that the handshake may take; 60 by default. */
  tlsHandshakeTimeout?: number | undefined;
  /** Seconds that the peer gets to confirm the end, before the connection is cut; 30 by default. */
  tlsShutdownTimeout?: number | undefined;
}

/**
 * How a client secures its connection.
 *
 * @category TLS
 */
export interface TlsClientSettings extends TlsTimeouts {
  /** Secures the connection; `true` stands for the defaults. */
  tls?: true | TlsOptions | undefined;
  /**
   * The host that the certificate of the server must be for; where there is a `hostname`, that by
   * default. Names are compared as CPython's `ssl` does: a wildcard stands for one whole label.
   */
  serverHostname?: string | undefined;
}

/**
 * How a server secures its connections.
 *
 * @category TLS
 */
export interface TlsServerSettings extends TlsTimeouts {
  /** Secures the connections; `cert` and `key` must be given. */
  tls?: TlsOptions | undefined;
}

/**
 * What `getExtraInfo("tls")` tells of a secured connection.
 *
 * @category TLS
 */
export interface TlsInfo {
  /** The version of TLS. */
  readonly version: string;
  /** The cipher suite, as OpenSSL calls it. */
  readonly cipher: string;
  /** The protocol that was agreed on, if any. */
  readonly alpnProtocol: string | null;
  /** The certificate of the peer, if it has shown one. */
  readonly peerCertificate: TlsCertificate | null;
}

/**
 * A certificate.
 *
 * @category TLS
 */
export interface TlsCertificate {
  /** Whom it is for: `CN`, `O` and so on. */
  readonly subject: Readonly<Record<string, string | string[]>>;
  /** Who has signed it. */
  readonly issuer: Readonly<Record<string, string | string[]>>;
  /**
   * The names it holds for, as in `DNS:localhost, IP Address:127.0.0.1`. One with a comma or a quote
   * in it is a JSON string in which no comma is left: whoever asked for the certificate chose it.
   */
  readonly subjectAltName: string;
  /** From when it holds, as in `Jan  1 00:00:00 2020 GMT`. */
  readonly validFrom: string;
  /** Until when it holds. */
  readonly validTo: string;
  /** Its number, in hexadecimal digits. */
  readonly serialNumber: string;
  /** Its SHA-256 hash, in pairs of hexadecimal digits. */
  readonly fingerprint256: string;
  /** The certificate itself, in DER. */
  readonly raw: Uint8Array;
}
