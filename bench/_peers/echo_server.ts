/**
 * Echo servers on this package for bench/peers.ts: prints the port, then echoes until killed.
 *
 * Usage: echo_server.ts [native] protocol|busy|buffered|streams|coroutine|tls|datagram [cert key]
 *
 * @module
 */
import {
  type Coroutine,
  createTask,
  DatagramProtocol,
  type DatagramTransport,
  Event,
  getRunningLoop,
  run,
  type Server,
  setEventLoopPolicy,
  sleep,
  type SocketAddress,
  startServer,
  type StreamReader,
  type StreamWriter,
  type Transport,
} from "@gyre/asyncio";

const isNative = Deno.args[0] === "native";
const args = isNative ? Deno.args.slice(1) : Deno.args;
if (isNative) {
  await import("@gyre/asyncio/native");
  setEventLoopPolicy("native");
}

class Echo {
  transport: Transport | null = null;

  connectionMade(transport: Transport): void {
    this.transport = transport;
  }

  dataReceived(data: Uint8Array): void {
    this.transport?.write(data);
  }
}

/** One buffer to read and to write: nothing more is read until what was read has gone out. */
class BufferedEcho {
  readonly #buffer: Uint8Array = new Uint8Array(256 * 1024);
  transport: Transport | null = null;

  connectionMade(transport: Transport): void {
    this.transport = transport;
    transport.setWriteBufferLimits({ high: 0 });
  }

  pauseWriting(): void {
    this.transport?.pauseReading();
  }

  resumeWriting(): void {
    this.transport?.resumeReading();
  }

  getBuffer(): Uint8Array {
    return this.#buffer;
  }

  bufferUpdated(count: number): void {
    this.transport?.write(this.#buffer.subarray(0, count));
  }
}

async function echoStream(reader: StreamReader, writer: StreamWriter): Promise<void> {
  for (;;) {
    const data = await reader.read(256 * 1024);
    if (data.length === 0) break;
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

function* echoStreamInCoroutine(reader: StreamReader, writer: StreamWriter): Coroutine<void> {
  for (;;) {
    const data = yield* reader.read(256 * 1024);
    if (data.length === 0) break;
    writer.write(data);
    yield* writer.drain();
  }
  writer.close();
}

async function listen(kind: string): Promise<Server<Deno.NetAddr>> {
  const where = { hostname: "127.0.0.1", port: 0, backlog: 2000 };
  const options = { ...where, limit: 256 * 1024 };
  if (kind === "streams") return await startServer(echoStream, options);
  if (kind === "coroutine") return await startServer(echoStreamInCoroutine, options);
  const loop = getRunningLoop();
  if (kind === "tls") {
    const [cert, key] = args.slice(1).map((path) => Deno.readTextFileSync(path));
    return await loop.createServer(() => new Echo(), { ...where, tls: { cert, key } });
  }
  return await loop.createServer(
    () => kind === "buffered" ? new BufferedEcho() : new Echo(),
    where,
  );
}

class DatagramEcho extends DatagramProtocol {
  #transport: DatagramTransport | null = null;

  override connectionMade(transport: DatagramTransport): void {
    this.#transport = transport;
  }

  override datagramReceived(data: Uint8Array, address: SocketAddress): void {
    this.#transport?.sendto(data, address);
  }
}

function* neverSleep(): Coroutine<void> {
  for (;;) yield* sleep(0);
}

await run(async () => {
  if (args[0] === "datagram") {
    const localAddress = { hostname: "127.0.0.1", port: 0 };
    const loop = getRunningLoop();
    const [transport] = await loop.createDatagramEndpoint(() => new DatagramEcho(), {
      localAddress,
    });
    console.log(transport.getExtraInfo("sockname")?.port);
    await new Event().wait();
  }
  const server = await listen(args[0] ?? "protocol");
  const busyTasks = args[0] === "busy" ? 20 : 0;
  for (let index = 0; index < busyTasks; index += 1) createTask(neverSleep());
  console.log(server.address.port);
  await server.serveForever();
});
