import type { TlsOptions } from "../../loop/platform/platform.ts";

export type {
  TlsCertificate,
  TlsIdentity,
  TlsInfo,
  TlsOptions,
  TlsVersion,
} from "../../loop/platform/platform.ts";

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
