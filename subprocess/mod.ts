/**
 * Child processes: starting programs, talking to them over pipes, and ending them.
 *
 * @example Two programs in a row
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run } from "@gyre/asyncio";
 * import { createSubprocessExec, PIPE } from "@gyre/asyncio/subprocess";
 *
 * const count = await run(async () => {
 *   await using echo = await createSubprocessExec("echo", { args: ["four"], stdout: PIPE });
 *   const [lines] = await echo.communicate();
 *   await using wc = await createSubprocessExec("wc", { args: ["-c"], stdin: PIPE, stdout: PIPE });
 *   const [output] = await wc.communicate(lines);
 *   return Number(new TextDecoder().decode(output));
 * });
 * assertEquals(count, 5);
 * ```
 *
 * @module
 */
export {
  createSubprocessExec,
  type CreateSubprocessExecOptions,
  type CreateSubprocessOptions,
  createSubprocessShell,
  type OnlyKnown,
  type PipeStream,
  type ProcessOf,
} from "./create_subprocess.ts";
export { Process, type ProcessOptions, type ProcessOutput } from "./process.ts";
export {
  type ServedAddress,
  type ServedMain,
  type ServedWorker,
  serveWorkers,
  type ServeWorkersOptions,
} from "./serve_workers.ts";
export { SubprocessProtocol, type SubprocessProtocolLike } from "./subprocess_protocol.ts";
export type { SubprocessTransport } from "./subprocess_transport.ts";
export {
  DEVNULL,
  PIPE,
  STDOUT,
  subprocessExec,
  type SubprocessExecOptions,
  type SubprocessOptions,
  subprocessShell,
} from "./subprocess_exec.ts";
export type { StdioTarget } from "../loop/platform/platform.ts";
