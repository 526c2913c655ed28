import { newEventLoop } from "../../mod.ts";
import type { Backend } from "./_backend.ts";

/** Real TCP over the sockets of Node: a local address, and a port that is shared. */
export const nodeTcp: Backend<Deno.NetAddr> = {
  name: "TCP over Node's sockets",
  capacity: 24 * 1024 * 1024,
  createLoop: () => newEventLoop(),
  serve: (loop, factory, options) =>
    loop.createServer(factory, { hostname: "127.0.0.1", reusePort: true, ...options }),
  connect: (loop, address, factory) =>
    loop.createConnection(factory, {
      port: address.port,
      localAddress: { hostname: "127.0.0.1", port: 0 },
    }),
};
