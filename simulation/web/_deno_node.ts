/**
 * The parts of Node below its modules that the simulated handles speak with.
 *
 * @module
 */
import { nodeBinding } from "../_deno_handles.ts";

/** Where `node:net` looks for what a call has done. */
interface StreamBase {
  readonly streamBaseState: Int32Array;
  readonly kArrayBufferOffset: number;
  readonly kBytesWritten: number;
  readonly kLastWriteWasAsync: number;
}

/** Error numbers by name. */
const errorNumbers = nodeBinding("uv")["codeMap"] as ReadonlyMap<string, number>;
const stream = nodeBinding("stream_wrap") as unknown as StreamBase;

/** What a request of `node:net` is told, and what it is told by. */
export interface HandleRequest {
  oncomplete(...results: unknown[]): void;
}

/** Returns the number of an error; that of the most general one, if it has no name that is known. */
export function errorNumber(name: string): number {
  return errorNumbers.get(name) ?? errorNumbers.get("UNKNOWN") ?? -1;
}

/** Returns the number of what was thrown. */
export function numberOf(error: unknown): number {
  return errorNumber(String((error as { code?: unknown } | null)?.code));
}

/** Says of the last write how long it was, and whether somebody will tell how it ended. */
export function noteWrite(bytes: number, isPending: boolean): void {
  stream.streamBaseState[stream.kBytesWritten] = bytes;
  stream.streamBaseState[stream.kLastWriteWasAsync] = isPending ? 1 : 0;
}

/** Says that what is read begins at the start of its buffer. */
export function noteRead(): void {
  stream.streamBaseState[stream.kArrayBufferOffset] = 0;
}
