import type { TLSSocket } from "node:tls";
import type { TlsEngineEvents } from "../../loop/platform/platform.ts";

/**
 * The most that is encrypted at once: three records. The engine takes no more in one go, and keeps
 * the rest of a larger piece for later.
 */
export const TLS_PIECE_SIZE: number = 3 * 16 * 1024;

/** What is behind a socket of `node:tls`, as far as the shortcut uses it. */
interface Engine {
  onread: unknown;
  setOnread(onread: (data: ArrayBuffer | undefined) => void): void;
  /** Takes encrypted bytes, and calls `onread` with what is in them. */
  readBuffer(bytes: Uint8Array): void;
  /** Gives encrypted bytes to send. */
  drainEncOut(): Uint8Array;
  writeBuffer(request: object, bytes: Uint8Array): number;
  shutdown(request: object): number;
}

/** What a shortcut tells. */
export type TlsShortcutEvents = Pick<TlsEngineEvents, "decrypted" | "ended">;

const NO_BYTES = new Uint8Array(0);

/** Whether sockets are asked for their engine. Off in the tests of the way round. */
export const tlsShortcut: { enabled: boolean } = { enabled: true };

/**
 * The way to the engine of a secured socket, past two Node streams: a third of the CPU time of a
 * small message.
 *
 * It uses what is behind `_handle`, which Deno does not document. So it is taken only where all of
 * it is there, after the handshake and every check that `node:tls` makes. Without it all works the
 * same over the streams.
 */
export class TlsShortcut {
  readonly #engine: Engine;
  /** The method of the class: that of the object also starts a flush that we do ourselves. */
  readonly #write: Engine["writeBuffer"];
  readonly #request = { oncomplete: () => {} };

  private constructor(engine: Engine, write: Engine["writeBuffer"]) {
    this.#engine = engine;
    this.#write = write;
  }

  /** Takes the shortcut, if there is one. From then on the socket receives nothing. */
  static take(socket: TLSSocket, events: TlsShortcutEvents): TlsShortcut | null {
    const engine = engineOf(socket);
    const write = engine === null ? undefined : Object.getPrototypeOf(engine).writeBuffer;
    if (engine === null || typeof write !== "function") return null;
    const onread = (data: ArrayBuffer | undefined) => {
      if (data === undefined) events.ended();
      else events.decrypted(new Uint8Array(data), data.byteLength, true);
    };
    engine.onread = onread;
    engine.setOnread(onread);
    return new TlsShortcut(engine, write);
  }

  /** Takes encrypted bytes. What is in them is told before it returns. */
  decrypt(bytes: Uint8Array): void {
    this.#engine.readBuffer(bytes);
  }

  /**
   * Returns the records that carry `bytes`, of which there are at most a piece; `null` if the engine
   * has failed.
   */
  encrypt(bytes: Uint8Array): Uint8Array | null {
    this.#write.call(this.#engine, this.#request, bytes);
    let records = this.output();
    // An engine that takes less in one go goes on when it is told that something has happened.
    while (records.length < bytes.length) {
      this.#engine.readBuffer(NO_BYTES);
      const more = this.output();
      if (more.length === 0) return null;
      records = concatenate(records, more);
    }
    return records;
  }

  /** Returns what the engine has to send by itself. */
  output(): Uint8Array {
    return this.#engine.drainEncOut();
  }

  /** Returns the record that ends the stream. */
  end(): Uint8Array {
    this.#engine.shutdown(this.#request);
    return this.output();
  }
}

function engineOf(socket: TLSSocket): Engine | null {
  if (!tlsShortcut.enabled || !("_handle" in socket)) return null;
  const engine = socket._handle as Partial<Engine> | null;
  const methods = [engine?.setOnread, engine?.readBuffer, engine?.drainEncOut, engine?.shutdown];
  return methods.every((method) => typeof method === "function") ? engine as Engine : null;
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
