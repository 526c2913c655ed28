import http from "node:http";
import zlib from "node:zlib";
import { pipeline } from "node:stream";
import type { Place } from "../_place.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";
import { readFrom, type Source, writeTo } from "./_body.ts";

/** The redirections that are followed at most, as by Deno. */
const MOST_REDIRECTIONS = 20;

/** Statuses that redirect, and those of them that turn a POST into a GET. */
const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const STATUSES_WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** What Deno calls a status, in place of what a server says; where Node has other words. */
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  203: "Non Authoritative Information",
  418: "I'm a teapot",
};

/** What is asked for if the program says nothing else. */
const DEFAULT_HEADERS: Readonly<Record<string, string>> = {
  "accept": "*/*",
  "accept-encoding": "gzip,br",
  "accept-language": "*",
  "user-agent": `Deno/${Deno.version.deno}`,
};

/** Headers that are for one origin alone. */
const HEADERS_OF_AN_ORIGIN = ["authorization", "cookie", "host", "proxy-authorization"];

/** What carries the requests of a place. */
const agents: WeakMap<Place, http.Agent> = new WeakMap();

/** A request on its way, with what may be sent again. */
interface Attempt {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** The body, whole or as a stream that can be sent once. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** Returns `fetch` for a simulation: over `node:http`, and so over simulated connections. */
export function createFetch(world: World, readOriginal: () => unknown): typeof fetch {
  const original = readOriginal() as typeof fetch;
  return async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input as Request, init);
    const url = new URL(request.url);
    if (url.protocol === "data:" || url.protocol === "blob:") {
      // The host has these in itself, and is waited for.
      const release = world.clock.hold();
      return await original(input, init).finally(release);
    }
    if (url.protocol === "https:") return await createRefusal("fetch() of https:", true)();
    if (url.protocol !== "http:") {
      const scheme = url.protocol.slice(0, -1);
      throw new TypeError(`Cannot fetch "${url}": URL scheme "${scheme}" is not supported`);
    }
    request.signal.throwIfAborted();
    const body = await takeBody(request, input, init, world);
    request.signal.throwIfAborted();
    return await follow(world.place, request, {
      url,
      method: request.method,
      headers: withDefaults(request.headers),
      body,
    });
  };
}

