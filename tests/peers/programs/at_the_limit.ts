// What open_files_test.ts runs with few descriptors: prints a line for each thing that was tried.
import { setImmediate } from "node:timers";
import {
  type CreateServerOptions,
  type Future,
  getRunningLoop,
  openConnection,
  openUnixConnection,
  run,
  type Server,
  startServer,
  startUnixServer,
  type StreamReader,
  type StreamWriter,
} from "../../../mod.ts";
import { certificate, trusting } from "../../transports/_tls.ts";

type Streams = [StreamReader, StreamWriter];

/** Opens listeners until no more can be opened. */
function fill(): Deno.Listener[] {
  const opened: Deno.Listener[] = [];
  for (;;) {
    try {
      opened.push(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    } catch {
      return opened;
    }
  }
}

/** Resolved when a connection was served and is closed. */
let served = Promise.withResolvers<void>();

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  {
    await using output = writer;
    output.write(await reader.readLine());
  }
  served.resolve();
}

async function exchange([reader, writer]: Streams): Promise<string> {
  await using output = writer;
  output.write(new TextEncoder().encode("hello\n"));
  return new TextDecoder().decode(await reader.readLine()).trim();
}

/** Lets a client come to a server that cannot accept it, until that is reported; then it can. */
async function recover(name: string, server: Server, connect: () => Future<Streams>) {
  const loop = getRunningLoop();
  served = Promise.withResolvers();
  await exchange(await connect());
  await served.promise;
  const reported = loop.createFuture<string>();
  loop.setExceptionHandler((_loop, context) => {
    loop.defaultExceptionHandler(context);
    if (!reported.done()) reported.setResult((context.exception as { code: string }).code);
  });
  const opened = fill();
  opened.pop()?.close();
  const connecting = connect();
  const code = await reported;
  for (const listener of opened) listener.close();
  loop.setExceptionHandler(null);
  console.log(`${name}: ${code}, ${await exchange(await connecting)}`);
  server.close();
  server.abortClients();
  await server.waitClosed();
}

const tcp = (options: CreateServerOptions) =>
  startServer(echo, { hostname: "127.0.0.1", ...options });
const portOf = (server: Server<Deno.NetAddr>) => server.address.port;

await run(async () => {
  const loop = getRunningLoop();
  const path = `/tmp/gyre-${crypto.randomUUID()}.sock`;
  const local = { hostname: "127.0.0.1", port: 0 };

  const plain = await tcp({});
  await recover("TCP", plain, () => openConnection({ port: portOf(plain) }));
  const shared = await tcp({ reusePort: true });
  await recover("a shared port", shared, () => openConnection({ port: portOf(shared) }));
  const secure = await tcp({ tls: certificate("server") });
  const port = portOf(secure);
  await recover("TLS", secure, () => openConnection({ port, tls: trusting }));
  const unix = await startUnixServer(echo, { path });
  await recover("Unix", unix, () => openUnixConnection({ path }));

  const target = await tcp({});
  const to = portOf(target);
  const calls: Record<string, () => Future<unknown>> = {
    getaddrinfo: () => loop.getaddrinfo("localhost", 80),
    getnameinfo: () => loop.getnameinfo({ hostname: "127.0.0.1", port: 80 }),
    openConnection: () => openConnection({ port: to }),
    "openConnection, a name": () => openConnection({ hostname: "localhost", port: to }),
    "openConnection, resolved": () =>
      openConnection({ hostname: "localhost", port: to, family: "ipv4" }),
    "openConnection, localAddress": () => openConnection({ port: to, localAddress: local }),
    "openConnection, tls": () => openConnection({ port: to, tls: trusting }),
    openUnixConnection: () => openUnixConnection({ path }),
    startServer: () => tcp({}),
    "startServer, a name": () => tcp({ hostname: "localhost" }),
    "startServer, reusePort": () => tcp({ reusePort: true }),
    startUnixServer: () => startUnixServer(echo, { path }),
  };
  // What a call loads when it is first made is loaded before.
  await calls["getaddrinfo"]?.();
  (await tcp({ reusePort: true })).close();
  const [reader, writer] = await openConnection({ port: to, localAddress: local });
  await exchange([reader, writer]);
  const opened = fill();
  // What is closed meanwhile makes room.
  for (let turns = 0; turns < 50; turns += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    opened.push(...fill());
  }
  const outcomes: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    const error = await call().then(() => null, (error) => error as Error & { code?: string });
    console.error(name, error);
    outcomes.push(`${name}: ${error?.code}, ${error?.message}`);
  }
  for (const listener of opened) listener.close();
  console.log(outcomes.join("\n"));
  target.close();
  target.abortClients();
});
Deno.exit();
