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
