// Programs of a client and a server, each of which gives a value that can be compared. They know
// neither whether the network is real, nor which port they get.
import { createHash } from "node:crypto";
import http from "node:http";
import net from "node:net";
import zlib from "node:zlib";

/** Where a case runs. */
export interface Stage {
  /** The name of the host that servers run on. */
  readonly host: string;
  /** Runs `start` where servers run. */
  onServer<T>(start: () => T): Promise<T>;
  /** Calls `undo` when the case is over. */
  after(undo: () => unknown): void;
}

/** A case. */
export type WebCase = (stage: Stage) => Promise<unknown>;

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Starts `Deno.serve()` with `handler`. Returns where it is. */
async function serve(
  stage: Stage,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Promise<string> {
  const stop = new AbortController();
  const server = await stage.onServer(() =>
    Deno.serve({
      hostname: HOSTNAME,
      port: 0,
      signal: stop.signal,
      onListen: () => {},
      onError: FAILED,
    }, handler)
  );
  stage.after(() => stop.abort());
  return `http://${stage.host}:${server.addr.port}`;
}

/** All addresses of a host: the real one has no other than loopback. */
const HOSTNAME = "0.0.0.0";
const FAILED = () => new Response("failed", { status: 500 });

/** Starts a server of `node:http`. Returns its port. */
async function serveNode(
  stage: Stage,
  handler: http.RequestListener,
  options: http.ServerOptions = {},
): Promise<number> {
  const server = await stage.onServer(() =>
    http.createServer(options, handler).listen(0, HOSTNAME)
  );
  return await portOf(stage, server);
}

/** Starts a server of `node:net`. Returns its port. */
async function serveNet(
  stage: Stage,
  handler: (socket: net.Socket) => void,
  options: net.ServerOpts = {},
): Promise<number> {
  const server = await stage.onServer(() =>
    net.createServer(options, (socket) => {
      socket.on("error", () => {});
      stage.after(() => socket.destroy());
      handler(socket);
    }).listen(0, HOSTNAME)
  );
  return await portOf(stage, server);
}

async function portOf(stage: Stage, server: net.Server): Promise<number> {
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  stage.after(() =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      if (server instanceof http.Server) server.closeAllConnections();
    })
  );
  return (server.address() as net.AddressInfo).port;
}

/** Answers every connection with `bytes`, once something has come, and ends it as `end` says. */
function answerRaw(
  bytes: string,
  end: (socket: net.Socket) => void = (socket) => socket.end(),
): (socket: net.Socket) => void {
  return (socket) => {
    socket.once("data", () => {
      socket.write(bytes, () => end(socket));
    });
  };
}

/** What of an error is the same everywhere. */
function describe(error: unknown): unknown {
  const { name, code, syscall, message } = error as Record<string, unknown>;
  if (error instanceof TypeError || error instanceof DOMException) {
    return name === "TypeError" ? [name, message] : [name];
  }
  return [name, code, syscall].filter((part) => part !== undefined);
}

async function failure(work: () => PromiseLike<unknown> | unknown): Promise<unknown> {
  try {
    return ["no error", await work()];
  } catch (error) {
    return describe(error);
  }
}

/** Headers without what has a time or an address in it. */
function headersOf(headers: Headers): [string, string][] {
  return [...headers].filter(([name]) => name !== "date" && name !== "host");
}

async function summary(response: Response): Promise<unknown> {
  const { status, statusText, redirected, type } = response;
  const { pathname: path } = new URL(response.url);
  return {
    status,
    statusText,
    redirected,
    type,
    path,
    headers: headersOf(response.headers),
    body: await response.text(),
  };
}

/** A stream of `texts`, each in its turn of the host. */
function streamOf(...texts: string[]): ReadableStream<Uint8Array> {
  const rest = [...texts];
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const text = rest.shift();
      if (text === undefined) controller.close();
      else controller.enqueue(utf8(text));
    },
  });
}

/** Sends a request by `node:http`. Gives the head, the body and how it ended. */
function requestNode(
  stage: Stage,
  port: number,
  options: http.RequestOptions & { body?: string } = {},
): Promise<Record<string, unknown>> {
  const { body, ...rest } = options;
  return new Promise((resolve) => {
    const request = http.request({ host: stage.host, port, agent: false, ...rest }, (response) => {
      const chunks: Uint8Array[] = [];
      let isAborted = false;
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("aborted", () => isAborted = true);
      response.on("error", () => {});
      response.on("close", () => {
        const { date: _date, ...headers } = response.headers;
        resolve({
          status: response.statusCode,
          message: response.statusMessage,
          headers,
          body: new TextDecoder().decode(new Uint8Array(chunks.flatMap((chunk) => [...chunk]))),
          complete: response.complete,
          isAborted,
        });
      });
    });
    request.on("error", (error) => resolve({ error: describe(error) }));
    request.end(body);
  });
}

