/**
 * TLS by OpenSSL.
 *
 * *Theory of operation.* OpenSSL reads records from one `BIO` and writes them to another. All
 * connections of a thread share the two: what is fed is taken up within the call, and what came of it
 * fetched before anything else happens, so that both are empty whenever other code runs. So is the
 * list of errors that OpenSSL keeps for the thread. An idle connection has no buffers of ours. Only
 * within `sni` other code runs in the midst of a call: a server that has it shakes hands on wires of its
 * own.
 *
 * @module
 */
import type {
  TlsEngine,
  TlsEngineEvents,
  TlsIdentity,
  TlsInfo,
} from "../../loop/platform/platform.ts";
import { describe } from "../../loop/values/describe.ts";
import { bytesOfAddress } from "../tls/certificate_names.ts";
import { describeCertificateIn } from "../tls/_deno_tls_certificate.ts";
import { bytesAtAddress, textAt } from "./native_memory.ts";
import {
  allocated,
  BIO_CTRL_RESET,
  cString,
  openssl,
  type Pointer,
  SSL_CTRL_SET_TLSEXT_HOSTNAME,
  SSL_ERROR_WANT_READ,
  SSL_ERROR_ZERO_RETURN,
  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
  X509_V_OK,
} from "./native_openssl.ts";
import { asking, type Chooser } from "./native_tls_callbacks.ts";
import type { NativeTlsContext } from "./native_tls_context.ts";
import { clearErrors, coded, refusedCertificate, takeReason } from "./native_tls_error.ts";

/** The most that is fed at once. */
const LARGEST_FEED = 256 * 1024;

/** What a record holds, and what it takes at most. */
const RECORD_CONTENT = 16 * 1024;
const LARGEST_RECORD = RECORD_CONTENT + 512;

/** What a feed holds when it is decrypted: with it comes the rest of a record that came before. */
const decrypted = new Uint8Array(LARGEST_FEED + 2 * LARGEST_RECORD);

/** Where the content of the records of a feed begins, when all of them are full. */
const places: readonly Uint8Array[] = Array.from(
  { length: Math.floor(decrypted.length / RECORD_CONTENT) },
  (_, index) => decrypted.subarray(index * RECORD_CONTENT),
);

/** What is written: two sizes, as one of them may be kept by a connection that is slow. */
const SMALL_OUTPUT = LARGEST_RECORD;
const LARGE_OUTPUT = 256 * 1024;
let smallOutput = new Uint8Array(SMALL_OUTPUT);
let largeOutput = new Uint8Array(LARGE_OUTPUT);

const NO_BYTES = new Uint8Array(0);

/** What OpenSSL reads from and writes to. */
interface Wires {
  readonly input: Pointer;
  readonly output: Pointer;
}

let shared: Wires | null = null;

function createWires(): Wires {
  return {
    input: allocated(openssl.BIO_new(openssl.BIO_s_mem())),
    output: allocated(openssl.BIO_new(openssl.BIO_s_mem())),
  };
}

/** Has `ssl` use the wires that all share. */
function shareWires(ssl: Pointer): Wires {
  shared ??= createWires();
  openssl.BIO_up_ref(shared.input);
  openssl.BIO_up_ref(shared.output);
  openssl.SSL_set_bio(ssl, shared.input, shared.output);
  return shared;
}

/** Frees what nobody has destroyed. */
const forgotten = new FinalizationRegistry<Pointer>((ssl) => openssl.SSL_free(ssl));

/** Throws unless a function of the program has given a certificate. */
function checkIdentity(identity: unknown): asserts identity is TlsIdentity {
  const { cert, key, password = "" } = Object(identity) as Partial<TlsIdentity>;
  if ([cert, key, password].every((part) => typeof part === "string")) return;
  throw new TypeError(
    `Cannot use what sni has given: expected a cert and a key or null, got ${describe(identity)}`,
  );
}

/** One end of a connection, as OpenSSL has it. */
export class NativeTlsEngine implements TlsEngine, Chooser {
  readonly #context: NativeTlsContext;
  readonly #events: TlsEngineEvents;
  #wires: Wires;
  /** The `SSL`; `null` once it is freed. */
  #ssl: Pointer | null;
  #isSecured = false;
  /** Whether it is of no more use. */
  #hasFailed = false;
  /** Whether the peer was told that nothing more comes, and whether it has said so. */
  #hasEnded = false;
  #isPeerDone = false;
  /** Whether OpenSSL may be asking `sni`, and whether that has let go of this. */
  #isAsked = false;
  #isDoomed = false;
  /** What has refused the client. */
  #refusal: unknown = null;
  /** What could not be encrypted yet, as the peer has asked for new keys first. */
  #waiting: Uint8Array[] = [];

