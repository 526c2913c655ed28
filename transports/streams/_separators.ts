import { describe } from "../../loop/values/describe.ts";
import type { StreamBuffer } from "./_stream_buffer.ts";

/** Where a separator stands among the unread bytes. */
export interface Match {
  /** Where it begins. */
  start: number;
  /** Where it ends. */
  end: number;
}

/** How many bytes are searched for one separator before the others have their turn. */
const WINDOW = 1024;

const encoder = new TextEncoder();

/** Separators of which any ends a piece of a stream. */
export class Separators {
  /** The shorter ones first: of two that end at the same byte, the shorter one is found. */
  readonly #list: readonly Uint8Array[];
  readonly #longest: number;

  constructor(separators: string | Uint8Array | readonly (string | Uint8Array)[]) {
    const list = isList(separators) ? separators.map(toBytes) : [toBytes(separators)];
    if (list.length === 0) {
      throw new RangeError("Cannot read up to a separator: the list of separators is empty");
    }
    if (list.some((bytes) => bytes.length === 0)) {
      throw new RangeError("Cannot read up to a separator: it is empty");
    }
    list.sort((one, other) => one.length - other.length);
    this.#list = list;
    this.#longest = (list.at(-1) as Uint8Array).length;
  }

  /** From where on a search goes on, once more bytes have come to the `size` that were searched. */
  unsearched(size: number): number {
    return Math.max(0, size + 1 - this.#longest);
  }

  /** Finds the separator that ends first, looking for it from `offset` on. */
  find(buffer: StreamBuffer, offset: number): Match | null {
    const list = this.#list;
    if (list.length > 1) return this.#findAny(buffer, offset);
    const bytes = list[0] as Uint8Array;
    const start = buffer.indexOf(bytes, offset, Infinity);
    return start === -1 ? null : { start, end: start + bytes.length };
  }

  /** Goes through the windows, so that a separator that never comes is not sought to the end. */
  #findAny(buffer: StreamBuffer, offset: number): Match | null {
    let best: Match | null = null;
    for (let from = offset; from < (best?.end ?? buffer.size); from += WINDOW) {
      for (const bytes of this.#list) {
        const end = Math.min(from + WINDOW + bytes.length - 1, (best?.end ?? Infinity) - 1);
        const start = buffer.indexOf(bytes, from, end);
        if (start !== -1) best = { start, end: start + bytes.length };
      }
    }
    return best;
  }
}

/** The separator of lines. */
export const NEWLINE: Separators = new Separators("\n");

function isList(separators: unknown): separators is readonly (string | Uint8Array)[] {
  return Array.isArray(separators);
}

function toBytes(separator: string | Uint8Array): Uint8Array {
  if (typeof separator === "string") return encoder.encode(separator);
  if (separator instanceof Uint8Array) return separator;
  throw new TypeError(
    `Cannot read up to a separator: expected a string or a Uint8Array, got ${describe(separator)}`,
  );
}