/** Collects what a socket tells, until it is closed. */
function watch(socket: net.Socket): Promise<string[]> {
  const log: string[] = [];
  socket.on("connect", () => log.push("connect"));
  socket.on("ready", () => log.push("ready"));
  socket.on("data", (chunk) => {
    const last = log.at(-1);
    if (last?.startsWith("data ")) log[log.length - 1] = last + chunk;
    else log.push(`data ${chunk}`);
  });
  socket.on("end", () => log.push("end"));
  socket.on("finish", () => log.push("finish"));
  socket.on("timeout", () => log.push("timeout"));
  socket.on("error", (error: Error & { code?: string }) => log.push(`error ${error.code}`));
  return new Promise((resolve) => {
    socket.on("close", (hadError) => resolve([...log, `close ${hadError}`]));
  });
}

/** All cases, by name. */
export const WEB_CASES: Record<string, WebCase> = {};

for (
  const status of [200, 201, 202, 203, 204, 205, 206, 300, 304, 400, 401, 404, 418, 429, 500, 503]
) {
  WEB_CASES[`fetch() gives status ${status}`] = async (stage) => {
    const isBare = status === 204 || status === 205 || status === 304;
    const url = await serve(stage, () => new Response(isBare ? null : "text", { status }));
    return await summary(await fetch(url));
  };
}
for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
  WEB_CASES[`fetch() with ${method} sends no body, and a handler sees it`] = async (stage) => {
    const url = await serve(stage, async (request) => {
      const head = [request.method, request.body === null, headersOf(request.headers)];
      return Response.json([...head, await request.text()]);
    });
    return await summary(await fetch(`${url}/path?query=1`, { method }));
  };
}
const BODIES: Record<string, () => BodyInit> = {
  "a text": () => "text",
  "an empty text": () => "",
  "bytes": () => new Uint8Array([1, 2, 3]),
  "a buffer": () => new Uint8Array([1, 2, 3]).buffer,
  "a blob": () => new Blob(["blob"], { type: "text/x-blob" }),
  "parameters": () => new URLSearchParams({ a: "1", b: "é" }),
  "a stream": () => streamOf("one", "two", "three"),
  "a stream of one": () => streamOf("one"),
  "an empty stream": () => streamOf(),
};
for (const [name, create] of Object.entries(BODIES)) {
  WEB_CASES[`fetch() sends ${name}, and a handler gets its length or chunks`] = async (stage) => {
    const url = await serve(stage, async (request) => {
      return Response.json([headersOf(request.headers), [...await request.bytes()]]);
    });
    const body = create();
    return await summary(await fetch(url, { method: "POST", body }));
  };
  WEB_CASES[`a handler answers with ${name}`] = async (stage) => {
    const url = await serve(stage, () => new Response(create()));
    return await summary(await fetch(url));
  };
  WEB_CASES[`a handler answers HEAD with ${name}`] = async (stage) => {
    const url = await serve(stage, () => new Response(create()));
    return await summary(await fetch(url, { method: "HEAD" }));
  };
}
WEB_CASES["fetch() sends a form, which a handler reads"] = async (stage) => {
  const url = await serve(stage, async (request) => {
    const form = await request.formData();
    const file = form.get("file") as File;
    return Response.json([form.get("a"), file.name, file.type, await file.text()]);
  });
  const body = new FormData();
  body.append("a", "é");
  body.append("file", new File(["content"], "name.txt", { type: "text/plain" }));
  return await summary(await fetch(url, { method: "POST", body }));
};
const HEADERS: Record<string, HeadersInit> = {
  "of its own": { "x-one": "1", "X-Two": "2" },
  "with one name twice": [["x-one", "1"], ["x-one", "2"]],
  "with an agent": { "user-agent": "test", "accept": "text/plain" },
  "with an odd value": { "x-one": 'a, b; c="d"' },
  "with an empty value": { "x-one": "" },
  "with a cookie": { cookie: "a=1; b=2" },
};
for (const [name, headers] of Object.entries(HEADERS)) {
  WEB_CASES[`fetch() sends headers ${name}`] = async (stage) => {
    const url = await serve(stage, (request) => Response.json(headersOf(request.headers)));
    return await summary(await fetch(url, { headers }));
  };
  WEB_CASES[`a handler sends headers ${name}`] = async (stage) => {
    const url = await serve(stage, () => new Response("text", { headers }));
    return await summary(await fetch(url));
  };
}
WEB_CASES["a handler sets two cookies"] = async (stage) => {
  const headers: [string, string][] = [["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"]];
  const url = await serve(stage, () => new Response("text", { headers }));
  return (await fetch(url)).headers.getSetCookie();
};
WEB_CASES["a handler sets the text of the status"] = async (stage) => {
  const url = await serve(stage, () => new Response("text", { status: 299, statusText: "Odd" }));
  const response = await fetch(url);
  await response.text();
  return response.status;
};
for (const status of [301, 302, 303, 307, 308]) {
  for (const method of ["GET", "POST", "HEAD"]) {
    WEB_CASES[`fetch() with ${method} follows a redirection ${status}`] = async (stage) => {
      const url = await serve(stage, async (request) => {
        if (!request.url.endsWith("/end")) {
          return new Response(null, { status, headers: { location: "/end" } });
        }
        return Response.json([request.method, headersOf(request.headers), await request.text()]);
      });
      const body = method === "POST" ? "text" : null;
      return await summary(await fetch(`${url}/start`, { method, body }));
    };
  }
}
for (const redirect of ["manual", "error"] as const) {
  WEB_CASES[`fetch() with redirect: "${redirect}" does not follow`] = async (stage) => {
    const url = await serve(stage, () => {
      return new Response(null, { status: 302, headers: { location: "/end" } });
    });
    try {
      const response = await fetch(url, { redirect });
      await response.body?.cancel();
      return [response.status, response.headers.get("location")];
    } catch (error) {
      return (error as Error).name;
    }
  };
}
WEB_CASES["fetch() gives up a redirection without an end"] = async (stage) => {
  let count = 0;
  const url = await serve(stage, () => {
    count += 1;
    return new Response(null, { status: 302, headers: { location: "/again" } });
  });
  const name = await fetch(url).then(() => "none", (error) => error.name);
  return [name, count];
};
WEB_CASES["fetch() does not follow a redirection without a location"] = async (stage) => {
  const url = await serve(stage, () => new Response("text", { status: 302 }));
  return await summary(await fetch(url));
};

