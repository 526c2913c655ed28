/**
 * The server of a program that shows its loop.
 *
 * *Theory of operation.* It is `Deno.serve()`, outside of the loop and of all tasks, so that it does
 * not show itself, and shows a loop that stands still. Its timer takes a snapshot a few times a second
 * as long as somebody looks, and sends what has changed; where that takes long, it does so less often.
 *
 * A request needs the token, which the URL has, and a `Host` that is an address of ours: a page of
 * somebody else, whose name was made to lead here, has another one. An `Origin` that is not ours is
 * refused, and nothing allows another one to read what it gets.
 *
 * @module
 */
import { runningEventLoop } from "../loop/event_loop.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { outsideOfTasks } from "../loop/platform/platform_loop.ts";
import { isNotCapable, nameMissingFlag } from "../loop/errors/deno_not_capable.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import { formatHost } from "../loop/values/format_address.ts";
import {
  checkOptions,
  FLAG,
  FUNCTION,
  LOOP,
  NO_OPTIONS,
  type OptionTable,
  TEXT,
  WHOLE,
} from "../loop/values/check_options.ts";
import { taskById } from "../loop/inspection/snapshot.ts";
import { Feed } from "./_feed.ts";
import { page } from "./_page.ts";
import { createToken, isSameText } from "./_token.ts";
import { Watch } from "./_warnings.ts";

/**
 * Settings of {@linkcode startInspector}.
 *
 * @category Diagnostics
 */
export interface InspectorOptions {
  /** The loop to show. Defaults to the running loop. */
  loop?: EventLoop | undefined;
  /** Where to listen; `"127.0.0.1"` by default. Whoever has the URL sees the program. */
  hostname?: string | undefined;
  /** The port; 0, the default, lets the system choose. */
  port?: number | undefined;
  /** Whether tasks can be cancelled from the page. Off by default. */
  control?: boolean | undefined;
  /** Takes the line with the URL; `console.error` by default. */
  print?: ((text: string) => void) | undefined;
}

const OPTIONS: OptionTable<InspectorOptions> = {
  loop: LOOP,
  hostname: TEXT,
  port: WHOLE,
  control: FLAG,
  print: FUNCTION,
};

/** Milliseconds between two looks, at least. */
const INTERVAL = 250;
/** A look may take this part of the time. */
const SHARE = 1 / 20;

/** Pages that are open at once, at most. */
const MOST_LISTENERS = 50;
/** Bytes that a page may be behind. */
const MOST_BEHIND = 1 << 20;
/** Milliseconds that clients have at the end, to take what they were sent. */
const GRACE = 500;

const encoder = new TextEncoder();

/** A page that is open. */
interface Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  /** Whether it has missed something. */
  isBehind: boolean;
}

/** What nothing but the page itself may do: it loads nothing from elsewhere, and is in no frame. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Shows a loop in a browser: what its tasks wait for, what takes long, its connections. Returned by
 * {@linkcode startInspector}. It ends at the end of an `await using` block, and with the program.
 *
 * @category Diagnostics
 */
export class Inspector implements AsyncDisposable {
  readonly #loop: EventLoop;
  readonly #control: boolean;
  readonly #token = createToken();
  readonly #hosts: ReadonlySet<string>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #listeners: Set<Listener> = new Set();
  readonly #abort = new AbortController();
  readonly #url: string;
  #feed = new Feed();
  #watch = new Watch();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the loop was measured before. */
  readonly #wasMeasured: boolean;

  /** @ignore */
  constructor(loop: EventLoop, options: InspectorOptions) {
    const { hostname = "127.0.0.1", port = 0, control = false } = options;
    this.#loop = loop;
    this.#control = control;
    try {
      this.#server = Deno.serve(
        { hostname, port, signal: this.#abort.signal, onListen() {} },
        (request) => this.#answer(request),
      );
    } catch (error) {
      const action = `show the loop on ${formatHost(hostname)}:${port}`;
      throw isNotCapable(error) ? nameMissingFlag(error as Error, action) : error;
    }
    this.#server.unref();
    const { port: taken } = this.#server.addr;
    const host = `${formatHost(hostname)}:${taken}`;
    this.#hosts = new Set([host, `localhost:${taken}`, `127.0.0.1:${taken}`, `[::1]:${taken}`]);
    this.#url = `http://${host}/?token=${this.#token}`;
    this.#wasMeasured = loop.getMeasuring();
    loop.setMeasuring(true);
  }

  /** The page, with the token. `snapshot` in place of the path is `loop.snapshot()` as JSON. */
  get url(): string {
    return this.#url;
  }

