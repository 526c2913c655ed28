import type { ExtraInfoSource, ReadTransport, WriteTransport } from "../transports/transport.ts";
import type { SubprocessProtocolLike } from "./subprocess_protocol.ts";

/**
 * A child process and its pipes. Created by `subprocessExec()`; as `asyncio.SubprocessTransport`.
 *
 * @category Subprocesses
 */
export interface SubprocessTransport extends ExtraInfoSource {
  /** Returns the number of the process. */
  getPid(): number;
  /** Returns how the process has ended: its exit code, or minus the signal; `null` as it runs. */
  getReturncode(): number | null;
  /** Returns the transport of the child's stdin, or `null` if that is no pipe. */
  getPipeTransport(fd: 0): WriteTransport | null;
  /** Returns the transport of the child's stdout (1) or stderr (2), or `null` if that is no pipe. */
  getPipeTransport(fd: 1 | 2): ReadTransport | null;
  /**
   * Sends `signal` to the process.
   *
   * @throws {Deno.errors.NotFound} If it has ended.
   * @throws {TypeError} If there is no such signal.
   */
  sendSignal(signal: Deno.Signal): void;
  /** Asks the process to end: sends `SIGTERM`. */
  terminate(): void;
  /** Ends the process: sends `SIGKILL`. */
  kill(): void;
  /**
   * Sends `signal`, by default `SIGKILL`, to the process and those that it started, also when it has ended and they have
   * not. It must have been started with `startNewSession`. The grant for `/bin/sh` does as well.
   *
   * @permissions allow-run=kill
   * @throws {InvalidStateError} If it has no session of its own.
   * @throws {Deno.errors.NotFound} If none of them is left.
   */
  killGroup(signal?: Deno.Signal): void;
  /**
   * Closes the pipes, and kills the process if it runs, with what it has started where that can be
   * known: on Linux, with `--allow-run=/bin/sh`. What is buffered for its stdin is dropped then.
   * Idempotent.
   */
  close(): void;
  /** Whether {@linkcode close} was called. */
  isClosing(): boolean;
  /** Sets who is called from now on. */
  setProtocol(protocol: SubprocessProtocolLike): void;
  /** Returns who is called. */
  getProtocol(): SubprocessProtocolLike;
}
