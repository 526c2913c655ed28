import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describeThrown } from "../../loop/values/describe.ts";
import type { Place } from "../_place.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";
import { readFrom, writeTo } from "./_body.ts";
import { resolve } from "./_deno_dns.ts";
import { listenAtOnce } from "./_deno_stream_handles.ts";
import type { WebHandler } from "./web_host.ts";
import { answerHandshake, noteUpgrade } from "./_deno_upgrade.ts";

/** The port that Deno takes if none is given. */
const DEFAULT_PORT = 8000;

/** What may be given to `Deno.serve()`, as far as it is served. */
type ServeOptions = Partial<Deno.ServeTcpOptions> & {
  readonly path?: string;
  readonly cert?: string;
  readonly handler?: Deno.ServeHandler;
};

/** Returns `Deno.serve` for a simulation: over `node:http`; each request is a task of the host. */
export function createServe(world: World): unknown {
  return function serve(
    first: ServeOptions | Deno.ServeHandler,
    second?: Deno.ServeHandler,
  ): Deno.HttpServer {
    const options = typeof first === "function" ? {} : first;
    const handler = typeof first === "function" ? first : second ?? first.handler;
    if (typeof handler !== "function") {
      throw new TypeError("Cannot serve HTTP requests: the handler must be a function");
    }
    if (options.path !== undefined) throw createRefusal("Deno.serve() on a path", false)();
    if (options.cert !== undefined) throw createRefusal("Deno.serve() with a certificate", false)();
    return new SimulatedHttpServer(world.place, options, handler);
  };
}

/** Serves HTTP at `port` of the running host, in a simulation. */
export function serveOn(port: number, handler: WebHandler): void {
  const answer = typeof handler === "function"
    ? handler
    : (request: Request) => handler.fetch(request);
  Deno.serve({ port, onListen: () => {} }, answer);
}

/** What is known of a request that has not been answered. */
interface Exchange {
  readonly message: http.IncomingMessage;
  readonly answer: http.ServerResponse;
  /** Aborts once the answer is sent, or the client gone. */
  readonly controller: AbortController;
  readonly completed: PromiseWithResolvers<void>;
}

class SimulatedHttpServer implements Deno.HttpServer {
  readonly addr: Deno.NetAddr;
  readonly finished: Promise<void>;
  readonly #place: Place;
  readonly #options: ServeOptions;
  readonly #handler: Deno.ServeHandler;
  readonly #server: http.Server;
  readonly #finish: () => void;
  #isClosing = false;

  constructor(place: Place, options: ServeOptions, handler: Deno.ServeHandler) {
    this.#place = place;
    this.#options = options;
    this.#handler = handler;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    const { hostname = "0.0.0.0", port = DEFAULT_PORT, signal } = options;
    // Deno keeps connections for as long as the client does.
    this.#server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    this.#server.headersTimeout = 0;
    this.#server.timeout = 0;
    this.addr = this.#listen(hostname, port);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", () => this.#abort(), { once: true });
  }

  ref(): void {}

  unref(): void {}

  shutdown(): Promise<void> {
    this.#close();
    this.#server.closeIdleConnections();
    return this.finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #listen(hostname: string, port: number): Deno.NetAddr {
    const server = this.#server;
    // It is told here, too.
    server.on("error", () => {});
    server.on("request", (message, answer) => this.#serve(message, answer));
    server.on("upgrade", (message, socket: Socket, head) => {
      const answer = new http.ServerResponse(message);
      answer.assignSocket(socket);
      answer.once("finish", () => socket.end());
      this.#serve(message, answer, { socket, head });
    });
    const [numeric = hostname] = resolve(this.#place, hostname, 0);
    listenAtOnce(server, numeric, port);
    const address = server.address() as AddressInfo;
    const addr: Deno.NetAddr = {
      transport: "tcp",
      hostname: address.address,
      port: address.port,
    };
    const onListen = this.#options.onListen ?? announce;
    onListen(addr);
    return addr;
  }

  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#server.close(() => this.#finish());
  }

  #abort(): void {
    this.#close();
    this.#server.closeAllConnections();
  }

