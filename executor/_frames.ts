/** How many bytes the mark of a frame has. */
export const MARK_SIZE = 16;

/** How many bytes a frame may carry: what claims to have more is no frame. */
export const MAX_PAYLOAD: number = 2 ** 30;

const LENGTH_SIZE = 4;
const HEADER_SIZE = MARK_SIZE + LENGTH_SIZE;
const NOTHING = new Uint8Array(0);

/**
 * Returns `payload` as a frame: mark, length, payload.
 *
 * @throws {RangeError} If it is longer than a frame may be.
 */
export function frame(mark: Uint8Array, payload: Uint8Array): Uint8Array {
  if (payload.length > MAX_PAYLOAD) {
    throw new RangeError(
      `Cannot send a message to a process: it takes ${payload.length} bytes, ` +
        `and a message at most ${MAX_PAYLOAD}`,
    );
  }
  const bytes = new Uint8Array(HEADER_SIZE + payload.length);
  bytes.set(mark);
  new DataView(bytes.buffer).setUint32(MARK_SIZE, payload.length);
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}

/** Takes frames out of a stream of bytes that has other output between them. */
export class FrameReader {
  readonly #mark: Uint8Array;
  readonly #onPayload: (payload: Uint8Array) => void;
  readonly #onOutput: (output: Uint8Array) => void;
  /** What came and is not dealt with; at most one frame that is not complete. */
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** How many bytes must be there before looking again. */
  #wanted = 1;

  constructor(
    mark: Uint8Array,
    onPayload: (payload: Uint8Array) => void,
    onOutput: (output: Uint8Array) => void,
  ) {
    this.#mark = mark;
    this.#onPayload = onPayload;
    this.#onOutput = onOutput;
  }

  /**
   * `bytes` came.
   *
   * @throws {RangeError} If a frame claims to be longer than one may be.
   */
  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#size < this.#wanted) return;
    let rest = this.#take();
    for (let before = -1; rest.length !== before;) {
      before = rest.length;
      rest = this.#step(rest);
    }
    if (rest.length > 0) this.#chunks.push(rest);
    this.#size = rest.length;
  }

  /** Nothing more comes. What is left is output. */
  end(): void {
    const rest = this.#take();
    if (rest.length > 0) this.#onOutput(rest);
  }

  /** Deals with the first frame or output in `bytes` and returns what follows. */
  #step(bytes: Uint8Array): Uint8Array {
    const start = this.#findMark(bytes);
    if (start > 0) this.#onOutput(bytes.subarray(0, start));
    const rest = bytes.subarray(start);
    this.#wanted = rest.length + 1;
    if (rest.length < HEADER_SIZE) return rest;
    const length = new DataView(rest.buffer, rest.byteOffset).getUint32(MARK_SIZE);
    if (length > MAX_PAYLOAD) {
      throw new RangeError(
        `Cannot read a message of a process: it claims to have ${length} bytes, ` +
          `and may have ${MAX_PAYLOAD}`,
      );
    }
    this.#wanted = HEADER_SIZE + length;
    if (rest.length < this.#wanted) return rest;
    this.#onPayload(rest.subarray(HEADER_SIZE, this.#wanted));
    return rest.subarray(HEADER_SIZE + length);
  }

  /** Returns where the mark begins in `bytes`, or may begin at its end, or the length. */
  #findMark(bytes: Uint8Array): number {
    let start = bytes.indexOf(this.#mark[0] as number);
    while (start !== -1 && !this.#matches(bytes, start)) {
      start = bytes.indexOf(this.#mark[0] as number, start + 1);
    }
    return start === -1 ? bytes.length : start;
  }

  #matches(bytes: Uint8Array, start: number): boolean {
    const end = Math.min(MARK_SIZE, bytes.length - start);
    for (let index = 1; index < end; index += 1) {
      if (bytes[start + index] !== this.#mark[index]) return false;
    }
    return true;
  }

  #take(): Uint8Array {
    const [first = NOTHING] = this.#chunks;
    if (this.#chunks.length < 2) {
      this.#chunks = [];
      return first;
    }
    const joined = new Uint8Array(this.#size);
    let filled = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, filled);
      filled += chunk.length;
    }
    this.#chunks = [];
    return joined;
  }
}
