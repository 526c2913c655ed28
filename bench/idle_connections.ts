/**
 * What idle connections cost a server: memory, and work while nothing happens:
 * `deno run --allow-net=127.0.0.1 --allow-run=deno bench/idle_connections.ts [count]`.
 *
 * The clients are in a process of their own. Each sends a byte and waits for it to come back, so
 * every connection was served before it is idle.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { DenoEventLoop, type ProtocolLike, sleep, type Transport } from "../mod.ts";
import { filePath } from "../loop/platform/deno_system.ts";

/** Seconds in which nothing happens. */
const IDLE_TIME = 2;

const loop = new DenoEventLoop();

/** Sends back what comes. */
function createEcho(): ProtocolLike {
  let echo: Transport;
  return {
    connectionMade: (transport) => void (echo = transport),
    dataReceived: (data) => echo.write(data),
  };
}

/** Serves `count` connections of another process, and prints what they cost. */
async function measure(count: number): Promise<void> {
  const server = await loop.createServer(createEcho, { hostname: "127.0.0.1", backlog: 1000 });
  const { port } = server.address;
  const rssBefore = Deno.memoryUsage().rss;
  const start = loop.time();
  const clients = startClients(port, count);
  const output = clients.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const served = Number((await output.read()).value);
  const seconds = loop.time() - start;
  const kibibytes = (Deno.memoryUsage().rss - rssBefore) / 1024;

  const usageBefore = cpuUsage();
  await sleep(IDLE_TIME);
  const usage = cpuUsage(usageBefore);
  await clients.stdin.close();
  await output.read();
  await clients.status;
  server.close();
  await server.waitClosed();
  console.log(`${served} of ${count} connections served within ${seconds.toFixed(1)} s`);
  console.log(`${(kibibytes / count).toFixed(1)} KiB of memory for each that is idle`);
  console.log(`${(usage.user + usage.system) / 1000 / IDLE_TIME} ms of CPU time in an idle second`);
}

function startClients(port: number, count: number): Deno.ChildProcess {
  const program = filePath(new URL(import.meta.url));
  return new Deno.Command("deno", {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", program, "clients", `${port}`, `${count}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

/** Connects `count` times, says when every byte has come back, and stays until its input ends. */
async function connect(port: number, count: number): Promise<void> {
  let served = 0;
  const done = loop.createFuture<void>();
  const protocol: ProtocolLike = {
    dataReceived() {
      served += 1;
      if (served === count) done.setResult();
    },
  };
  for (let index = 0; index < count; index += 1) {
    const [transport] = await loop.createConnection(() => protocol, { port });
    transport.write(new Uint8Array(1));
  }
  await done;
  console.log(served);
  await new Response(Deno.stdin.readable).text();
}

const [mode = "10000", ...numbers] = Deno.args;
const [port = 0, count = 0] = numbers.map(Number);
await loop.runUntilComplete(() =>
  mode === "clients" ? connect(port, count) : measure(Number(mode))
);
loop.close();
