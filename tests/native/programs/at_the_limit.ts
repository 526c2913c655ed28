/**
 * Runs out of descriptors, in the first look at one, in accepting, connecting and opening, and goes on when there are some again.
 *
 * @module
 */
import { getRunningLoop, run, sleep } from "../../../mod.ts";
import {
  newNativeEventLoop,
  type Socket,
  socket,
  socketpair,
} from "../../../transports/native/mod.ts";

/** The most descriptors that a loop needs to wait for one. */
const MOST_NEEDED = 4;

/** Opens sockets until the system refuses. */
function takeAll(): Socket[] {
  const taken: Socket[] = [];
  try {
    for (;;) taken.push(socket());
  } catch {
    return taken;
  }
}

/** Waits on a new loop until a socket can be read; gives what came of it. */
async function receive(): Promise<string> {
  const loop = newNativeEventLoop();
  try {
    return await loop.runUntilComplete(async () => {
      const received = loop.sockRecv(ours, 8);
      loop.callLater(0.001, () => void loop.sockSendall(theirs, new Uint8Array(1)));
      return `${(await received).length} byte`;
    });
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    loop.close();
  }
}

const [ours, theirs] = socketpair();
await receive(); // loads what is loaded at first use
const filler = takeAll();
const outcomes: string[] = [];
for (let free = 0; free <= MOST_NEEDED; free += 1) {
  for (let attempt = 0; attempt < 10; attempt += 1) outcomes.push(await receive());
  filler.pop()?.close();
}
console.log("first use", [...new Set(outcomes)].join(", then "));
const most = filler.length + MOST_NEEDED + 1;
for (const sock of filler) sock.close();
const again = takeAll();
for (const sock of [...again, ours, theirs]) sock.close();
// Deno itself opens and closes one now and then.
console.log("leaked", most - again.length > 5);

await run(async () => {
  const loop = getRunningLoop();
  const reports: string[] = [];
  loop.setExceptionHandler((_loop, { exception }) => {
    reports.push((exception as { code?: string }).code ?? String(exception));
  });
  const accepted = loop.createFuture<void>();
  const server = await loop.createServer(() => ({ connectionMade: () => accepted.setResult() }), {
    hostname: "127.0.0.1",
  });
  const address = { hostname: "127.0.0.1", port: server.address.port };
  const client = socket();
  const taken = takeAll();
  try {
    socket();
  } catch (error) {
    console.log("socket()", (error as { code?: string }).code);
  }
  await loop.sockConnect(client, address);
  const connecting = loop.createConnection(() => ({}), address).then(
    () => "connected",
    (error) => error,
  );
  console.log("connect", ((await connecting) as { code?: string }).code);
  while (reports.length === 0) await sleep(0.01);
  console.log("accept", reports[0]);
  for (const sock of taken) sock.close();
  await accepted;
  console.log("then accepted, after", reports.length, "report");
  client.close();
  server.close();
  server.abortClients();
  await server.waitClosed();
}, { loopFactory: newNativeEventLoop });
