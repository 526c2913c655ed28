import type { Duplex } from "node:stream";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { areFor, bytesOfAddress, describeNames, namesIn } from "./certificate_names.ts";
import type { DenoTlsContext } from "./_deno_tls_context.ts";
import { describeCertificate } from "./_deno_tls_certificate.ts";
import { otherHost } from "./_deno_tls_error.ts";
import type { TlsEngine, TlsEngineEvents } from "../../loop/platform/platform.ts";
import { TLS_PIECE_SIZE, TlsShortcut } from "./deno_tls_shortcut.ts";
import type { TlsInfo } from "./tls_options.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * TLS by `node:tls`.
 *
 * *Theory of operation.* `node:tls` puts TLS over any `Duplex`. This one gives to its reader what
 * {@linkcode feed} is called with, at once and past its own buffer, and tells what is written to it.
 * Certificates are checked by `node:tls`, names by {@linkcode areFor}, all before `secured()`. After that
 * a {@linkcode TlsShortcut} takes over where there is one; else the data goes through the sockets.
 */
export class DenoTlsEngine implements TlsEngine {
  readonly #events: TlsEngineEvents;
  readonly #context: DenoTlsContext;
  readonly #wire: Duplex;
  #socket: TLSSocket | null = null;
  #shortcut: TlsShortcut | null = null;
  /** Whether records have come out of the shortcut since it was last asked for them. */
  #isDrained = false;

  /** Starts a handshake: that of a server if `context` has one. */
  constructor(context: DenoTlsContext, events: TlsEngineEvents) {
    this.#events = events;
    this.#context = context;
    this.#wire = new context.node.stream.Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, callback) => {
        events.encrypted(chunk, 0);
        callback();
      },
    });
    this.#wire.on("error", events.failed);
    if (context.server === null) this.#connect();
    else this.#accept();
  }

  feed(buffer: Uint8Array, count: number): void {
    const bytes = buffer.subarray(0, count);
    const shortcut = this.#shortcut;
    if (shortcut === null) return void this.#wire.emit("data", bytes);
    this.#isDrained = false;
    shortcut.decrypt(bytes);
    // What the engine answers by itself went out with the records of an answer.
    if (!this.#isDrained) this.#tellOutput(shortcut.output());
  }

  encrypt(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += TLS_PIECE_SIZE) {
      this.#encryptPiece(
        bytes.length <= TLS_PIECE_SIZE ? bytes : bytes.subarray(start, start + TLS_PIECE_SIZE),
      );
    }
  }

  end(told: () => void): void {
    if (this.#shortcut === null) this.#socket?.end(told);
    else {
      this.#tellOutput(this.#shortcut.end());
      told();
    }
  }

  destroy(): void {
    this.#socket?.destroy();
    this.#wire.destroy();
  }

  #encryptPiece(piece: Uint8Array): void {
    if (this.#shortcut === null) {
      // A copy, which `slice()` does not make of a `Buffer`.
      const copy = new Uint8Array(piece);
      this.#socket?.write(copy, () => this.#events.encrypted(NO_BYTES, copy.length));
      return;
    }
    this.#isDrained = true;
    const records = this.#shortcut.encrypt(piece);
    if (records === null) {
      this.#events.failed(new Error("Cannot encrypt what is written: the TLS engine has failed"));
    } else this.#events.encrypted(records, piece.length);
  }

  #tellOutput(records: Uint8Array): void {
    if (records.length > 0) this.#events.encrypted(records, 0);
  }

  #connect(): void {
    const { node: { tls }, options, secureContext, hostname } = this.#context;
    const socket = tls.connect({
      socket: this.#wire,
      secureContext,
      rejectUnauthorized: true,
      // It is also what is sent to the server, which an address is not.
      ...hostname === null
        ? {}
        : bytesOfAddress(hostname) === null
        ? { servername: hostname }
        : { host: hostname },
      ...options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] },
      checkServerIdentity: (_hostname: string, { raw }: PeerCertificate) => {
        if (options.unsafelyDisableHostnameVerification === true) return undefined;
        return checkHost(raw, hostname ?? "");
      },
    });
    this.#socket = socket;
    socket.on("error", this.#events.failed);
    socket.once("secureConnect", () => this.#secure(socket));
  }

  /**
   * Hands the wire to the server of the context, which checks the certificate of the client. The
   * server of each connection is one of its own, that has all but the listeners from the shared one:
   * so it is clear whose connection is secured.
   */
  #accept(): void {
    const { node: { events: { EventEmitter } }, server: shared } = this.#context;
    if (shared === null) return;
    const server: typeof shared = Object.create(shared);
    EventEmitter.call(server);
    for (const listener of shared.listeners("connection")) {
      server.on("connection", listener as (wire: Duplex) => void);
    }
    server.once("secureConnection", (socket: TLSSocket) => this.#secure(socket));
    server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      socket.on("error", () => {});
      this.#events.failed(error);
    });
    server.emit("connection", this.#wire);
  }

  #secure(socket: TLSSocket): void {
    const events = this.#events;
    this.#socket = socket;
    let info: TlsInfo;
    try {
      info = describe(socket);
    } catch (error) {
      return events.failed(error as Error);
    }
    if (this.#context.server !== null) socket.on("error", events.failed);
    this.#shortcut = TlsShortcut.take(socket, events);
    if (this.#shortcut === null) {
      socket.on("data", (bytes: Uint8Array) => events.decrypted(bytes, bytes.length, true));
      socket.on("end", events.ended);
    }
    events.secured(info);
  }
}

/** Returns an error unless the certificate is one for `hostname`. */
function checkHost(certificate: Uint8Array, hostname: string): Error | undefined {
  try {
    const names = namesIn(certificate);
    if (areFor(names, hostname)) return undefined;
    return otherHost(JSON.stringify(hostname), describeNames(names));
  } catch (error) {
    return error as Error;
  }
}

function describe(socket: TLSSocket): TlsInfo {
  const certificate = socket.getPeerCertificate();
  return {
    version: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().name,
    alpnProtocol: socket.alpnProtocol || null,
    peerCertificate: "raw" in certificate ? describeCertificate(certificate) : null,
  };
}
