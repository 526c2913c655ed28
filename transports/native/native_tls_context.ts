/**
 * What the handshakes of one client, or of one server, have in common, as OpenSSL has it.
 *
 * *Theory of operation.* An `SSL_CTX` is made from texts alone, and one is shared by all who give the
 * same: certificates are parsed once, not for each connection of a client. The {@linkcode MOST_CONTEXTS}
 * used last are kept. One that is dropped lives on in its connections; who needs it again makes it anew.
 *
 * @module
 */
import type {
  Tls,
  TlsContext,
  TlsEngine,
  TlsEngineEvents,
  TlsIdentity,
  TlsOptions,
} from "../../loop/platform/platform.ts";
import { checkClientOptions, checkServerOptions, unusable } from "../tls/_check_tls_options.ts";
import { serverCallbacks } from "./native_tls_callbacks.ts";
import { NativeTlsEngine } from "./native_tls_engine.ts";
import { clearErrors, takeReason } from "./native_tls_error.ts";
import {
  allocated,
  cString,
  openssl,
  type Pointer,
  SSL_CTRL_CHAIN_CERT,
  SSL_CTRL_MODE,
  SSL_CTRL_SET_MAX_PROTO_VERSION,
  SSL_CTRL_SET_MIN_PROTO_VERSION,
  SSL_CTRL_SET_SESS_CACHE_MODE,
  SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
  SSL_MODES,
  SSL_OPTIONS,
  SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
  SSL_VERIFY_NONE,
  SSL_VERIFY_PEER,
  TLS_VERSIONS,
  X509_V_FLAG_PARTIAL_CHAIN,
} from "./native_openssl.ts";

/** How many contexts are kept that nobody may need. */
const MOST_CONTEXTS = 64;

/** What TLS 1.2 offers: forward secrecy, and encryption that authenticates. */
const CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";

/** The longest password that OpenSSL reads whole. */
const LONGEST_PASSWORD = 1023;

/** Sessions are resumed only by a server of ours. */
const SESSION_CONTEXT = new TextEncoder().encode("gyre");

const kept: Map<string, Pointer> = new Map();

/** All that a context is made from. */
interface Recipe {
  readonly side: "client" | "server";
  readonly options: TlsOptions;
}

/** The context of one client or server. */
export class NativeTlsContext implements TlsContext {
  readonly #recipe: Recipe;
  readonly #key: string;
  /** On the side of the client: the host that the server must be. */
  readonly hostname: string | null;

  /** Looks into the certificates of `options`. */
  constructor(side: "client" | "server", options: TlsOptions, hostname: string | null = null) {
    this.#recipe = { side, options };
    this.#key = keyOf(this.#recipe);
    this.hostname = hostname;
    // What cannot be used is told now.
    void this.pointer;
  }

  /** Which side it is of. */
  get side(): "client" | "server" {
    return this.#recipe.side;
  }

  /** What it was made from. */
  get options(): TlsOptions {
    return this.#recipe.options;
  }

