import { isAbsoluteUrl } from "../loop/values/absolute_url.ts";
import { checkArgument, checkOptions, TEXT_OR_URL } from "../loop/values/check_options.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import { copyPermissions, WORKER_KINDS } from "../loop/permissions/permission_kinds.ts";
import { exitProgram } from "../loop/platform/deno_program.ts";
import { isWindows, missingOnWindows } from "../loop/platform/deno_system.ts";
import type { SocketAddress, WorkerPermissions } from "../loop/platform/platform.ts";
import {
  type PlatformLoop,
  runningLoop,
  runningPlatformLoop,
} from "../loop/platform/platform_loop.ts";
import { addSignalHandler } from "../loop/platform/signal_handlers.ts";
import { run } from "../loop/runner.ts";
import { ensureFuture } from "../loop/tasks/ensure_future.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { getaddrinfo } from "../transports/names/getaddrinfo.ts";
import { SERVE_WORKERS } from "./_options.ts";
import { Supervisor } from "./_supervisor.ts";

/**
 * How {@linkcode serveWorkers} serves.
 *
 * @category Subprocesses
 */
export interface ServeWorkersOptions {
  /** How many workers; as many as the machine runs at once by default. */
  workers?: number | undefined;
  /** Where they listen: a host name or a numeric address; every address by default. */
  hostname?: string | undefined;
  /** The port; 0, the default, lets the system choose one. */
  port?: number | undefined;
  /** Seconds that the connections of a worker have when it is to end; 10 by default. */
  grace?: number | undefined;
  /**
   * Whether workers are threads of this process, with its permissions; processes by default. One that
   * is in an endless loop can be let go of, not ended.
   */
  threads?: boolean | undefined;
  /** What worker processes may do besides listening there; nothing else by default. */
  permissions?: WorkerPermissions | undefined;
  /** `Deno.args` of the workers; none by default. */
  args?: readonly string[] | undefined;
  /** Is called when the first worker serves, with the address: that of port 0 is known then. */
  onServing?: ((address: Deno.NetAddr) => void) | undefined;
  /** Aborting it ends the workers, as `SIGTERM` does; then `serveWorkers()` returns. */
  signal?: AbortSignal | undefined;
}

/**
 * What a worker of {@linkcode serveWorkers} is told.
 *
 * @category Subprocesses
 */
export interface ServedWorker {
  /** Its place: 0 for the first worker; its successors have the same. */
  readonly index: number;
  /** Seconds that its connections have when it is to end. */
  readonly grace: number;
  /** Aborts when it is to end. `main()` is cancelled then. */
  readonly signal: AbortSignal;
}

/**
 * Where a worker of {@linkcode serveWorkers} is to listen: options of `startServer()` and
 * `createServer()`.
 *
 * @category Subprocesses
 */
export interface ServedAddress {
  /** As it was given to `serveWorkers()`. */
  readonly hostname: string;
  /** The port; not 0. */
  readonly port: number;
}

/**
 * The `main()` of a module for {@linkcode serveWorkers}. Runs in each worker, as by `run()`.
 *
 * @param listen Where to listen.
 * @param worker Which worker it is.
 *
 * @category Subprocesses
 */
export type ServedMain = (listen: ServedAddress, worker: ServedWorker) => unknown;

/**
 * Serves one port by several workers, on all cores, as the whole program; as gunicorn does. The module
 * exports `main(listen, worker)`, a {@linkcode ServedMain}, which listens with the options that it is
 * given.
 *
 * This process supervises. Workers share one socket, so that connections which wait are served though
 * the worker that was about to take them ends, is replaced, or is killed. Those that a killed worker
 * had accepted are closed or reset, also those that it had not begun to serve. One that dies is replaced, after a pause that grows to 10 seconds while its
 * successors die young; each death is told to stderr. `SIGHUP` starts new workers, with new code, one
 * after the other: each takes over from one, which serves what it has and ends. On `SIGTERM` and
 * `SIGINT` all end like this, and connecting is refused: their connections have `grace` seconds, then
 * `main()` and all tasks are cancelled, and soon after a worker is killed; a second signal kills all.
 * A worker whose supervisor was killed ends as on `SIGTERM`.
 *
 * After a signal the exit code is 0 if all workers have ended by themselves, else 1. It is 1, with the
 * error, if the first worker ended before it listened.
 *
 * A worker process is started as `deno run` with the `deno.json` that belongs to the module; flags that
 * this process was given, such as `--config`, are not its.
 *
 * Threads need `--allow-read` of their modules, where these are files, and neither of the last two.
 *
 * @permissions allow-net=<hostname>:<port>, allow-run=deno, allow-env
 * @param url The module: an absolute URL, as `new URL("./app.ts", import.meta.url)`.
 * @param options Additional options.
 * @throws {TypeError} If `url` is not absolute, or permissions are given for threads.
 * @throws {InvalidStateError} If an event loop is running here.
 * @throws {Deno.errors.NotSupported} On Windows.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Error} If the first worker ended before it listened.
 *
 * @category Subprocesses
 *
 * @example Two threads, until one of them has answered
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { serveWorkers } from "@gyre/asyncio";
 *
 * const app = new URL("../examples/time_server.ts", import.meta.url);
 * const done = new AbortController();
 * let answer = 0;
 * await serveWorkers(app, {
 *   workers: 2,
 *   threads: true,
 *   hostname: "127.0.0.1",
 *   signal: done.signal,
 *   onServing: async ({ hostname, port }) => {
 *     using connection = await Deno.connect({ hostname, port });
 *     answer = await connection.read(new Uint8Array(64)) ?? 0;
 *     done.abort();
 *   },
 * });
 * assertEquals(answer, 25); // "2026-11-28T12:00:00.000Z\n"
 * ```
 */