const ABORTS: Record<string, (url: string, abort: AbortController) => Promise<unknown>> = {
  "before it began": (url, abort) => {
    abort.abort();
    return fetch(url, { signal: abort.signal });
  },
  "in the same turn": (url, abort) => {
    const response = fetch(url, { signal: abort.signal });
    abort.abort();
    return response;
  },
  "for a reason": (url, abort) => {
    const response = fetch(url, { signal: abort.signal });
    abort.abort(new RangeError("reason"));
    return response;
  },
  "while it waits for an answer": (url, abort) => {
    setTimeout(() => abort.abort(), 20);
    return fetch(`${url}/never`, { signal: abort.signal });
  },
  "while it reads the body": async (url, abort) => {
    const response = await fetch(`${url}/body`, { signal: abort.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    abort.abort();
    return await reader.read();
  },
  "by a timeout": (url) => fetch(`${url}/never`, { signal: AbortSignal.timeout(20) }),
};
for (const [name, abort] of Object.entries(ABORTS)) {
  WEB_CASES[`fetch() is aborted ${name}`] = async (stage) => {
    const gone = Promise.withResolvers<string>();
    const url = await serve(stage, (request) => {
      const { pathname } = new URL(request.url);
      request.signal.addEventListener("abort", () => gone.resolve("the handler knows"));
      if (pathname === "/never") return new Promise(() => {});
      if (pathname !== "/body") return new Response("text");
      return new Response(
        new ReadableStream({ start: (controller) => controller.enqueue(utf8("x")) }),
      );
    });
    const error = await abort(url, new AbortController()).then(() => "none", (error) => {
      return [error.name, error instanceof RangeError];
    });
    const isServed = name.startsWith("while") || name.startsWith("by");
    return [error, isServed ? await gone.promise : null];
  };
}
const BROKEN: Record<string, (socket: net.Socket) => void> = {
  "that ends at once": (socket) => socket.end(),
  "that ends when a request has come": (socket) => socket.once("data", () => socket.end()),
  "that is reset when a request has come": (socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  },
  "that sends no HTTP": answerRaw("garbage\r\n\r\n"),
};
for (const [name, handler] of Object.entries(BROKEN)) {
  WEB_CASES[`fetch() fails for a server ${name}`] = async (stage) => {
    const port = await serveNet(stage, handler);
    return await failure(() =>
      fetch(`http://${stage.host}:${port}/`, { method: "POST", body: "x" })
    );
  };
  WEB_CASES[`http.request() fails for a server ${name}`] = async (stage) => {
    const port = await serveNet(stage, handler);
    return await requestNode(stage, port, { method: "POST", body: "x" });
  };
}
const CUT: Record<string, [answer: string, end?: (socket: net.Socket) => void]> = {
  "that is shorter than it says": ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
  "whose last chunk is missing": [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
  ],
  "that ends with the connection": ["HTTP/1.1 200 OK\r\n\r\nabc"],
  "that is reset": [
    "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
    (socket) => setTimeout(() => socket.resetAndDestroy(), 20),
  ],
  "with an odd version": ["HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc"],
  "with chunks and a trailer": [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-end: 1\r\n\r\n",
  ],
  "with a folded status": ["HTTP/1.1 200\r\ncontent-length: 3\r\n\r\nabc"],
  "after a 100": ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"],
};
for (const [name, [answer, end]] of Object.entries(CUT)) {
  WEB_CASES[`fetch() reads an answer ${name}`] = async (stage) => {
    const port = await serveNet(stage, answerRaw(answer, end));
    const response = await fetch(`http://${stage.host}:${port}/`);
    return await failure(() => response.text());
  };
  WEB_CASES[`http.request() reads an answer ${name}`] = async (stage) => {
    const port = await serveNet(stage, answerRaw(answer, end));
    return await requestNode(stage, port);
  };
}
for (const encoding of ["gzip", "br", "identity"] as const) {
  WEB_CASES[`fetch() decodes ${encoding}`] = async (stage) => {
    const text = "text ".repeat(1000);
    const bytes = encoding === "gzip"
      ? zlib.gzipSync(text)
      : encoding === "br"
      ? zlib.brotliCompressSync(text)
      : utf8(text);
    const headers = { "content-encoding": encoding };
    const url = await serve(stage, () => new Response(new Uint8Array(bytes), { headers }));
    const response = await fetch(url);
    return [headersOf(response.headers), await response.text() === text];
  };
}
for (const size of [0, 1, 65_535, 65_536, 1_000_000]) {
  WEB_CASES[`${size} bytes go there and back`] = async (stage) => {
    const url = await serve(stage, (request) => new Response(request.body));
    const body = new Uint8Array(size).map((_, index) => index % 251);
    const bytes = await (await fetch(url, { method: "POST", body })).bytes();
    return [bytes.length, bytes.every((byte, index) => byte === body[index])];
  };
}
WEB_CASES["fetch() finds nobody at a port"] = async (stage) => {
  const server = await stage.onServer(() => Deno.listen({ hostname: HOSTNAME, port: 0 }));
  const { port } = server.addr;
  server.close();
  return await failure(() => fetch(`http://${stage.host}:${port}/`));
};
WEB_CASES["fetch() does not know a host"] = () => failure(() => fetch("http://no-such.invalid/"));
WEB_CASES["fetch() takes no URL of another kind"] = async () => {
  return await fetch("ftp://127.0.0.1/").then(() => "none", (error) => error.name);
};
WEB_CASES["fetch() takes no text that is no URL"] = async () => {
  return await fetch("nonsense").then(() => "none", (error) => error.name);
};
WEB_CASES["fetch() reads data: URLs"] = async () => (await fetch("data:text/plain,hello")).text();
WEB_CASES["fetch() of a request sends what is in it"] = async (stage) => {
  const url = await serve(stage, async (request) => {
    return Response.json([request.method, request.headers.get("x-one"), await request.text()]);
  });
  const request = new Request(url, { method: "PUT", headers: { "x-one": "1" }, body: "text" });
  return await (await fetch(request)).json();
};
WEB_CASES["many requests at a time are each answered"] = async (stage) => {
  const url = await serve(stage, (request) => {
    const { pathname } = new URL(request.url);
    return new Response(pathname);
  });
  const paths = Array.from({ length: 30 }, (_, index) => `/${index}`);
  return await Promise.all(paths.map(async (path) => (await fetch(url + path)).text()));
};
WEB_CASES["requests after each other use one connection"] = async (stage) => {
  const ports = new Set<number>();
  const url = await serve(stage, (_request, { remoteAddr }) => {
    ports.add(remoteAddr.port);
    return new Response("text");
  });
  for (let count = 0; count < 5; count += 1) await (await fetch(url)).text();
  return ports.size;
};
const HANDLERS: Record<string, Deno.ServeHandler> = {
  "that throws": () => {
    throw new Error("handler");
  },
  "that rejects": () => Promise.reject(new Error("handler")),
  "that gives nothing": () => undefined as unknown as Response,
  "whose stream fails at once": () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.error(new Error("stream")) }),
    ),
  "that does not read the body": () => new Response("text"),
  "that gives a redirection": () => Response.redirect("http://no-such.invalid/", 307),
  "that gives JSON": () => Response.json({ a: 1 }),
};
for (const [name, handler] of Object.entries(HANDLERS)) {
  WEB_CASES[`a handler ${name} is answered for`] = async (stage) => {
    const url = await serve(stage, handler);
    return await failure(async () => {
      return await summary(await fetch(url, { method: "POST", body: "x", redirect: "manual" }));
    });
  };
}
WEB_CASES["a server that was shut down is refused, and its requests end first"] = async (stage) => {
  const begun = Promise.withResolvers<void>();
  const server = await stage.onServer(() =>
    Deno.serve({ hostname: HOSTNAME, port: 0, onListen: () => {} }, async () => {
      begun.resolve();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return new Response("late");
    })
  );
  const url = `http://${stage.host}:${server.addr.port}/`;
  const first = fetch(url).then((response) => response.text());
  await begun.promise;
  const ended = server.shutdown();
  const text = await first;
  await ended;
  return [text, await failure(() => fetch(url))];
};
WEB_CASES["a body of a stream comes as it is made"] = async (stage) => {
  const next: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
  const url = await serve(stage, () => {
    const rest = [...next];
    return new Response(
      new ReadableStream({
        async pull(controller) {
          const step = rest.shift();
          if (step === undefined) return controller.close();
          await step.promise;
          controller.enqueue(utf8(`part ${rest.length}`));
        },
      }),
    );
  });
  const reader = ((await fetch(url)).body as ReadableStream<Uint8Array>).getReader();
  const parts: string[] = [];
  for (const step of next) {
    step.resolve();
    parts.push(new TextDecoder().decode((await reader.read()).value));
  }
  return [parts, (await reader.read()).done];
};
WEB_CASES["a handler learns that the client is gone, and its stream is cancelled"] = async (
  stage,
) => {
  const cancelled = Promise.withResolvers<string>();
  const url = await serve(stage, () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(utf8("x")),
        cancel: () => cancelled.resolve("cancelled"),
      }),
    ));
  const response = await fetch(url);
  await response.body?.cancel();
  return await cancelled.promise;
};