  #serve(
    message: http.IncomingMessage,
    answer: http.ServerResponse,
    upgrade: { socket: Socket; head: Uint8Array } | null = null,
  ): void {
    const controller = new AbortController();
    const completed = Promise.withResolvers<void>();
    // Whether anybody looks at it is up to the program.
    completed.promise.catch(() => {});
    const exchange = { message, answer, controller, completed };
    answer.once("close", () => {
      const reason = new DOMException("The request has been cancelled.", "AbortError");
      controller.abort(reason);
      if (answer.writableFinished) completed.resolve();
      else completed.reject(reason);
    });
    const name = `${message.method} ${message.url}`;
    this.#place.note(name);
    const task = this.#place.loop.createTask(() => this.#answer(exchange, upgrade), { name });
    task.addDoneCallback(() => {
      // The task ends so only with its loop.
      if (task.cancelled()) answer.destroy();
    });
  }

  async #answer(
    exchange: Exchange,
    upgrade: { socket: Socket; head: Uint8Array } | null,
  ): Promise<void> {
    const { answer } = exchange;
    const request = createRequest(exchange);
    if (upgrade !== null) noteUpgrade(request, exchange.message);
    const response = await this.#handle(request, exchange);
    if (response === null) return void answer.destroy();
    if (upgrade !== null) {
      if (answerHandshake(response, this.#place, upgrade)) {
        return answer.detachSocket(upgrade.socket);
      }
    }
    await sendResponse(answer, response, exchange.message.method === "HEAD");
  }

  async #handle(request: Request, exchange: Exchange): Promise<Response | null> {
    const { remoteAddress = "", remotePort = 0 } = exchange.message.socket;
    const remoteAddr = { transport: "tcp" as const, hostname: remoteAddress, port: remotePort };
    const info = { remoteAddr, completed: exchange.completed.promise };
    try {
      return checkResponse(await this.#handler(request, info));
    } catch (error) {
      // The program has ended itself.
      if (!this.#place.isAlive) return null;
      try {
        return checkResponse(await (this.#options.onError ?? logError)(error));
      } catch (second) {
        logError(second);
        return new Response("Internal Server Error", { status: 500, headers: [] });
      }
    }
  }
}

function announce({ hostname, port }: Deno.NetAddr): void {
  console.error(`Listening on http://${hostname}:${port}/`);
}

function logError(error: unknown): Response {
  console.error(describeThrown(error));
  const { body } = new Response("Internal Server Error");
  return new Response(body, { status: 500 });
}

function checkResponse(response: unknown): Response {
  if (!(response instanceof Response)) {
    throw new TypeError("Cannot answer a request: the handler gave no response");
  }
  if (response.bodyUsed) {
    throw new TypeError("Cannot answer a request: the body of the response was used already");
  }
  return response;
}

function createRequest({ message, controller }: Exchange): Request {
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] as string, message.rawHeaders[index + 1] as string);
  }
  const path = message.url ?? "/";
  const url = path.startsWith("/") ? `http://${message.headers.host ?? ""}${path}` : path;
  const method = message.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  const describe = (cause: unknown) => {
    return new TypeError("Cannot read the body of a request: the client is gone", { cause });
  };
  const init: RequestInit = {
    method,
    headers,
    signal: controller.signal,
    body: hasBody ? readFrom(message, describe, () => message.resume()) : null,
  };
  if (!hasBody) message.resume();
  return new Request(url, init);
}

/** Sends `response`: one that is whole with its length, one that is a stream in chunks. */
async function sendResponse(
  answer: http.ServerResponse,
  response: Response,
  isHead: boolean,
): Promise<void> {
  const headers: [string, string][] = [...response.headers];
  const cookies = response.headers.getSetCookie();
  for (const [name, value] of headers) if (name !== "set-cookie") answer.setHeader(name, value);
  if (cookies.length > 0) answer.setHeader("set-cookie", cookies);
  // Deno says nothing of the connection.
  answer.removeHeader("connection");
  answer.statusCode = response.status;
  if (response.statusText !== "") answer.statusMessage = response.statusText;
  const isWhole = isStatic(response);
  if (response.body === null || isHead || isWhole) {
    const bytes = isHead && !isWhole ? EMPTY : new Uint8Array(await response.arrayBuffer());
    const isBare = BARE_STATUSES.includes(response.status);
    if (isWhole && !isBare) answer.setHeader("content-length", bytes.length);
    answer.end(isHead ? undefined : bytes);
    return;
  }
  try {
    // A body may be a while in coming, and its head is read before.
    answer.flushHeaders();
    await writeTo(answer, response.body);
  } catch (error) {
    console.error(describeThrown(error));
    answer.destroy();
  }
}

/** Statuses that say of themselves that nothing follows. */
const BARE_STATUSES: readonly number[] = [204, 304];

const EMPTY = new Uint8Array(0);

/** Whether the body is bytes or a text: the host keeps these as they are, and streams in streams. */
function isStatic(response: Response): boolean {
  for (const key of Object.getOwnPropertySymbols(response)) {
    const value = Reflect.get(response, key);
    if (key.description === "lazy static body" && (value ?? null) !== null) return true;
    if (key.description !== "response") continue;
    const body = (value as { body?: { streamOrStatic?: unknown } | null } | null)?.body;
    if (body !== undefined && body !== null) {
      return !(body.streamOrStatic instanceof ReadableStream);
    }
  }
  return response.body === null;
}
