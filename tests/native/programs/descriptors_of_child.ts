/**
 * Opens what the native backend opens, and prints which descriptors a child has that it did not have before.
 *
 * @module
 */
import { createSubprocessShell, getRunningLoop, run } from "../../../mod.ts";
import { newNativeEventLoop, socket, socketpair } from "../../../transports/native/mod.ts";

/** Starts a child; gives the descriptors that it has. */
async function descriptorsOfChild(): Promise<number[]> {
  const child = await createSubprocessShell("echo /proc/$$/fd/*", { stdout: "piped" });
  const [output] = await child.communicate();
  return new TextDecoder().decode(output).trim().split(" ")
    .map((path) => Number(path.split("/").at(-1)));
}

await run(async () => {
  const loop = getRunningLoop();
  const before = await descriptorsOfChild();
  const server = await loop.createServer(() => ({}), { hostname: "127.0.0.1" });
  await loop.createConnection(() => ({}), { port: server.address.port });
  await loop.createDatagramEndpoint(() => ({}), {
    localAddress: { hostname: "127.0.0.1", port: 0 },
  });
  const sockets = [socket(), ...socketpair()];
  const after = await descriptorsOfChild();
  console.log(before.length > 2, after.filter((descriptor) => !before.includes(descriptor)));
  for (const sock of sockets) sock.close();
  server.close();
  server.abortClients();
  await server.waitClosed();
}, { loopFactory: newNativeEventLoop });