  /** The `SSL_CTX`, to be used at once. */
  get pointer(): Pointer {
    return shared(this.#key, this.#recipe);
  }

  start(events: TlsEngineEvents): TlsEngine {
    return new NativeTlsEngine(this, events);
  }

  /** Returns the `SSL_CTX` of the same server with another certificate, to be used at once. */
  pointerFor({ cert, key, password }: TlsIdentity): Pointer {
    const recipe = { ...this.#recipe, options: { ...this.options, cert, key, password } };
    return shared(keyOf(recipe), recipe);
  }
}

/** TLS by OpenSSL. */
export const nativeTls: Tls = {
  clientContext(options, hostname) {
    return new NativeTlsContext("client", options, checkClientOptions(options, hostname));
  },
  serverContext(options) {
    checkServerOptions(options);
    return new NativeTlsContext("server", options);
  },
};

function keyOf({ side, options }: Recipe): string {
  const { caCerts, cert, key, password, alpnProtocols, requestClientCert } = options;
  const { minVersion, maxVersion, ciphers } = options;
  const parts = [caCerts, cert, key, password, requestClientCert, minVersion, maxVersion, ciphers];
  // A server picks a protocol for each connection.
  return JSON.stringify([side, ...parts, side === "client" ? alpnProtocols : null]);
}

function shared(key: string, recipe: Recipe): Pointer {
  const found = kept.get(key);
  const context = found ?? create(recipe);
  // The last one was used last.
  kept.delete(key);
  kept.set(key, context);
  if (kept.size > MOST_CONTEXTS) dropOldest();
  return context;
}

function dropOldest(): void {
  for (const [key, context] of kept) {
    kept.delete(key);
    return openssl.SSL_CTX_free(context);
  }
}

function create({ side, options }: Recipe): Pointer {
  const isServer = side === "server";
  const method = isServer ? openssl.TLS_server_method() : openssl.TLS_client_method();
  const context = allocated(openssl.SSL_CTX_new(method));
  try {
    openssl.SSL_CTX_set_options(context, SSL_OPTIONS);
    openssl.SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODES, null);
    setVersions(context, options);
    setCiphers(context, options.ciphers);
    setAuthorities(context, isServer, options);
    setIdentity(context, options);
    if (isServer) setServer(context);
    else setProtocols(context, options.alpnProtocols ?? []);
    return context;
  } catch (error) {
    openssl.SSL_CTX_free(context);
    throw error;
  } finally {
    clearErrors();
  }
}

function setVersions(context: Pointer, { minVersion, maxVersion }: TlsOptions): void {
  const least = TLS_VERSIONS[minVersion ?? "TLSv1.2"];
  const most = TLS_VERSIONS[maxVersion ?? "TLSv1.3"];
  openssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, least, null);
  openssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, most, null);
}

function setCiphers(context: Pointer, ciphers: string | undefined): void {
  openssl.SSL_CTX_set_cipher_list(context, cString(CIPHERS));
  if (ciphers === undefined) return;
  const names = ciphers.split(/[:, ]+/).filter(Boolean);
  const [modern, others] = [true, false].map((isModern) =>
    names.filter((name) => name.startsWith("TLS_") === isModern).join(":")
  ) as [string, string];
  const isKnown = names.length > 0 &&
    (modern === "" || openssl.SSL_CTX_set_ciphersuites(context, cString(modern)) === 1) &&
    (others === "" || openssl.SSL_CTX_set_cipher_list(context, cString(others)) === 1);
  if (isKnown) return;
  throw new RangeError(
    `Cannot use the ciphers ${JSON.stringify(ciphers)}: OpenSSL does not know them`,
    { cause: takeReason() },
  );
}

/** Sets whom to trust, and whether to ask. */
function setAuthorities(context: Pointer, isServer: boolean, options: TlsOptions): void {
  const { caCerts, requestClientCert = false } = options;
  if (caCerts === undefined && !isServer) {
    openssl.SSL_CTX_set1_cert_store(context, authoritiesOfSystem());
  }
  // Whose word is trusted needs nobody's behind it.
  openssl.X509_VERIFY_PARAM_set_flags(
    openssl.SSL_CTX_get0_param(context),
    X509_V_FLAG_PARTIAL_CHAIN,
  );
  const store = openssl.SSL_CTX_get_cert_store(context);
  for (const pem of caCerts ?? []) {
    withCertificates(pem, "in caCerts", (certificates) => {
      for (const certificate of certificates) {
        openssl.X509_STORE_add_cert(store, certificate);
        if (isServer) openssl.SSL_CTX_add_client_CA(context, certificate);
      }
    });
  }
  const asks = !isServer || requestClientCert !== false;
  const insists = requestClientCert === true ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  openssl.SSL_CTX_set_verify(context, asks ? SSL_VERIFY_PEER | insists : SSL_VERIFY_NONE, null);
}

let systemStore: Pointer | null = null;

/** Returns whom the system trusts. Read once, which takes some hundred certificates. */
function authoritiesOfSystem(): Pointer {
  if (systemStore === null) {
    systemStore = allocated(openssl.X509_STORE_new());
    openssl.X509_STORE_set_default_paths(systemStore);
  }
  return systemStore;
}