for (const method of ["GET", "POST", "HEAD", "DELETE"]) {
  WEB_CASES[`http.request() with ${method} and a server of node:http`] = async (stage) => {
    const port = await serveNode(stage, async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { host: _host, ...headers } = request.headers;
      response.setHeader("x-method", request.method ?? "");
      response.end(JSON.stringify([headers, body]));
    });
    return await requestNode(stage, port, { method, ...method === "POST" ? { body: "text" } : {} });
  };
}
const NODE_ANSWERS: Record<string, http.RequestListener> = {
  "writes its head": (_request, response) => {
    response.writeHead(201, "Made", { "x-one": "1", "content-type": "text/plain" });
    response.end("text");
  },
  "writes in parts": (_request, response) => {
    response.write("one");
    setTimeout(() => response.end("two"), 5);
  },
  "sets a length": (_request, response) => {
    response.setHeader("content-length", 4);
    response.end("text");
  },
  "closes the connection": (_request, response) => {
    response.setHeader("connection", "close");
    response.end("text");
  },
  "destroys its answer": (_request, response) => {
    response.write("text");
    setTimeout(() => response.destroy(), 20);
  },
  "destroys the socket": (request) => request.socket.destroy(),
  "sends no body": (_request, response) => void response.writeHead(204).end(),
  "continues": (_request, response) => {
    response.writeContinue();
    response.end("text");
  },
  "has trailers": (_request, response) => {
    response.writeHead(200, { trailer: "x-end" });
    response.write("text");
    response.addTrailers({ "x-end": "1" });
    response.end();
  },
};
for (const [name, handler] of Object.entries(NODE_ANSWERS)) {
  WEB_CASES[`a server of node:http that ${name}, for http.request()`] = async (stage) => {
    return await requestNode(stage, await serveNode(stage, handler));
  };
  WEB_CASES[`a server of node:http that ${name}, for fetch()`] = async (stage) => {
    const port = await serveNode(stage, handler);
    return await failure(async () => await summary(await fetch(`http://${stage.host}:${port}/`)));
  };
}
WEB_CASES["http.request() times out"] = async (stage) => {
  const port = await serveNode(stage, () => {});
  return await new Promise((resolve) => {
    const request = http.get({ host: stage.host, port, agent: false, timeout: 30 });
    const log: string[] = [];
    request.on("timeout", () => {
      log.push("timeout");
      request.destroy();
    });
    request.on("error", (error) => log.push(String((error as { code?: string }).code)));
    request.on("close", () => resolve(log));
  });
};
WEB_CASES["an agent keeps a connection, until the server ends it"] = async (stage) => {
  const ports: number[] = [];
  const port = await serveNode(stage, (request, response) => {
    ports.push(request.socket.remotePort ?? 0);
    response.end("text");
  }, { keepAliveTimeout: 50 });
  const agent = new http.Agent({ keepAlive: true });
  stage.after(() => agent.destroy());
  await requestNode(stage, port, { agent });
  await requestNode(stage, port, { agent });
  await new Promise((resolve) => setTimeout(resolve, 1300));
  await requestNode(stage, port, { agent });
  const [first, second, third] = ports;
  return [first === second, second === third];
};
WEB_CASES["http.request() asks before it sends"] = async (stage) => {
  const port = await serveNode(stage, async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.end(body);
  });
  return await new Promise((resolve) => {
    const log: string[] = [];
    const request = http.request({
      host: stage.host,
      port,
      agent: false,
      method: "POST",
      headers: { expect: "100-continue" },
    }, (response) => {
      response.on("data", (chunk) => log.push(String(chunk)));
      response.on("end", () => resolve(log));
    });
    request.on("continue", () => {
      log.push("continue");
      request.end("text");
    });
    request.flushHeaders();
  });
};
const TALKS: Record<
  string,
  [
    server: (socket: net.Socket) => void,
    client: (socket: net.Socket) => void,
    options?: net.ServerOpts,
  ]
