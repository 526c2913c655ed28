/**
 * Runs out of descriptors, in accepting, connecting and opening, and goes on when there are some again.
 *
 * @module
 */
import { getRunningLoop, run, sleep } from "../../../mod.ts";
import { newNativeEventLoop, type Socket, socket } from "../../../transports/native/mod.ts";

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
  const taken: Socket[] = [];
  try {
    for (;;) taken.push(socket());
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
