// The main features, once each, as a program on any version of Deno: it prints what each gave.
import {
  CancelledError,
  createSubprocessExec,
  createTask,
  type DatagramTransport,
  getRunningLoop,
  openConnection,
  Queue,
  run,
  sleep,
  type SocketAddress,
  startServer,
  type StreamReader,
  type StreamWriter,
  taskGroup,
  timeout,
  TimeoutError,
  toThread,
} from "../../../mod.ts";
import { simulate } from "../../../simulation/mod.ts";

const certificates = new URL("../../transports/certificates/", import.meta.url);
const readCertificate = (name: string) => Deno.readTextFile(new URL(name, certificates));
const text = new TextDecoder();

async function tasks(): Promise<string> {
  const task = createTask(() => sleep(3600));
  await sleep(0);
  task.cancel();
  const ended = await task.catch((error) => error instanceof CancelledError);
  const late = await timeout(0.001, () => sleep(3600)).catch((error) => error);
  const queue = new Queue<number>();
  await taskGroup((group) => {
    group.createTask(() => queue.put(1));
    group.createTask(() => queue.get());
  });
  return `${ended} ${late instanceof TimeoutError} ${queue.size}`;
}

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  for await (const line of reader) {
    output.write(line);
    await output.drain();
  }
}

async function streams(isTls: boolean): Promise<string> {
  const cert = await readCertificate("server.pem");
  const key = await readCertificate("server.key");
  const caCerts = [await readCertificate("authority.pem")];
  await using server = await startServer(echo, {
    hostname: "127.0.0.1",
    port: 0,
    ...isTls ? { tls: { cert, key } } : {},
  });
  const { port } = server.address;
  const [reader, writer] = await openConnection({
    hostname: isTls ? "localhost" : "127.0.0.1",
    port,
    ...isTls ? { tls: { caCerts } } : {},
  });
  await using output = writer;
  const sent = new TextEncoder().encode(`${"x".repeat(999)}\n`.repeat(200));
  output.write(sent);
  if (output.canWriteEof()) output.writeEof();
  return String((await reader.readExactly(sent.length)).length);
}

async function datagrams(): Promise<string> {
  const loop = getRunningLoop();
  const answer = loop.createFuture<string>();
  let echoes: DatagramTransport;
  const [server] = await loop.createDatagramEndpoint(() => ({
    connectionMade: (transport: DatagramTransport) => void (echoes = transport),
    datagramReceived: (bytes: Uint8Array, address: SocketAddress) => echoes.sendto(bytes, address),
  }), { localAddress: { hostname: "127.0.0.1", port: 0 } });
  const [client] = await loop.createDatagramEndpoint(() => ({
    datagramReceived: (bytes: Uint8Array) => answer.setResult(text.decode(bytes)),
  }), { remoteAddress: server.getExtraInfo("sockname") });
  client.sendto(new TextEncoder().encode("datagram"));
  try {
    return await answer;
  } finally {
    client.close();
    server.close();
  }
}

async function child(): Promise<string> {
  await using process = await createSubprocessExec("cat", { stdin: "piped", stdout: "piped" });
  const [output] = await process.communicate(new TextEncoder().encode("through cat"));
  return `${text.decode(output ?? undefined)} ${process.returncode}`;
}

const features: Record<string, () => Promise<unknown>> = {
  tasks,
  tcp: () => streams(false),
  tls: () => streams(true),
  datagrams,
  child,
  thread: async () => await toThread((a: number, b: number) => a + b, 40, 2),
  simulation: async () => await simulate(() => sleep(3600, "an hour"), { seed: 1 }),
};

for (const [name, feature] of Object.entries(features)) {
  console.log(`${name}: ${await run(() => timeout(10, feature))}`);
}
