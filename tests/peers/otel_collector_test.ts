// Figures and spans of a program that runs with OTEL_DENO=true, as they come to a collector.
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url).href;

const PROGRAM = `
  import { metrics, trace } from "npm:@opentelemetry/api@1";
  import { createTask, getRunningLoop, openConnection, run, sleep, startServer } from "${ROOT}mod.ts";
  import { instrument } from "${ROOT}inspector/telemetry.ts";
  await run(async () => {
    using _ = instrument(getRunningLoop(), {
      meter: metrics.getMeter("test"),
      tracer: trace.getTracer("test"),
    });
    const server = await startServer(async (reader) => void await reader.read(), { hostname: "127.0.0.1" });
    const [, writer] = await openConnection({ hostname: "127.0.0.1", port: server.address.port });
    writer.write(new Uint8Array(1000));
    await createTask(async () => {
      await createTask(() => sleep(0.01), { name: "child" });
      await createTask(() => { throw new RangeError("secret"); }, { name: "failing" }).catch(() => {});
    }, { name: "parent" });
    await sleep(2);
    writer.close();
    await server.shutdown({ grace: 0 });
  });
`;

interface Span {
  name: string;
  spanId: string;
  parentSpanId?: string;
  traceId: string;
  status?: { code?: number; message?: string };
}

/** Gathers what comes as JSON until the program has ended. */
async function collect(): Promise<{ spans: Span[]; metrics: Set<string>; text: string }> {
  const spans: Span[] = [];
  const metrics = new Set<string>();
  let text = "";
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = await request.text();
      text += body;
      const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(body);
      for (const { scopeSpans } of resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      for (const { scopeMetrics } of resourceMetrics) {
        for (const scope of scopeMetrics) {
          for (const { name } of scope.metrics) metrics.add(name);
        }
      }
      return Response.json({});
    },
  );
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-check", "--no-lock", "--allow-net=127.0.0.1", "-"],
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "300",
    },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM));
  await writer.close();
  const { success, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  return { spans, metrics, text };
}

Deno.test("instrument() sends figures of the loop and spans of its tasks to a collector", async () => {
  const { spans, metrics, text } = await collect();
  for (const name of ["tasks", "ready", "timers", "timer.lag", "connections", "bytes"]) {
    assert(metrics.has(`asyncio.${name}`), `There is no asyncio.${name} in ${[...metrics]}`);
  }
  const find = (name: string) => spans.find((span) => span.name === name);
  const [parent, child, failing] = ["parent", "child", "failing"].map(find);
  assert(parent !== undefined && child !== undefined && failing !== undefined);
  assertEquals([child.parentSpanId, failing.parentSpanId], [parent.spanId, parent.spanId]);
  assertEquals(child.traceId, parent.traceId);
  assertEquals([failing.status?.code, failing.status?.message], [2, "RangeError"]);
  assert(!text.includes("secret"));
});

Deno.test("the package loads nothing of OpenTelemetry by itself", async () => {
  const { stdout } = await new Deno.Command("deno", {
    args: ["info", "--json", "inspector/telemetry.ts"],
  }).output();
  // `npmPackages` beside it lists what the lock file knows, which the doc examples fill.
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const names = modules.map(({ specifier }: { specifier: string }) => specifier);
  assert(names.length > 0);
  assertEquals(names.filter((name: string) => name.includes("opentelemetry")), []);
});