> = {
  "that says something and ends": [(socket) => socket.end("hello"), () => {}],
  "that echoes": [(socket) => socket.pipe(socket), (socket) => socket.end("echo")],
  "that is destroyed by the server": [
    (socket) => socket.once("data", () => socket.destroy()),
    (socket) => socket.write("x"),
  ],
  "that is reset by the server": [
    (socket) => socket.once("data", () => socket.resetAndDestroy()),
    (socket) => socket.write("x"),
  ],
  "that is destroyed by the client": [() => {}, (socket) => {
    socket.on("connect", () => socket.destroy());
  }],
  "that is destroyed with an error": [() => {}, (socket) => {
    socket.on("connect", () => socket.destroy(Object.assign(new Error("x"), { code: "MINE" })));
  }],
  "that is half closed": [
    (socket) => socket.on("end", () => socket.end("late")).resume(),
    (socket) => socket.end("x"),
    { allowHalfOpen: true },
  ],
  "that times out": [() => {}, (socket) => {
    socket.setTimeout(30, () => socket.destroy());
  }],
  "with a big body": [
    (socket) => socket.end("x".repeat(300_000)),
    (socket) => {
      let size = 0;
      socket.removeAllListeners("data");
      socket.on("data", (chunk) => size += chunk.length);
      socket.on("end", () => socket.emit("data", `${size}`));
    },
  ],
  "in hex": [(socket) => socket.end("6869", "hex"), () => {}],
  "in several encodings": [
    (socket) => {
      socket.cork();
      socket.write("a", "latin1");
      socket.write("é", "utf8");
      socket.write("Yg==", "base64");
      socket.write("c", "ascii");
      socket.uncork();
      socket.end();
    },
    () => {},
  ],
};
for (const [name, [server, client, options]] of Object.entries(TALKS)) {
  WEB_CASES[`a socket of node:net ${name}`] = async (stage) => {
    const port = await serveNet(stage, server, options);
    const socket = net.connect({ host: stage.host, port });
    stage.after(() => socket.destroy());
    const closed = watch(socket);
    client(socket);
    return await closed;
  };
}
WEB_CASES["a socket of node:net finds nobody at a port"] = async (stage) => {
  const port = await serveNet(stage, () => {});
  const other = await stage.onServer(() => Deno.listen({ hostname: HOSTNAME, port: 0 }));
  const free = other.addr.port;
  other.close();
  return [port > 0, await watch(net.connect({ host: stage.host, port: free }))];
};
WEB_CASES["a socket of node:net does not know a host"] = () => {
  return watch(net.connect({ host: "no-such.invalid", port: 80 }));
};
WEB_CASES["a socket of node:net knows its addresses"] = async (stage) => {
  const port = await serveNet(stage, (socket) => {
    const { localPort, remotePort, remoteFamily } = socket;
    socket.end(JSON.stringify([localPort === port, remotePort !== undefined, remoteFamily]));
  });
  const socket = net.connect({ host: stage.host, port });
  const log = await watch(socket);
  return [log, socket.bytesRead, socket.bytesWritten];
};
WEB_CASES["a socket of node:net fills the memory that it is given"] = async (stage) => {
  const port = await serveNet(stage, (socket) => socket.end("0123456789"));
  const buffer = new Uint8Array(4);
  let text = "";
  const socket = net.connect({
    host: stage.host,
    port,
    onread: {
      buffer,
      callback: (count: number) => {
        text += new TextDecoder().decode(buffer.subarray(0, count));
        return true;
      },
    },
  });
  await watch(socket);
  return text;
};
WEB_CASES["a server of node:net counts its connections, and closes after the last"] = async (
  stage,
) => {
  const server = await stage.onServer(() => net.createServer().listen(0, HOSTNAME));
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  const arrived = new Promise((resolve) => server.once("connection", resolve));
  const socket = net.connect({ host: stage.host, port });
  await arrived;
  const count = await new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
  const log: string[] = [];
  const closed = new Promise<void>((resolve) =>
    server.close(() => {
      log.push("server closed");
      resolve();
    })
  );
  socket.on("close", () => log.push("client closed"));
  socket.end();
  await closed;
  return [count, log.at(-1)];
};
WEB_CASES["a server of node:net cannot listen twice at a port"] = async (stage) => {
  const port = await serveNet(stage, () => {});
  const second = await stage.onServer(() => net.createServer().listen(port, HOSTNAME));
  return await new Promise((resolve) => {
    second.on("error", (error) => resolve(describe(error)));
  });
};

