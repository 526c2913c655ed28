// Our side of crowd_test.ts: serves lines until a signal comes, and says how that ended.
import {
  CancelledError,
  runMain,
  startServer,
  startUnixServer,
  type StreamReader,
  type StreamWriter,
} from "../../../mod.ts";

const [kind, path = "", certificates = ""] = Deno.args;
/** More bytes than a connection takes whose other end does not read. */
const FLOOD = 16 * 1024 * 1024;

let cancelled = 0;

async function serve(reader: StreamReader, writer: StreamWriter): Promise<void> {
  try {
    for await (const line of reader) {
      writer.write(line[0] === 0x2e ? new Uint8Array(FLOOD) : line);
      await writer.drain();
    }
  } catch (error) {
    if (error instanceof CancelledError) cancelled += 1;
    writer.write(new TextEncoder().encode("bye\n"));
    throw error;
  }
}

function start() {
  if (kind === "unix") return startUnixServer(serve, { path });
  const place = { hostname: "127.0.0.1", backlog: 1000 };
  if (kind === "tcp") return startServer(serve, place);
  const read = (name: string) => Deno.readTextFileSync(`${certificates}/${name}`);
  return startServer(serve, {
    ...place,
    tls: { cert: read("server.pem"), key: read("server.key") },
  });
}

await runMain(async () => {
  const server = await start();
  console.log("listening", "port" in server.address ? server.address.port : path);
  let signalled = 0;
  Deno.addSignalListener("SIGTERM", () => signalled = performance.now());
  try {
    await server.serveForever({ grace: 1 });
  } finally {
    console.log(cancelled, ((performance.now() - signalled) / 1000).toFixed(3));
  }
});