  /** Ends it: pages that are open say so. Idempotent. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#endListeners();
    if (!this.#wasMeasured && !this.#loop.isClosed()) this.#loop.setMeasuring(false);
    // A client that does not take its answer is not waited for.
    const timer = setTimeout(() => this.#abort.abort(), GRACE);
    await this.#server.shutdown();
    clearTimeout(timer);
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(request: Request): Promise<Response> {
    const url = URL.parse(request.url);
    const refusal = this.#refusal(request, url?.searchParams.get("token") ?? "");
    if (refusal !== null || url === null) return text(refusal ?? "Cannot find that", 403);
    const { pathname, searchParams } = url;
    if (request.method === "POST" && pathname === "/cancel") {
      await request.body?.cancel();
      return this.#cancel(Number(searchParams.get("task")));
    }
    if (request.method !== "GET") return text("Cannot do that: only GET is", 405);
    if (pathname === "/") return html(page);
    if (pathname === "/snapshot") return Response.json(this.#loop.snapshot(), { headers: HEADERS });
    if (pathname === "/events") return this.#listen();
    return text("Cannot find that", 404);
  }

  /** Why `request` is not answered. */
  #refusal(request: Request, token: string): string | null {
    const host = request.headers.get("host") ?? "";
    if (!this.#hosts.has(host)) return "Cannot show the program: the name of the host is not ours";
    const origin = request.headers.get("origin");
    if (origin !== null && origin !== `http://${host}`) {
      return "Cannot show the program: the request comes from another page";
    }
    if (isSameText(token, this.#token)) return null;
    return "Cannot show the program: the token is not right";
  }

  #cancel(id: number): Response {
    if (!this.#control) return text("Cannot cancel a task: the inspector has no control", 403);
    const task = taskById(this.#loop, id);
    if (task === null) return text("Cannot cancel a task: it has ended", 404);
    this.#loop.callSoonThreadsafe(() => task.cancel("cancelled by the inspector"));
    return text("asked", 200);
  }

  #listen(): Response {
    if (this.#listeners.size >= MOST_LISTENERS) return text("Cannot show the loop to more", 503);
    let own: Listener;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        own = { controller, isBehind: false };
        if (this.#listeners.size === 0) this.#begin();
        this.#listeners.add(own);
        controller.enqueue(this.#whole());
      },
      cancel: () => {
        this.#listeners.delete(own);
        if (this.#listeners.size === 0) clearTimeout(this.#timer);
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: 0 }));
    return new Response(stream, { headers: { ...HEADERS, "content-type": "text/event-stream" } });
  }

  #whole(): Uint8Array<ArrayBuffer> {
    return encoder.encode(`data: ${this.#feed.whole()}\n\n`);
  }

  /** Somebody looks, for the first time in a while. */
  #begin(): void {
    this.#feed = new Feed();
    this.#watch = new Watch();
    clearTimeout(this.#timer);
    this.#look();
  }

  /** Sends what has changed, and looks again after a while. */
  #look(): void {
    if (this.#loop.isClosed()) return this.#endListeners();
    const start = performance.now();
    const snapshot = this.#loop.snapshot();
    const warnings = this.#watch.look(snapshot);
    const change = this.#feed.change(snapshot, warnings, {
      control: this.#control,
      title: String(this.#loop.constructor.name),
      pid: Deno.pid,
    });
    const bytes = encoder.encode(`data: ${change}\n\n`);
    for (const listener of this.#listeners) {
      const waiting = -(listener.controller.desiredSize ?? 0);
      // Who does not keep up gets all of it later, once it has what it was sent.
      if (waiting > MOST_BEHIND) listener.isBehind = true;
      else if (!listener.isBehind) listener.controller.enqueue(bytes);
      else if (waiting === 0) {
        listener.isBehind = false;
        listener.controller.enqueue(this.#whole());
      }
    }
    const took = performance.now() - start;
    const timer = setTimeout(() => this.#look(), Math.max(INTERVAL, took / SHARE));
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  #endListeners(): void {
    for (const { controller } of this.#listeners) controller.close();
    this.#listeners.clear();
  }
}

function text(body: string, status: number): Response {
  return new Response(`${body}\n`, { status, headers: HEADERS });
}

function html(body: string): Response {
  const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; " +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  const headers = {
    ...HEADERS,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
  };
  return new Response(body, { headers });
}

/**
 * Shows a loop in a browser, on this machine alone unless it is told otherwise, and prints the URL.
 * The loop is measured meanwhile.
 *
 * Nothing of arguments and data is shown, only kinds, names and sizes. Each request needs the token in
 * the URL.
 *
 * @returns The inspector; it ends with `close()`, or an `await using` block, or the program.
 * @permissions allow-net=<hostname>:<port>
 * @throws {InvalidStateError} If no loop is running here and none is given, or it is closed.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 *
 * @category Diagnostics
 *
 * @example What a program waits for, as JSON
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type LoopSnapshot, run } from "@gyre/asyncio";
 * import { startInspector } from "@gyre/asyncio/inspector";
 *
 * await run(async () => {
 *   await using inspector = await startInspector({ port: 0, print: () => {} });
 *   const response = await fetch(inspector.url.replace("/?", "/snapshot?"));
 *   const { tasks }: LoopSnapshot = await response.json();
 *   assertEquals(tasks[0]?.waitsFor, ["a foreign promise"]);
 * });
 * ```
 */
export function startInspector(options: InspectorOptions = NO_OPTIONS): Promise<Inspector> {
  checkOptions("start the inspector", options, OPTIONS);
  const loop = options.loop ?? runningEventLoop();
  if (loop.isClosed()) {
    throw new InvalidStateError("Cannot start the inspector: the event loop is closed");
  }
  const inspector = outsideOfTasks(() => new Inspector(loop, options));
  const { print = console.error } = options;
  print(`Inspector: ${inspector.url}`);
  return Promise.resolve(inspector);
}
