/**
 * The functions of OpenSSL 3, and what is the same in all of its versions.
 *
 * *Theory of operation.* As for libc: sizes and results are 32 bits wide where a call is made for each
 * message, what takes a `buffer` uses it only during the call, and OpenSSL is told no address of
 * JavaScript's. What it keeps, it has copied from a `BIO`. The two callbacks live as long as the library,
 * and run only within {@linkcode Openssl.SSL_do_handshake}.
 *
 * @module
 */
import { openLibrary } from "./native_libc.ts";

const OPENSSL = {
  BIO_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i32" },
  BIO_ctrl_pending: { parameters: ["pointer"], result: "u32" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_s_mem: { parameters: [], result: "pointer" },
  BIO_up_ref: { parameters: ["pointer"], result: "i32" },
  BIO_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_get_error: { parameters: [], result: "u32" },
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  PEM_read_bio_PrivateKey: {
    parameters: ["pointer", "pointer", "pointer", "buffer"],
    result: "pointer",
  },
  PEM_read_bio_X509: {
    parameters: ["pointer", "pointer", "pointer", "buffer"],
    result: "pointer",
  },
  X509_STORE_add_cert: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_STORE_new: { parameters: [], result: "pointer" },
  X509_STORE_set_default_paths: { parameters: ["pointer"], result: "i32" },
  X509_VERIFY_PARAM_set1_ip: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  X509_VERIFY_PARAM_set_flags: { parameters: ["pointer", "u64"], result: "i32" },
  X509_check_private_key: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_free: { parameters: ["pointer"], result: "void" },
  X509_verify_cert_error_string: { parameters: ["i64"], result: "pointer" },
  i2d_X509_bio: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CIPHER_get_name: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_add_client_CA: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_callback_ctrl: { parameters: ["pointer", "i32", "function"], result: "i64" },
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i64" },
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  SSL_CTX_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_get_cert_store: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_set1_cert_store: { parameters: ["pointer", "pointer"], result: "void" },
  SSL_CTX_set_alpn_protos: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_CTX_set_alpn_select_cb: { parameters: ["pointer", "function", "pointer"], result: "void" },
  SSL_CTX_set_cipher_list: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_set_ciphersuites: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_set_options: { parameters: ["pointer", "u64"], result: "u64" },
  SSL_CTX_set_session_id_context: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_CTX_set_verify: { parameters: ["pointer", "i32", "pointer"], result: "void" },
  SSL_CTX_use_PrivateKey: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_use_certificate: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_ctrl: { parameters: ["pointer", "i32", "i64", "buffer"], result: "i64" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_free: { parameters: ["pointer"], result: "void" },
  SSL_get0_alpn_selected: { parameters: ["pointer", "buffer", "buffer"], result: "void" },
  SSL_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_get1_peer_certificate: { parameters: ["pointer"], result: "pointer" },
  SSL_get_current_cipher: { parameters: ["pointer"], result: "pointer" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_get_peer_cert_chain: { parameters: ["pointer"], result: "pointer" },
  SSL_get_servername: { parameters: ["pointer", "i32"], result: "pointer" },
  SSL_get_verify_result: { parameters: ["pointer"], result: "i64" },
  SSL_get_version: { parameters: ["pointer"], result: "pointer" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_set1_host: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_set_SSL_CTX: { parameters: ["pointer", "pointer"], result: "pointer" },
  SSL_set_accept_state: { parameters: ["pointer"], result: "void" },
  SSL_set_bio: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_set_hostflags: { parameters: ["pointer", "u32"], result: "void" },
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  OPENSSL_sk_num: { parameters: ["pointer"], result: "i32" },
  OPENSSL_sk_value: { parameters: ["pointer", "i32"], result: "pointer" },
  TLS_client_method: { parameters: [], result: "pointer" },
  TLS_server_method: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of OpenSSL. */
export type Openssl = Deno.DynamicLibrary<typeof OPENSSL>["symbols"];

/** Its file; that of libcrypto is behind it. */
const FILE = "libssl.so.3";

/** The functions, after {@linkcode openOpenssl}. */
export let openssl: Openssl;

let isThere: boolean | null = null;

/** Has the functions be there, if the system has them; to be called after `openLibc()`. */
export function openOpenssl(): boolean {
  if (isThere !== null) return isThere;
  try {
    openssl = openLibrary(FILE, OPENSSL);
    isThere = true;
  } catch {
    isThere = false;
  }
  return isThere;
}

/** An object of OpenSSL's. */
export type Pointer = Deno.PointerObject;

/** Returns `text` with a 0 at its end. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** Returns what OpenSSL has made, unless there was no memory for it. */
export function allocated(pointer: Deno.PointerValue): Pointer {
  if (pointer !== null) return pointer;
  throw new RangeError("Cannot secure a connection: OpenSSL has no memory left");
}

export const BIO_CTRL_RESET = 1;

export const SSL_CTRL_MODE = 33;
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
export const SSL_CTRL_SET_TLSEXT_SERVERNAME_CB = 53;
export const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
export const SSL_CTRL_CHAIN_CERT = 89;
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
export const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;

/** `ACCEPT_MOVING_WRITE_BUFFER`, `AUTO_RETRY` and `RELEASE_BUFFERS`. */
export const SSL_MODES = 0x16n;
/** `NO_COMPRESSION` and `CIPHER_SERVER_PREFERENCE`. */
export const SSL_OPTIONS = 0x42_0000n;

export const SSL_VERIFY_NONE = 0;
export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

export const SSL_ERROR_WANT_READ = 2;
export const SSL_ERROR_ZERO_RETURN = 6;

export const SSL_TLSEXT_ERR_OK = 0;
export const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
export const SSL_TLSEXT_ERR_NOACK = 3;
export const SSL_AD_HANDSHAKE_FAILURE = 40;
/** The reasons of errors from here on are alerts of the peer's. */
export const SSL_AD_REASON_OFFSET = 1000;

export const X509_V_OK = 0;
export const X509_V_ERR_HOSTNAME_MISMATCH = 62;
export const X509_V_ERR_IP_ADDRESS_MISMATCH = 64;
export const X509_V_FLAG_PARTIAL_CHAIN = 0x8_0000n;
export const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 4;

/** The versions of TLS by their numbers. */
export const TLS_VERSIONS = { "TLSv1.2": 0x303n, "TLSv1.3": 0x304n } as const;
