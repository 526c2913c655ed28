// Deno's own telemetry, in a real process: requests made in tasks belong to the trace of their caller.
import { assertEquals } from "@std/assert";

const PACKAGE = new URL("../../mod.ts", import.meta.url).href;

/** Requests come in outside of the loop, each with a span of its own; the loop asks on. */
const PROGRAM = `
  import { createTask, newEventLoop, taskGroup } from "${PACKAGE}";
  const traces = new Map();
  const ask = async (path) =>
    void await (await fetch("http://127.0.0.1:" + server.addr.port + path)).text();
  const loop = newEventLoop();
  const running = loop.runForever();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    traces.set(pathname, request.headers.get("traceparent")?.split("-")[1]);
    if (pathname === "/outer") {
      await createTask(() => ask("/task"), { loop });
      await createTask(function* () {
        yield* taskGroup((group) => void group.createTask(() => ask("/child")));
      }, { loop });
      await new Promise((resolve) => loop.callLater(0.001, () => resolve(ask("/timer"))));
    }
    return new Response("");
  });
  await ask("/outer");
  const outer = traces.get("/outer");
  for (const [path, trace] of traces) console.log(path, trace !== undefined && trace === outer);
  loop.stop();
  await running;
  Deno.exit();
`;

Deno.test("a request in a task, a group or a timer has the trace of who created it", async () => {
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-check", "--allow-net=127.0.0.1", "-"],
    env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    // A process that does not end by itself fails its test, and does not stay.
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM));
  await writer.close();
  const { stdout } = await child.output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "/outer true\n/task true\n/child true\n/timer true\n",
  );
});

/** Makes a span, "outer", and in it one in each way to go on that a loop has. */
const SPANS = `
  import {
    createTask, gather, getRunningLoop, openConnection, Protocol, run, sleep, startServer, taskGroup, toThread,
  } from "${PACKAGE}";
  const tracer = Deno.telemetry.tracerProvider.getTracer("test");
  const within = (name, work) => tracer.startActiveSpan(name, async (span) => {
    await work();
    span.end();
  });
  const leaf = (name) => within(name, () => sleep(0));
  await run(() => within("outer", async () => {
    const loop = getRunningLoop();
    await createTask(async () => {
      await sleep(0);
      await createTask(function* () {
        yield* sleep(0);
        yield* taskGroup((group) => void group.createTask(() => leaf("three tasks deep")));
      });
    });
    await gather([() => leaf("gather")]);
    await new Promise((resolve) => loop.callLater(0.001, () => resolve(leaf("timer"))));
    await toThread(() => 1);
    await leaf("behind a job");
    const server = await startServer(async (reader, writer) => {
      await leaf("handler");
      writer.write(await reader.readLine());
      writer.close();
    }, { hostname: "127.0.0.1" });
    const lost = Promise.withResolvers();
    const [transport] = await loop.createConnection(() => ({
      dataReceived: () => leaf("dataReceived"),
      connectionLost: () => lost.resolve(leaf("connectionLost")),
    }), { port: server.address.port });
    transport.write(new TextEncoder().encode("line\\n"));
    await lost.promise;
    server.close();
    await server.waitClosed();
  }));
`;

/** As much of what a collector is sent as is looked at here. */
interface Traces {
  resourceSpans: {
    scopeSpans: { spans: { name: string; spanId: string; parentSpanId: string }[] }[];
  }[];
}

Deno.test("a span three tasks deep, and wherever else a loop goes on, has the right parent", async () => {
  const parents = new Map<string, string>();
  let outer = "";
  await using collector = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { resourceSpans = [] }: Partial<Traces> = await request.json();
      for (const { scopeSpans } of resourceSpans) {
        for (const { name, spanId, parentSpanId } of scopeSpans.flatMap(({ spans }) => spans)) {
          if (name === "outer") outer = spanId;
          else parents.set(name, parentSpanId);
        }
      }
      return Response.json({});
    },
  );
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-check", "--allow-net=127.0.0.1", "-"],
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    },
    stdin: "piped",
    stderr: "inherit",
    // A process that does not end by itself fails its test, and does not stay.
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(SPANS));
  await writer.close();
  assertEquals((await child.status).code, 0);
  const names = [
    "three tasks deep",
    "gather",
    "timer",
    "behind a job",
    "handler",
    "dataReceived",
    "connectionLost",
  ];
  assertEquals([...parents].toSorted(), names.map((name) => [name, outer]).toSorted());
});