function setIdentity(context: Pointer, { cert, key, password }: TlsOptions): void {
  if (cert === undefined || key === undefined) return;
  withCertificates(cert, "in cert", ([certificate, ...chain]) => {
    withKey(key, password, (privateKey) => {
      if (openssl.X509_check_private_key(certificate, privateKey) !== 1) {
        throw unusable("the key is not the one of cert", takeReason());
      }
      const isTaken = openssl.SSL_CTX_use_certificate(context, certificate) === 1 &&
        openssl.SSL_CTX_use_PrivateKey(context, privateKey) === 1;
      if (!isTaken) throw unusable("OpenSSL refuses the one in cert", takeReason());
      // It counts its own uses of them.
      for (const next of chain) openssl.SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1n, next);
    });
  });
}

function setServer(context: Pointer): void {
  const { chooseName, chooseProtocol } = serverCallbacks();
  openssl.SSL_CTX_set_session_id_context(context, SESSION_CONTEXT, SESSION_CONTEXT.length);
  // Who resumes has a ticket; nothing is kept here for it.
  openssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, 0n, null);
  openssl.SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, chooseName);
  openssl.SSL_CTX_set_alpn_select_cb(context, chooseProtocol, null);
}

function setProtocols(context: Pointer, protocols: readonly string[]): void {
  if (protocols.length === 0) return;
  const list = protocols.flatMap((protocol) => {
    const bytes = new TextEncoder().encode(protocol);
    return [bytes.length, ...bytes];
  });
  openssl.SSL_CTX_set_alpn_protos(context, Uint8Array.from(list), list.length);
}

/** Has `use` have the certificates in `pem`, of which there is at least one. */
function withCertificates(
  pem: string,
  where: string,
  use: (certificates: [Pointer, ...Pointer[]]) => void,
): void {
  const certificates: Pointer[] = [];
  try {
    const end = withText(pem, (bio) => {
      for (;;) {
        const certificate = openssl.PEM_read_bio_X509(bio, null, null, NOTHING);
        if (certificate === null) return takeReason();
        certificates.push(certificate);
      }
    });
    const [first, ...others] = certificates;
    if (first === undefined || end?.code !== "ERR_PEM_NO_START_LINE") {
      throw unusable(`what is ${where} is not one in PEM`, end);
    }
    use([first, ...others]);
  } finally {
    for (const certificate of certificates) openssl.X509_free(certificate);
  }
}

/** Has `use` have the key in `pem`. */
function withKey(pem: string, password: string | undefined, use: (key: Pointer) => void): void {
  const secret = cString(password ?? "");
  if (secret.indexOf(0) < secret.length - 1 || secret.length - 1 > LONGEST_PASSWORD) {
    throw new RangeError(
      `Cannot use a password: it must take at most ${LONGEST_PASSWORD} bytes, without a 0`,
    );
  }
  const key = withText(pem, (bio) => openssl.PEM_read_bio_PrivateKey(bio, null, null, secret));
  secret.fill(0);
  if (key === null) {
    const state = !/\bENCRYPTED\b/.test(pem)
      ? "what is in key is not a private key in PEM"
      : password === undefined
      ? "the key is encrypted, and password is missing"
      : "the password is not the one of the key";
    throw unusable(state, takeReason());
  }
  try {
    use(key);
  } finally {
    openssl.EVP_PKEY_free(key);
  }
}

/** Has OpenSSL read `text`. */
function withText<T>(text: string, read: (bio: Pointer) => T): T {
  const bytes = new TextEncoder().encode(text);
  const bio = allocated(openssl.BIO_new(openssl.BIO_s_mem()));
  try {
    if (bytes.length > 0) openssl.BIO_write(bio, bytes, bytes.length);
    return read(bio);
  } finally {
    openssl.BIO_free(bio);
  }
}

/** The text that OpenSSL takes for an empty password; it would ask the terminal for a missing one. */
const NOTHING = new Uint8Array(1);
