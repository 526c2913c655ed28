/**
 * What goes through a broker: a version, how the rest is written, and a message.
 *
 * @module
 */
import { deserialize, serialize } from "node:v8";
import type { ThrownRecord } from "../_thrown_record.ts";

/**
 * How values are written: `"structured"` as process pools send them, with maps, dates and bytes, where
 * everybody who reaches the broker is trusted; `"json"` as JSON.
 *
 * @category Queues
 */
export type QueueEncoding = "structured" | "json";

/** A call of a job. */
export interface JobCall {
  readonly name: string;
  readonly args: readonly unknown[];
  /** How often it is tried again after an error. */
  readonly retries: number;
  /** Seconds until it is tried again; twice as many each time. */
  readonly backoff: number;
  /** When its result is of no use any more, in seconds since 1970. */
  readonly expires?: number | undefined;
}

/** How a job ended. */
export type JobReply =
  | readonly ["finished", unknown]
  | readonly ["failed", ThrownRecord];

const VERSION = 1;
const ENCODINGS: readonly QueueEncoding[] = ["structured", "json"];

/** Writes `message`. Throws the host's error if it cannot be. */
export function encode(message: unknown, encoding: QueueEncoding): Uint8Array {
  const body = encoding === "json"
    ? new TextEncoder().encode(JSON.stringify(message))
    : serialize(message);
  const bytes = new Uint8Array(body.length + 2);
  bytes.set([VERSION, ENCODINGS.indexOf(encoding)]);
  bytes.set(body, 2);
  return bytes;
}

/** How what was encoded is written. */
export function encodingOf(bytes: Uint8Array): QueueEncoding {
  return ENCODINGS[bytes[1] ?? 0] ?? "structured";
}

/**
 * Reads what {@linkcode encode} wrote.
 *
 * @throws {TypeError} If another version wrote it, or it is damaged.
 */
export function decode(bytes: Uint8Array): unknown {
  const [version, encoding] = bytes;
  if (version !== VERSION || ENCODINGS[encoding ?? -1] === undefined) {
    throw new TypeError(
      `Cannot read a message of a queue: it has version ${version}, and this is ${VERSION}`,
    );
  }
  const body = bytes.subarray(2);
  return ENCODINGS[encoding as number] === "json"
    ? JSON.parse(new TextDecoder().decode(body))
    : deserialize(body);
}

/** What a job fails with after its deadline, at its caller and at its worker. */
export function pastDeadline(title: string): string {
  return `Cannot finish job ${title}: its deadline has passed`;
}
