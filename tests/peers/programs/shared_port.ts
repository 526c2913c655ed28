// A worker that serves a port together with others, and says how many connections it has got.
import { DenoEventLoop } from "../../../mod.ts";

/** What a worker sees of itworker. */
const worker = globalThis as unknown as {
  onmessage: (event: MessageEvent<number>) => void;
  postMessage(message: number): void;
};
const loop = new DenoEventLoop();
let count = 0;

worker.onmessage = ({ data: port }) => {
  loop.runUntilComplete(function* () {
    const server = yield* loop.createServer(() => ({
      connectionMade(transport) {
        count += 1;
        transport.close();
      },
    }), { hostname: "127.0.0.1", port, reusePort: true });
    const stopped = loop.createFuture<void>();
    worker.onmessage = () => stopped.setResult();
    worker.postMessage(server.address.port);
    yield* stopped;
    server.close();
    yield* server.waitClosed();
    loop.callSoon(() => worker.postMessage(count));
  });
};
