/**
 * Child processes: starting programs, talking to them over pipes, and ending them.
 *
 * @module
 */
export {
  createSubprocessExec,
  type CreateSubprocessExecOptions,
  type CreateSubprocessOptions,
  createSubprocessShell,
} from "./create_subprocess.ts";
export { type Output, Process, type ProcessOptions } from "./process.ts";
export { type ProcessProtocol, SubprocessProtocol } from "./subprocess_protocol.ts";
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
export type { StdioTarget } from "../loop/platform.ts";
