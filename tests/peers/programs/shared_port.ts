// A worker that serves a port together with others, and says how many connections it has got.
import { DenoEventLoop } from "../../../mod.ts";

const loop = new DenoEventLoop();
let count = 0;

self.onmessage = ({ data: port }: MessageEvent<number>) => {
  loop.runUntilComplete(function* () {
    const server = yield* loop.createServer(() => ({
      connectionMade(transport) {
        count += 1;
        transport.close();
      },
    }), { hostname: "127.0.0.1", port, reusePort: true });
    const stopped = loop.createFuture<void>();
    self.onmessage = () => stopped.setResult();
    self.postMessage((server.addresses[0] as Deno.NetAddr).port);
    yield* stopped;
    server.close();
    yield* server.waitClosed();
    loop.callSoon(() => self.postMessage(count));
  });
};