/** Ends of a WebSocket that nobody announces, or in one direction alone. */
const ABRUPT_ENDS: Record<string, (socket: net.Socket) => void> = {
  "has ended the connection": (socket) => socket.end(),
  "is gone": (socket) => socket.destroy(),
  "has reset the connection": (socket) => socket.resetAndDestroy(),
  "says going away": (socket) => socket.end(new Uint8Array([0x88, 2, 0x03, 0xe9])),
  "says no code": (socket) => socket.end(new Uint8Array([0x88, 0])),
  "sends text that is none": (socket) => socket.write(new Uint8Array([0x81, 1, 0xff])),
  "sends a frame of no kind": (socket) => socket.write(new Uint8Array([0x83, 0])),
};

/** Opens a WebSocket to a server whose end `serveEnd` gets. */
async function openWebSocket(
  stage: Stage,
  serveEnd: (socket: WebSocket) => void,
  protocols: string[] = [],
): Promise<{ client: WebSocket; log: string[]; closed: Promise<unknown> }> {
  const url = await serve(stage, (request) => {
    const [protocol = ""] = protocols;
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol });
    serveEnd(socket);
    return response;
  });
  const client = new WebSocket(url.replace("http", "ws"), protocols);
  const log: string[] = [];
  client.onopen = () => log.push(`open ${client.protocol}`);
  client.onmessage = ({ data }) =>
    log.push(`message ${typeof data === "string" ? data : data.size}`);
  client.onerror = () => log.push("error");
  const closed = new Promise((resolve) => {
    client.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
  });
  return { client, log, closed };
}
const ENDINGS: Record<
  string,
  [server: (socket: WebSocket) => void, client: (socket: WebSocket) => void]