export async function serveWorkers(
  url: string | URL,
  options: ServeWorkersOptions = {},
): Promise<void> {
  const action = "serve by workers";
  checkArgument(action, "the module", url, TEXT_OR_URL);
  if (!isAbsoluteUrl(String(url))) {
    throw new TypeError(
      `Cannot ${action}: the URL ${JSON.stringify(String(url))} is not absolute; ` +
        "use new URL(..., import.meta.url)",
    );
  }
  checkOptions(action, options, SERVE_WORKERS);
  const { threads = false, permissions } = options;
  if (threads && permissions !== undefined) {
    throw new TypeError(`Cannot ${action}: threads have the permissions of this process`);
  }
  const granted = copyPermissions(permissions ?? {}, WORKER_KINDS);
  if (isWindows()) throw missingOnWindows(action, "sockets that workers share");
  if (runningLoop() !== null) {
    throw new InvalidStateError(`Cannot ${action}: an event loop is running here`);
  }
  const end = await run(() => serveSteps(String(url), options, granted), { signals: [] });
  if (end.bySignal) exitProgram(end.killed > 0 ? 1 : 0);
}

/** How serving has ended. */
interface End {
  /** How many workers had to be killed. */
  readonly killed: number;
  /** Whether the process was told to end. */
  readonly bySignal: boolean;
}

function* serveSteps(
  url: string,
  options: ServeWorkersOptions,
  permissions: WorkerPermissions,
): Coroutine<End> {
  const loop = runningPlatformLoop("serve by workers");
  const { hostname = "", port = 0, grace = 10, threads = false, args = [], signal } = options;
  const { workers = loop.platform.workers.hardwareConcurrency, onServing } = options;
  // Loaded here: most programs have no use for it.
  const { openServingHost } = yield* ensureFuture(import("./deno_serving_workers.ts"), { loop });
  const asked = { hostname, port };
  const settings = { url, asked, grace, threads, args, permissions };
  const host = yield* hostSteps(
    loop,
    asked,
    (address) => openServingHost(loop, { ...settings, address }),
  );
  let bySignal = false;
  const supervisor = new Supervisor(loop, host, {
    workers,
    grace,
    onServing: () => onServing?.({ transport: "tcp", ...host.address }),
  });
  const stop = () => supervisor.stop();
  const onSignal = () => {
    bySignal = true;
    stop();
  };
  addSignalHandler(loop, "SIGINT", onSignal, []);
  addSignalHandler(loop, "SIGTERM", onSignal, []);
  addSignalHandler(loop, "SIGHUP", () => supervisor.roll(), []);
  signal?.addEventListener("abort", stop);
  try {
    if (signal?.aborted === true) return { killed: 0, bySignal };
    const killed = yield* supervisor.run();
    return { killed, bySignal };
  } finally {
    signal?.removeEventListener("abort", stop);
    host.close();
  }
}

/** Opens a host on the first address of a name; without one on every address of the machine. */
function* hostSteps<H>(
  loop: PlatformLoop,
  { hostname, port }: SocketAddress,
  open: (address: SocketAddress) => Promise<H>,
): Coroutine<H> {
  const at = (hostname: string) => ensureFuture(open({ hostname, port }), { loop });
  if (hostname !== "") {
    const [first] = yield* getaddrinfo(loop, hostname, port, { type: "stream" });
    return yield* at(first?.address.hostname ?? hostname);
  }
  try {
    return yield* at("::");
  } catch (error) {
    // The machine has no IPv6.
    if (!["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes((error as { code: string }).code)) throw error;
    return yield* at("0.0.0.0");
  }
}
