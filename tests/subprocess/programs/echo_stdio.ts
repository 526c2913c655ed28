/** Writes what it reads from its stdin, as descriptors or as the host's objects. */
import { DenoEventLoop } from "../../../mod.ts";

const useDescriptors = Deno.args[0] === "descriptors";
const loop = new DenoEventLoop();
await loop.runUntilComplete(function* () {
  const ended = loop.createFuture<void>();
  const [output] = yield* loop.connectWritePipe(
    () => ({ connectionLost: () => ended.setResult() }),
    useDescriptors ? 1 : Deno.stdout,
  );
  const echo = {
    dataReceived: (data: Uint8Array) => output.write(data),
    connectionLost: () => output.close(),
  };
  yield* loop.connectReadPipe(() => echo, useDescriptors ? 0 : Deno.stdin);
  yield* ended;
});
loop.close();