> = {
  "by the client": [() => {}, (socket) => socket.close()],
  "by the client with 1000": [() => {}, (socket) => socket.close(1000)],
  "by the client with a reason": [() => {}, (socket) => socket.close(3001, "reason")],
  "by the server": [(socket) => {
    socket.onopen = () => socket.close();
  }, () => {}],
  "by the server with a reason": [(socket) => {
    socket.onopen = () => socket.close(4999, "é");
  }, () => {}],
  "by both": [
    (socket) => {
      socket.onmessage = () => socket.close(3002);
    },
    (socket) => {
      socket.send("x");
      socket.close(3001);
    },
  ],
};
for (const [name, [server, client]] of Object.entries(ENDINGS)) {
  WEB_CASES[`a WebSocket is closed ${name}, and both ends know`] = async (stage) => {
    const ended = Promise.withResolvers<unknown>();
    const opened = await openWebSocket(stage, (socket) => {
      socket.onclose = ({ code, reason, wasClean }) => ended.resolve([code, reason, wasClean]);
      socket.onerror = () => {};
      server(socket);
    });
    opened.client.addEventListener("open", () => client(opened.client));
    return [await opened.closed, await ended.promise, opened.log, opened.client.readyState];
  };
}
const MESSAGES: Record<string, () => string | ArrayBuffer | Blob | Uint8Array<ArrayBuffer>> = {
  "a text": () => "é",
  "an empty text": () => "",
  "bytes": () => new Uint8Array(3),
  "a blob": () => new Blob(["blob"]),
  "200 bytes": () => new Uint8Array(200),
  "a long text": () => "x".repeat(70_000),
};
for (const [name, create] of Object.entries(MESSAGES)) {
  WEB_CASES[`a WebSocket sends ${name}, and gets it back`] = async (stage) => {
    const { client, log, closed } = await openWebSocket(stage, (socket) => {
      socket.onmessage = ({ data }) => socket.send(data);
    });
    client.addEventListener("open", () => client.send(create()));
    client.addEventListener("message", () => client.close());
    await closed;
    return log.map((line) => [line.length, line.slice(0, 20)]);
  };
}
WEB_CASES["a WebSocket agrees on a protocol"] = async (stage) => {
  const { client, log, closed } = await openWebSocket(stage, () => {}, ["one", "two"]);
  client.addEventListener("open", () => client.close());
  await closed;
  return log;
};
WEB_CASES["a WebSocket is refused by a server that answers otherwise"] = async (stage) => {
  const url = await serve(stage, () => new Response("no", { status: 400 }));
  const client = new WebSocket(url.replace("http", "ws"));
  const log: string[] = [];
  client.onerror = () => log.push("error");
  return await new Promise((resolve) => {
    client.onclose = ({ code, wasClean }) => resolve([log, code, wasClean]);
  });
};
for (const [name, end] of Object.entries(ABRUPT_ENDS)) {
  WEB_CASES[`a WebSocket learns that its server ${name}`] = async (stage) => {
    const port = await serveNet(stage, (socket) => {
      socket.once("data", (head) => {
        const [, key = ""] = /sec-websocket-key: (.*)\r\n/i.exec(String(head)) ?? [];
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
        const lines = [
          "HTTP/1.1 101 Switching Protocols",
          "Upgrade: websocket",
          "Connection: Upgrade",
          `Sec-WebSocket-Accept: ${accept.digest("base64")}`,
        ];
        socket.write(`${lines.join("\r\n")}\r\n\r\n`);
        socket.once("data", () => end(socket));
      });
    });
    const client = new WebSocket(`ws://${stage.host}:${port}/`);
    const log: string[] = [];
    client.onopen = () => client.send("x");
    client.onerror = () => log.push("error");
    return await new Promise((resolve) => {
      client.onclose = ({ code, reason, wasClean }) => resolve([log, code, reason, wasClean]);
    });
  };
}
WEB_CASES["a WebSocket refuses codes that are not for programs"] = async (stage) => {
  const { client, closed } = await openWebSocket(stage, () => {});
  await new Promise((resolve) => client.addEventListener("open", resolve));
  const names = [1001, 2999, 5000].map((code) => {
    try {
      client.close(code);
      return "none";
    } catch (error) {
      return (error as Error).name;
    }
  });
  client.close();
  await closed;
  return names;
};
WEB_CASES["a WebSocket needs a URL"] = () => {
  try {
    new WebSocket("nonsense");
  } catch (error) {
    return Promise.resolve((error as Error).name);
  }
  return Promise.resolve("none");
};

