/**
 * The part of the seam that secures connections.
 *
 * *Theory of operation.* A {@linkcode TlsEngine} is TLS without a connection: what comes from the peer
 * goes in, what is for the peer comes out. One channel (transports/tls/deno_tls_channel.ts) puts any
 * engine over any channel of bytes.
 *
 * @module
 */

/**
 * A version of TLS.
 *
 * @category TLS
 */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/**
 * A certificate with its key, in PEM.
 *
 * @category TLS
 */
export interface TlsIdentity {
  /** The certificate, with those between it and the authority behind it. */
  cert: string;
  /** Its private key. */
  key: string;
  /** What the key is encrypted with. */
  password?: string | undefined;
}

/**
 * How a connection is secured. As an `ssl.SSLContext`. Everything in it is in PEM.
 *
 * @category TLS
 */
export interface TlsOptions {
  /**
   * The certificates of the authorities whose word is trusted, instead of those that Deno trusts; on
   * the native backend that are those of the system, as OpenSSL finds them (`SSL_CERT_FILE`). A client
   * checks the server with them, and a server with `requestClientCert` the client.
   */
  caCerts?: readonly string[] | undefined;
  /** The own certificate, with those between it and the authority behind it. Servers need it. */
  cert?: string | undefined;
  /** The private key of `cert`; an encrypted one needs a `password`. */
  key?: string | undefined;
  /** What the key is encrypted with. On the native backend. */
  password?: string | undefined;
  /**
   * The protocols spoken inside, the best first; see RFC 7301. The server picks one. Each takes 1 to
   * 255 bytes, and all of them, with one more for each, at most 65,535.
   */
  alpnProtocols?: readonly string[] | undefined;
  /**
   * Whether a server asks for a certificate, and refuses clients without one that it trusts; with
   * `"optional"`, on the native backend, it takes clients that show none.
   */
  requestClientCert?: boolean | "optional" | undefined;
  /**
   * Chooses the certificate of a server by the name that a client asks for, `null` if it names none;
   * `null` stands for `cert` and `key`. What it throws refuses the client. On the native backend.
   */
  sni?: ((serverName: string | null) => TlsIdentity | null) | undefined;
  /**
   * The cipher suites that may be used, as OpenSSL calls them, with colons between: those of TLS 1.3
   * begin with `TLS_`, and those of a version that is not named stay as they are. On the native backend.
   */
  ciphers?: string | undefined;
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

/**
 * What an engine tells. It may come at any time, also from outside the loop.
 *
 * @category Platform
 */
export interface TlsEngineEvents {
  /** The handshake is done, and the peer is who it must be. */
  secured(info: TlsInfo): void;
  /**
   * `records` are to be sent. Once they went out, so have `payload` more bytes of those that were
   * given to {@linkcode TlsEngine.encrypt}.
   *
   * @returns Whether the memory of `records` is free again.
   */
  encrypted(records: Uint8Array, payload: number): boolean;
  /**
   * The first `count` bytes of `buffer` have come.
   *
   * @param isOwned Whether the memory belongs to the receiver from now on.
   */
  decrypted(buffer: Uint8Array, count: number, isOwned: boolean): void;
  /** The peer has ended the connection in good order. */
  ended(): void;
  /** The engine is of no more use. */
  failed(error: Error): void;
}

/**
 * TLS without a connection.
 *
 * @category Platform
 */
export interface TlsEngine {
  /** Takes the first `count` bytes of `buffer`, which came from the peer; the memory is free again then. */
  feed(buffer: Uint8Array, count: number): void;
  /** Encrypts `bytes`; their memory is free again afterwards. */
  encrypt(bytes: Uint8Array): void;
  /** Tells the peer that nothing more comes; calls `told` once the record of that was told. */
  end(told: () => void): void;
  /** Lets go of everything. */
  destroy(): void;
}

/**
 * All that the handshakes of one client, or of one server, have in common.
 *
 * @category Platform
 */
export interface TlsContext {
  /** Starts a handshake, whose first records may be told at once. */
  start(events: TlsEngineEvents): TlsEngine;
}

/**
 * What secures connections where Deno's own TLS does not.
 *
 * @category Platform
 */
export interface Tls {
  /**
   * Creates the context of connections to `hostname`.
   *
   * @param hostname The host that the server must be, if that is known.
   * @throws {TypeError} If what is in the options cannot be used.
   * @throws {RangeError} If no handshake can offer it.
   */
  clientContext(options: TlsOptions, hostname: string | undefined): TlsContext;
  /**
   * Creates the context of a server.
   *
   * @throws {TypeError} If what is in the options cannot be used.
   * @throws {RangeError} If no handshake can offer it.
   */
  serverContext(options: TlsOptions): TlsContext;
}
