/** What a frame is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A part of a message, or a message about the connection. */
export interface Frame {
  /** Whether it is the last one of its message. */
  readonly isLast: boolean;
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** Whether `opcode` is of a message about the connection. */
export function isControl(opcode: number): boolean {
  return opcode >= 8;
}

/** Writes a frame; what a client sends is masked. */
export function encodeFrame(
  opcode: number,
  payload: Uint8Array,
  mask: Uint8Array | null,
): Uint8Array {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + extra + (mask === null ? 0 : 4);
  const frame = new Uint8Array(start + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x80 | opcode;
  frame[1] = (mask === null ? 0 : 0x80) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) view.setUint16(2, length);
  else if (extra === 8) view.setBigUint64(2, BigInt(length));
  frame.set(payload, start);
  if (mask !== null) {
    frame.set(mask, start - 4);
    applyMask(frame.subarray(start), mask);
  }
  return frame;
}

function applyMask(bytes: Uint8Array, mask: Uint8Array): void {
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (bytes[index] as number) ^ (mask[index & 3] as number);
  }
}

/** Reads frames out of what comes, piece by piece. */
export class FrameReader {
  #bytes: Uint8Array = new Uint8Array(0);

  /** Adds what has come. Returns the frames that are whole now. */
  push(bytes: Uint8Array): Frame[] {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    const frames: Frame[] = [];
    for (let frame = this.#take(); frame !== null; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const [first = 0, second = 0] = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const short = second & 0x7f;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isMasked = (second & 0x80) !== 0;
    const start = 2 + extra + (isMasked ? 4 : 0);
    if (bytes.length < start) return null;
    const length = extra === 0
      ? short
      : extra === 2
      ? view.getUint16(2)
      : Number(view.getBigUint64(2));
    if (bytes.length < start + length) return null;
    const payload = bytes.slice(start, start + length);
    if (isMasked) applyMask(payload, bytes.subarray(start - 4, start));
    this.#bytes = bytes.subarray(start + length);
    return { isLast: (first & 0x80) !== 0, opcode: first & 0x0f, payload };
  }
}