/** Connects a `Deno.Conn` to a listener whose end `serveEnd` gets. */
async function connectDeno(
  stage: Stage,
  serveEnd: (conn: Deno.Conn) => Promise<unknown>,
): Promise<Deno.TcpConn> {
  const listener = await stage.onServer(() => {
    const listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
    (async () => {
      for await (const conn of listener) await serveEnd(conn);
    })().catch(() => {});
    return listener;
  });
  stage.after(() => listener.close());
  return await Deno.connect({ hostname: stage.host, port: listener.addr.port });
}
WEB_CASES["Deno.connect() reads what a listener writes, then its end"] = async (stage) => {
  const conn = await connectDeno(stage, async (end) => {
    await end.write(utf8("hello"));
    end.close();
  });
  using _ = conn;
  const buffer = new Uint8Array(100);
  const count = await conn.read(buffer);
  return [count, await conn.read(buffer), await conn.read(buffer)];
};
WEB_CASES["Deno.connect() ends one direction, and reads on"] = async (stage) => {
  const conn = await connectDeno(stage, async (end) => {
    const bytes: Uint8Array[] = [];
    const buffer = new Uint8Array(100);
    for (let n = await end.read(buffer); n !== null; n = await end.read(buffer)) {
      bytes.push(buffer.slice(0, n));
    }
    await end.write(utf8(`${bytes.length > 0}`));
    end.close();
  });
  using _ = conn;
  await conn.write(utf8("x"));
  await conn.closeWrite();
  const buffer = new Uint8Array(100);
  return new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
};
WEB_CASES["streams of Deno.Conn echo a megabyte"] = async (stage) => {
  const conn = await connectDeno(stage, (end) => end.readable.pipeTo(end.writable));
  const sent = new Uint8Array(1_000_000).fill(7);
  const sending = conn.write(sent).then(async (first) => {
    for (let at = first; at < sent.length;) at += await conn.write(sent.subarray(at));
    await conn.closeWrite();
  });
  let size = 0;
  for await (const bytes of conn.readable) size += bytes.length;
  await sending;
  return size;
};
WEB_CASES["Deno.connect() finds nobody at a port"] = async (stage) => {
  const listener = await stage.onServer(() => Deno.listen({ hostname: HOSTNAME, port: 0 }));
  const { port } = listener.addr;
  listener.close();
  return await Deno.connect({ hostname: stage.host, port }).then(() => "none", (error) => {
    return [error.name, error instanceof Deno.errors.ConnectionRefused];
  });
};
WEB_CASES["a Deno.Conn that is closed cannot be used"] = async (stage) => {
  const conn = await connectDeno(stage, () => new Promise(() => {}));
  conn.close();
  return [
    await conn.read(new Uint8Array(1)).then(() => "none", (error) => error.name),
    await conn.write(new Uint8Array(1)).then(() => "none", (error) => error.name),
  ];
};
WEB_CASES["Deno.listen() refuses a port that is taken"] = async (stage) => {
  const listener = await stage.onServer(() => Deno.listen({ hostname: HOSTNAME, port: 0 }));
  stage.after(() => listener.close());
  return await stage.onServer(() => {
    try {
      Deno.listen({ hostname: HOSTNAME, port: listener.addr.port });
    } catch (error) {
      return (error as Error).name;
    }
    return "none";
  });
};
WEB_CASES["Deno.serve() refuses a port that is taken"] = async (stage) => {
  const listener = await stage.onServer(() => Deno.listen({ hostname: HOSTNAME, port: 0 }));
  stage.after(() => listener.close());
  return await stage.onServer(() => {
    try {
      Deno.serve({ hostname: HOSTNAME, port: listener.addr.port, onListen: () => {} }, FAILED);
    } catch (error) {
      return (error as Error).name;
    }
    return "none";
  });
};