  /** Starts a handshake. */
  constructor(context: NativeTlsContext, events: TlsEngineEvents) {
    this.#context = context;
    this.#events = events;
    const ssl = allocated(openssl.SSL_new(context.pointer));
    this.#ssl = ssl;
    forgotten.register(this, ssl, this);
    if (context.options.sni === undefined) this.#wires = shareWires(ssl);
    else {
      this.#wires = createWires();
      openssl.SSL_set_bio(ssl, this.#wires.input, this.#wires.output);
    }
    if (context.side === "server") openssl.SSL_set_accept_state(ssl);
    else {
      openssl.SSL_set_connect_state(ssl);
      this.#setHost(ssl);
      this.#handshake(ssl);
    }
  }

  feed(buffer: Uint8Array, count: number): void {
    if (count <= LARGEST_FEED) return this.#feed(buffer, count);
    for (let start = 0; start < count; start += LARGEST_FEED) {
      const part = buffer.subarray(start, Math.min(start + LARGEST_FEED, count));
      this.#feed(part, part.length);
    }
  }

  encrypt(bytes: Uint8Array): void {
    const ssl = this.#ssl;
    const { length } = bytes;
    if (ssl === null || this.#hasFailed || this.#hasEnded || length === 0) return;
    if (this.#waiting.length > 0) return void this.#waiting.push(new Uint8Array(bytes));
    const written = openssl.SSL_write(ssl, bytes, length);
    if (written === length) return this.#send(length);
    if (openssl.SSL_get_error(ssl, written) === SSL_ERROR_WANT_READ) {
      this.#waiting.push(new Uint8Array(bytes));
      this.#send(0);
    } else this.#fail(ssl);
  }

  end(told: () => void): void {
    if (this.#ssl !== null && this.#isSecured && !this.#hasFailed && !this.#hasEnded) {
      this.#hasEnded = true;
      if (openssl.SSL_shutdown(this.#ssl) < 0) clearErrors();
      this.#send(0);
    }
    told();
  }

  destroy(): void {
    if (this.#ssl === null) return;
    if (this.#isAsked) {
      this.#isDoomed = true;
      return;
    }
    forgotten.unregister(this);
    openssl.SSL_free(this.#ssl);
    this.#ssl = null;
    this.#waiting = [];
  }

  /** @ignore */
  chooseName(): boolean {
    const { sni } = this.#context.options;
    const ssl = this.#ssl;
    if (sni === undefined || ssl === null) return true;
    try {
      const identity: unknown = sni(textAt(openssl.SSL_get_servername(ssl, 0)));
      if (identity === null) return true;
      checkIdentity(identity);
      return openssl.SSL_set_SSL_CTX(ssl, this.#context.pointerFor(identity)) !== null;
    } catch (error) {
      this.#refusal = error;
      return false;
    }
  }

  /** @ignore */
  chooseProtocol(offer: Uint8Array): number | null {
    const { alpnProtocols } = this.#context.options;
    if (alpnProtocols === undefined || alpnProtocols.length === 0) return null;
    const offered = new Map<string, number>();
    for (let place = 0; place < offer.length; place += 1 + (offer[place] as number)) {
      const end = place + 1 + (offer[place] as number);
      offered.set(new TextDecoder().decode(offer.subarray(place + 1, end)), place);
    }
    const chosen = alpnProtocols.find((protocol) => offered.has(protocol));
    return chosen === undefined ? -1 : offered.get(chosen) as number;
  }

  #setHost(ssl: Pointer): void {
    const { hostname, options } = this.#context;
    if (hostname === null) return;
    const name = cString(hostname);
    const address = bytesOfAddress(hostname);
    if (address === null) openssl.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0n, name);
    if (options.unsafelyDisableHostnameVerification === true) return;
    openssl.SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const isSet = address === null
      ? openssl.SSL_set1_host(ssl, name)
      : openssl.X509_VERIFY_PARAM_set1_ip(openssl.SSL_get0_param(ssl), address, address.length);
    if (isSet !== 1) allocated(null);
  }

  #feed(buffer: Uint8Array, count: number): void {
    const ssl = this.#ssl;
    if (ssl === null || this.#hasFailed || this.#isPeerDone || count === 0) return;
    openssl.BIO_write(this.#wires.input, buffer, count);
    if (!this.#isSecured) this.#handshake(ssl);
    if (this.#isSecured) this.#decrypt(ssl);
  }

  #handshake(ssl: Pointer): void {
    this.#isAsked = true;
    const result = asking(this, () => openssl.SSL_do_handshake(ssl));
    this.#isAsked = false;
    if (this.#isDoomed) return this.destroy();
    if (result === 1) {
      this.#isSecured = true;
      const info = this.#describe(ssl);
      this.#send(0);
      return this.#events.secured(info);
    }
    if (openssl.SSL_get_error(ssl, result) !== SSL_ERROR_WANT_READ) this.#fail(ssl);
    else this.#send(0);
  }

  /** Takes up all that was fed, and tells of it. */
  #decrypt(ssl: Pointer): void {
    const { input } = this.#wires;
    let size = 0;
    let end = 0;
    while (openssl.BIO_ctrl_pending(input) > 0) {
      const place = size % RECORD_CONTENT === 0
        ? places[size / RECORD_CONTENT] ?? NO_BYTES
        : decrypted.subarray(size);
      const count = openssl.SSL_read(ssl, place, place.length);
      if (count > 0) size += count;
      else {
        end = openssl.SSL_get_error(ssl, count);
        break;
      }
    }
    const failure = end === 0 || end === SSL_ERROR_WANT_READ || end === SSL_ERROR_ZERO_RETURN
      ? null
      : this.#failure(ssl);
    this.#isPeerDone = end === SSL_ERROR_ZERO_RETURN;
    // What follows the end, or a failure, is nobody's.
    if (end !== 0) openssl.BIO_ctrl(input, BIO_CTRL_RESET, 0n, null);
    this.#send(0);
    if (this.#wires !== shared && this.#ssl !== null) this.#wires = shareWires(ssl);
    if (size > 0 && this.#ssl !== null) this.#events.decrypted(decrypted, size, false);
    if (this.#ssl === null) return;
    if (failure !== null) this.#events.failed(failure);
    else if (this.#isPeerDone) this.#events.ended();
    else if (this.#waiting.length > 0) this.#encryptWaiting();
  }

  #encryptWaiting(): void {
    for (const bytes of this.#waiting.splice(0)) this.encrypt(bytes);
  }

  /** Fetches what is to be sent; with it goes `payload`. */
  #send(payload: number): void {
    for (let isFirst = true;; isFirst = false) {
      const isSmall = payload <= RECORD_CONTENT;
      const memory = isSmall ? smallOutput : largeOutput;
      const count = openssl.BIO_read(this.#wires.output, memory, memory.length);
      if (count <= 0) {
        if (!isFirst && payload > 0) this.#events.encrypted(NO_BYTES, payload);
        return;
      }
      const isAll = count < memory.length;
      const isFree = this.#events.encrypted(memory.subarray(0, count), isAll ? payload : 0);
      if (!isFree && isSmall) smallOutput = new Uint8Array(SMALL_OUTPUT);
      else if (!isFree) largeOutput = new Uint8Array(LARGE_OUTPUT);
      if (isAll) return;
    }
  }

  #fail(ssl: Pointer): void {
    const failure = this.#failure(ssl);
    openssl.BIO_ctrl(this.#wires.input, BIO_CTRL_RESET, 0n, null);
    // The alert for the peer.
    this.#send(0);
    this.#events.failed(failure);
  }

  /** Returns why the connection cannot go on. */
  #failure(ssl: Pointer): Error {
    this.#hasFailed = true;
    const reason = takeReason();
    if (this.#refusal !== null) {
      return coded("sni has thrown", "ERR_SSL_SNI", { cause: this.#refusal });
    }
    const verdict = Number(openssl.SSL_get_verify_result(ssl));
    if (verdict === X509_V_OK || reason?.code !== "ERR_SSL_CERTIFICATE_VERIFY_FAILED") {
      return reason ?? coded("it failed, and OpenSSL does not say why", "ERR_SSL_UNKNOWN");
    }
    const chain = openssl.SSL_get_peer_cert_chain(ssl);
    const certificate = chain === null ? null : openssl.OPENSSL_sk_value(chain, 0);
    return refusedCertificate(verdict, this.#encode(certificate), this.#context.hostname);
  }

  #describe(ssl: Pointer): TlsInfo {
    const certificate = openssl.SSL_get1_peer_certificate(ssl);
    const der = this.#encode(certificate);
    if (certificate !== null) openssl.X509_free(certificate);
    const place = new BigUint64Array(1);
    const size = new Uint32Array(1);
    openssl.SSL_get0_alpn_selected(ssl, place, size);
    const protocol = new TextDecoder().decode(bytesAtAddress(place, size[0] as number));
    let described: TlsInfo["peerCertificate"] = null;
    return {
      version: textAt(openssl.SSL_get_version(ssl)) ?? "unknown",
      cipher: textAt(openssl.SSL_CIPHER_get_name(openssl.SSL_get_current_cipher(ssl))) ?? "unknown",
      alpnProtocol: protocol || null,
      get peerCertificate() {
        return der.length === 0 ? null : described ??= describeCertificateIn(der);
      },
    };
  }

  /** Returns `certificate` in DER; nothing for none. */
  #encode(certificate: Deno.PointerValue): Uint8Array<ArrayBuffer> {
    if (certificate === null) return NO_BYTES;
    const bio = allocated(openssl.BIO_new(openssl.BIO_s_mem()));
    openssl.i2d_X509_bio(bio, certificate);
    const der = new Uint8Array(openssl.BIO_ctrl_pending(bio));
    if (der.length > 0) openssl.BIO_read(bio, der, der.length);
    openssl.BIO_free(bio);
    return der;
  }
}
