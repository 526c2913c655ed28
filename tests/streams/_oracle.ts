import {
  CancelledError,
  type Future,
  IncompleteReadError,
  LimitOverrunError,
  type StreamReader,
} from "../../mod.ts";
import { text } from "./_feeding.ts";

/** The unread bytes of a stream as a string, and whether it has ended. */
export interface Model {
  unread: string;
  ended: boolean;
  readonly limit: number;
}

/** How a read ends, and how many bytes it takes. */
export interface Ending {
  outcome: string;
  taken: number;
}

/** A read, and how it ends on a model; `null` if it waits. */
export interface PlannedRead {
  readonly name: string;
  /** Starts the read; the future gives bytes. */
  start(reader: StreamReader): Future<unknown>;
  expect(model: Model): Ending | null;
}

/** `read(count)`; a negative count reads to the end. */
export function readSome(count: number): PlannedRead {
  return {
    name: `read(${count})`,
    start: (reader) => reader.read(count),
    expect: ({ unread, ended }) => {
      if (count < 0) return ended ? taking(unread) : null;
      return unread === "" && count > 0 && !ended ? null : taking(unread.slice(0, count));
    },
  };
}

/** `readExactly(count)`. */
export function readExactly(count: number): PlannedRead {
  return {
    name: `readExactly(${count})`,
    start: (reader) => reader.readExactly(count),
    expect: ({ unread, ended }) => {
      if (unread.length >= count) return taking(unread.slice(0, count));
      return ended ? { outcome: `incomplete ${unread}`, taken: unread.length } : null;
    },
  };
}

/** `readUntil(separators)`. */
export function readUntil(separators: readonly string[]): PlannedRead {
  return {
    name: `readUntil(${JSON.stringify(separators)})`,
    start: (reader) => reader.readUntil(separators),
    expect: (model) => {
      const { unread, limit, ended } = model;
      const { start, end } = findFirst(unread, separators);
      if (start > limit) return { outcome: `overrun ${start}`, taken: 0 };
      if (end !== null) return taking(unread.slice(0, end));
      return ended ? { outcome: `incomplete ${unread}`, taken: unread.length } : null;
    },
  };
}

/** `readLine()`. */
export function readLine(): PlannedRead {
  return {
    name: "readLine()",
    start: (reader) => reader.readLine(),
    expect: ({ unread, limit, ended }) => {
      const { start, end } = findFirst(unread, ["\n"]);
      if (start > limit) return { outcome: `overrun ${start}`, taken: end ?? unread.length };
      if (end !== null) return taking(unread.slice(0, end));
      return ended ? taking(unread) : null;
    },
  };
}

/** Says how `future`, which is done, has ended. */
export function outcomeOf(future: Future<unknown>): string {
  try {
    return `value ${text(future.result() as Uint8Array)}`;
  } catch (error) {
    if (error instanceof CancelledError) return "cancelled";
    if (error instanceof IncompleteReadError) return `incomplete ${text(error.partial)}`;
    if (error instanceof LimitOverrunError) return `overrun ${error.consumed}`;
    throw error;
  }
}

function taking(value: string): Ending {
  return { outcome: `value ${value}`, taken: value.length };
}

/** Finds the separator that ends first, by trying every end; else says where one may begin yet. */
function findFirst(
  unread: string,
  separators: readonly string[],
): { start: number; end: number | null } {
  const byLength = [...separators].sort((one, other) => one.length - other.length);
  for (let end = 1; end <= unread.length; end += 1) {
    const found = byLength.find((separator) => unread.slice(0, end).endsWith(separator));
    if (found !== undefined) return { start: end - found.length, end };
  }
  const longest = (byLength.at(-1) as string).length;
  return { start: Math.max(0, unread.length + 1 - longest), end: null };
}
