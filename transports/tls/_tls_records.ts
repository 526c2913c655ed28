/** Bytes before the content of a record: its type, a version, and the length. */
const HEADER_SIZE = 5;

/** Types of records that a handshake may begin with. */
const ALERT = 21;
const HANDSHAKE = 22;

/** Follows a stream of TLS records, to tell whether it ends inside of one. */
export class TlsRecords {
  /** Bytes of the current header that have come. */
  #header = 0;
  /** Bytes of the content still to come; while the header comes, the length read so far. */
  #left = 0;

  /** Whether the stream stands inside a record. */
  get isInside(): boolean {
    return this.#header > 0;
  }

  /** Goes on by the first `count` of `bytes`. */
  follow(bytes: Uint8Array, count: number): void {
    for (let index = 0; index < count;) {
      if (this.#header < HEADER_SIZE) this.#takeHeader(bytes[index++] as number);
      else {
        const content = Math.min(this.#left, count - index);
        index += content;
        this.#left -= content;
      }
      if (this.#header === HEADER_SIZE && this.#left === 0) this.#header = 0;
    }
  }

  /** The last two bytes of a header are the length. */
  #takeHeader(byte: number): void {
    this.#header += 1;
    if (this.#header > HEADER_SIZE - 2) this.#left = this.#left * 256 + byte;
  }
}

/** Whether `bytes`, at least one, begin like a record of a handshake, or the alert in place of one. */
export function isTlsRecord(bytes: Uint8Array): boolean {
  return bytes[0] === HANDSHAKE || bytes[0] === ALERT;
}
