import type { Future } from "../../loop/tasks/future.ts";
import type { DenoEventLoop } from "../../loop/deno_event_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import type { SimulatedHost } from "../simulated_host.ts";
import { serveOn } from "./_deno_serve.ts";

/**
 * What answers requests: a handler, or what has one, as the applications of Hono do.
 *
 * @category Simulation
 */
export type WebHandler =
  | ((request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>)
  | { fetch(request: Request, ...rest: never[]): Response | Promise<Response> };

/** The port of HTTP. */
const HTTP_PORT = 80;

/**
 * A computer of a simulated world that runs ordinary programs. See {@linkcode SimulatedHost}.
 *
 * @category Simulation
 */
export class WebHost {
  /** The name, which the other hosts resolve. */
  readonly name: string;
  readonly #host: SimulatedHost;

  /** @ignore */
  constructor(host: SimulatedHost) {
    this.name = host.name;
    this.#host = host;
  }

  /** Whether the host runs. */
  get isUp(): boolean {
    return this.#host.isUp;
  }

  /** The loop of the host, a new one after each crash. */
  get loop(): DenoEventLoop {
    return this.#host.loop;
  }

  /**
   * Serves HTTP on port 80, again after each restart. As `run(() => Deno.serve({ port: 80 }, handler))`.
   *
   * @param handler What answers requests, each in a task of its own.
   */
  serve(handler: WebHandler): void {
    this.#host.run(() => serveOn(HTTP_PORT, handler));
  }

  /** Runs `main` as a task of this host, and again after each restart. See `SimulatedHost.run()`. */
  run<T>(main: () => Coroutine<T> | PromiseLike<T> | T): Future<T> {
    return this.#host.run(main);
  }

  /** Cuts the power: all that runs ends, and nobody hears of it. */
  crash(): void {
    this.#host.crash();
  }

  /** Ends the programs, as `SIGKILL` does: the kernel resets their connections. */
  kill(): void {
    this.#host.kill();
  }

  /**
   * Lets nothing run for a while.
   *
   * @param seconds How long.
   */
  pause(seconds: number): void {
    this.#host.pause(seconds);
  }

  /** Crashes the host if it is up, and runs again what it ran last. */
  restart(): Future<unknown> {
    return this.#host.restart();
  }
}
