import type { WorkerPermissions } from "../platform/worker_platform.ts";

/**
 * What a loop may do, which is never more than the process may: `new DenoEventLoop({ permissions })`.
 *
 * `true` is as much as the process has, a list only its members, written as in Deno's `--allow-…`
 * flags. What is left out is denied, as in Deno's own permission objects. `env`, `ffi`, `import`
 * and `sys` concern worker processes only: the loop itself needs none of them.
 *
 * It binds what is done through the loop, and what the loop starts. It is no sandbox for code:
 * whatever calls `Deno.connect()` itself has what the process has.
 *
 * - `net`: `hostname`, `hostname:port`, `address`, `[IPv6]:port`, for connections, listeners,
 *   datagrams and look-ups. Names are compared as the system reads them: `LOCALHOST.` is
 *   `localhost`, `0x7f.1` and `::ffff:127.0.0.1` are `127.0.0.1`. A name stands for what it
 *   resolves to when it is used, loopback and link-local addresses excepted unless they are listed
 *   too: a name of somebody else's must not lead into the machine. `localhost` may.
 * - `run`: programs, as they are named in the call. `/bin/sh` is the shell of `subprocessShell()`.
 *   A program that is listed does what it can; only worker processes are held to these permissions.
 * - `read`, `write`: files and folders for worker processes. `true` also lets the loop use
 *   descriptors by number, beyond the standard streams.
 *
 * @category Permissions
 */
export interface LoopPermissions extends WorkerPermissions {
  /** Unix sockets, or folders of such. */
  unix?: boolean | (string | URL)[] | undefined;
  /** Signals to handle. What `run()` does on a signal is not concerned. */
  signals?: boolean | Deno.Signal[] | undefined;
  /** Jobs on worker threads. They have what the process has: Deno cannot restrict a thread. */
  workers?: boolean | undefined;
  /** Jobs in worker processes, which get no more than the loop has. */
  executors?: boolean | undefined;
}
