import type { SubprocessTransport } from "./subprocess_transport.ts";

/**
 * What a subprocess transport calls. Every method is optional, so a plain object with some of them
 * is a protocol; {@linkcode SubprocessProtocol} is a class to extend.
 *
 * Calls come from the loop, one at a time: `connectionMade` once; then data, the end of each pipe
 * and `processExited`, in any order; then `connectionLost` once. `pauseWriting` alone is called
 * from inside `write()`. What they throw goes to the loop's exception handler.
 *
 * Pipes are numbered as the child's descriptors: 0 is its stdin, 1 its stdout, 2 its stderr.
 *
 * @category Subprocesses
 */
export interface SubprocessProtocolLike {
  /** The process runs; `transport` controls it and knows its pipes. */
  connectionMade?(transport: SubprocessTransport): void;
  /** The child wrote `data` to pipe `fd`. The bytes belong to the protocol. */
  pipeDataReceived?(fd: number, data: Uint8Array): void;
  /** Pipe `fd` is closed; `error` says why, `null` after an orderly end. */
  pipeConnectionLost?(fd: number, error: Error | null): void;
  /** The process has ended: `transport.getReturncode()` says how. Its pipes may be open still. */
  processExited?(): void;
  /** More is buffered for stdin than the high mark: the protocol had better write no more for now. */
  pauseWriting?(): void;
  /** No more is buffered for stdin than the low mark: the protocol may write again. */
  resumeWriting?(): void;
  /** The process has ended and all its pipes are closed. The last call. */
  connectionLost?(error: Error | null): void;
}

/**
 * A protocol for a child process and its pipes. As `asyncio.SubprocessProtocol`.
 *
 * See {@linkcode SubprocessProtocolLike} for when its methods are called.
 *
 * @category Subprocesses
 *
 * @example Collecting what a program prints
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop, SubprocessProtocol } from "@gyre/asyncio";
 *
 * const loop = new DenoEventLoop();
 * const ended = loop.createFuture<void>();
 *
 * class Collector extends SubprocessProtocol {
 *   text = "";
 *   override pipeDataReceived(_fd: number, data: Uint8Array): void {
 *     this.text += new TextDecoder().decode(data);
 *   }
 *   override connectionLost(): void {
 *     ended.setResult();
 *   }
 * }
 *
 * await loop.runUntilComplete(function* () {
 *   const options = { args: ["hello"] };
 *   const [transport, collector] = yield* loop.subprocessExec(() => new Collector(), "echo", options);
 *   yield* ended;
 *   assertEquals([collector.text, transport.getReturncode()], ["hello\n", 0]);
 * });
 * loop.close();
 * ```
 */
export class SubprocessProtocol implements SubprocessProtocolLike {
  /** The process runs. */
  connectionMade(_transport: SubprocessTransport): void {}

  /** The child wrote `data` to pipe `fd`. */
  pipeDataReceived(_fd: number, _data: Uint8Array): void {}

  /** Pipe `fd` is closed; `error` is `null` after an orderly end. */
  pipeConnectionLost(_fd: number, _error: Error | null): void {}

  /** The process has ended; its pipes may be open still. */
  processExited(): void {}

  /** More is buffered for stdin than the high mark. */
  pauseWriting(): void {}

  /** No more is buffered for stdin than the low mark. */
  resumeWriting(): void {}

  /** The process has ended and all its pipes are closed. The last call. */
  connectionLost(_error: Error | null): void {}
}
