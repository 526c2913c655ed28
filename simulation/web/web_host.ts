import type { Future } from "../../loop/tasks/future.ts";
import type { DenoEventLoop } from "../../loop/deno_event_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { withLife } from "../_deno_modules.ts";
import { currentPlace, type Place } from "../_place.ts";
import type { SimulatedHost } from "../simulated_host.ts";
import { isolateModules } from "./_deno_common_js.ts";
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

/** What `deno serve` runs: a module whose default export answers requests. */
interface Served {
  readonly default?: { readonly fetch?: unknown } | null;
}

/** How many programs were loaded, each with modules of its own. */
let lives = 0;

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

  /**
   * Runs an ordinary program: loads the module at `url`, and again after each restart. As `deno run`,
   * or, if its default export has a method `fetch()`, as `deno serve`, on port 80.
   *
   * Each life of a host has modules of its own, so that nothing of one is seen in the next; but those of
   * JSR and of HTTPS are shared. What a program imports is replaced by name, too:
   * `import { readFile } from "node:fs"` is refused here, where it would reach the host in the test itself.
   * Reading a file takes the permission to read it.
   *
   * @param url Where the module is, whole: `import.meta.resolve("./main.ts")`.
   * @returns A future of the module, which is there once its code has run.
   */
  load(url: string | URL): Future<Record<string, unknown>> {
    return this.#host.run(async () => {
      isolateModules(currentPlace() as Place);
      const module: Served = await import(withLife(String(url), `${this.name}.${lives += 1}`));
      const app = module.default;
      if (typeof app?.fetch === "function") serveOn(HTTP_PORT, app as WebHandler);
      return module as Record<string, unknown>;
    });
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