function withDefaults(given: Headers): Headers {
  const headers = new Headers(given);
  for (const [name, value] of Object.entries(DEFAULT_HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

/** Takes the body of a request: whole, unless the program has given a stream. */
async function takeBody(
  request: Request,
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  world: World,
): Promise<Attempt["body"]> {
  const { body } = request;
  if (body === null) return null;
  const given = init?.body;
  const isStream = given instanceof ReadableStream ||
    (given === undefined || given === null) && input instanceof Request;
  if (isStream) return body;
  const bytes = new Uint8Array(await request.arrayBuffer());
  return given instanceof FormData ? fixBoundary(request.headers, bytes, world) : bytes;
}

/** The host separates the parts of a form by a number of its own chance. */
function fixBoundary(headers: Headers, bytes: Uint8Array, { random }: World): Uint8Array {
  const type = headers.get("content-type") ?? "";
  const [, boundary] = /boundary=(\S+)/.exec(type) ?? [];
  if (boundary === undefined) return bytes;
  const digits = Array.from({ length: 28 }, () => random.below(10)).join("");
  const fixed = `----${digits}`.padEnd(boundary.length, "0").slice(0, boundary.length);
  headers.set("content-type", type.replace(boundary, fixed));
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return Uint8Array.from(text.replaceAll(boundary, fixed), (char) => char.charCodeAt(0));
}

async function follow(place: Place, request: Request, first: Attempt): Promise<Response> {
  let attempt = first;
  for (let count = 0;; count += 1) {
    const message = await send(place, request, attempt);
    const location = message.headers.location;
    const status = message.statusCode ?? 0;
    if (!REDIRECTIONS.has(status) || location === undefined || request.redirect === "manual") {
      return createResponse(message, request, attempt, count > 0);
    }
    message.destroy();
    if (request.redirect === "error" || count === MOST_REDIRECTIONS) {
      const state = count === MOST_REDIRECTIONS ? "too many redirections" : "it redirects";
      throw new TypeError(`Cannot fetch "${first.url}": ${state}`);
    }
    attempt = redirect(attempt, new URL(location, attempt.url), status);
  }
}

function redirect(attempt: Attempt, url: URL, status: number): Attempt {
  const headers = new Headers(attempt.headers);
  if (url.origin !== attempt.url.origin) {
    for (const name of HEADERS_OF_AN_ORIGIN) headers.delete(name);
  }
  const { method } = attempt;
  const toGet = status === 303
    ? method !== "GET" && method !== "HEAD"
    : status < 303 && method === "POST";
  if (toGet) {
    for (const name of ["content-type", "content-length", "content-encoding", "content-language"]) {
      headers.delete(name);
    }
    return { url, method: "GET", headers, body: null };
  }
  if (attempt.body instanceof ReadableStream) {
    throw new TypeError(
      `Cannot fetch "${url}": the stream of the body is used up by a redirection`,
    );
  }
  return { ...attempt, url, headers };
}

/** Sends a request. Gives the head of the answer. */
async function send(
  place: Place,
  { signal }: Request,
  attempt: Attempt,
): Promise<http.IncomingMessage> {
  const sending = Promise.withResolvers<http.IncomingMessage>();
  const message = begin(place, attempt, sending);
  const abort = () => {
    sending.reject(signal.reason);
    message.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  place.onEnd(() => signal.removeEventListener("abort", abort));
  try {
    return await sending.promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function begin(
  place: Place,
  { url, method, headers, body }: Attempt,
  { resolve, reject }: PromiseWithResolvers<http.IncomingMessage>,
): http.ClientRequest {
  let agent = agents.get(place);
  if (agent === undefined) agents.set(place, agent = new http.Agent({ keepAlive: true }));
  const { pathname, search } = url;
  const fail = (cause: unknown) => reject(new TypeError(FAILED, { cause }));
  const request = http.request({
    agent,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    path: pathname + search,
    method,
    headers: { ...Object.fromEntries(headers), host: headers.get("host") ?? url.host },
  });
  // Deno says nothing of the connection.
  request.removeHeader("connection");
  request.on("response", resolve);
  request.on("error", fail);
  request.on("close", () => fail(new Error("Cannot read an answer: the connection is closed")));
  if (body === null) {
    if (method !== "POST" && method !== "PUT") request.useChunkedEncodingByDefault = false;
    request.end();
  } else if (body instanceof Uint8Array) {
    request.setHeader("content-length", body.length);
    request.end(body);
  } else {
    request.flushHeaders();
    writeTo(request, body).catch((error) => {
      reject(error);
      request.destroy();
    });
  }
  return request;
}

/** What Deno says; libraries tell by it whether to try again. */
const FAILED = "fetch failed";

function createResponse(
  message: http.IncomingMessage,
  request: Request,
  { url, method }: Attempt,
  redirected: boolean,
): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] as string, message.rawHeaders[index + 1] as string);
  }
  const hasBody = method !== "HEAD" && !STATUSES_WITHOUT_BODY.has(status);
  if (!hasBody) message.resume();
  const response = new Response(hasBody ? readBody(message, request, headers) : null, {
    // A response cannot be made with a status below 200.
    status: status < 200 ? 200 : status,
    statusText: STATUS_TEXTS[status] ?? http.STATUS_CODES[status] ?? "",
    headers,
  });
  const describe = { url: withoutFragment(url), redirected, type: "basic" };
  for (const [key, value] of Object.entries(describe)) {
    Object.defineProperty(response, key, { value, configurable: true });
  }
  return response;
}

function withoutFragment(url: URL): string {
  const copy = new URL(url);
  copy.hash = "";
  return copy.href;
}

function readBody(
  message: http.IncomingMessage,
  { signal }: Request,
  headers: Headers,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const decoder = createDecoder(headers.get("content-encoding"));
  let source: Source = message;
  if (decoder !== null) {
    source = pipeline(message, decoder, () => {});
  }
  const abort = () => message.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  message.once("close", () => signal.removeEventListener("abort", abort));
  return readFrom(source, (cause) => {
    return signal.aborted ? signal.reason : new TypeError(BROKEN_BODY, { cause });
  }, () => message.destroy());
}

const BROKEN_BODY = "error reading a body from connection";

function createDecoder(encoding: string | null) {
  if (encoding === "gzip") return zlib.createGunzip();
  return encoding === "br" ? zlib.createBrotliDecompress() : null;
}
