import { newEventLoop } from "../../mod.ts";
import type { Backend } from "./_backend.ts";

/** Real TCP on the loopback interface. */
export const tcp: Backend<Deno.NetAddr> = {
  name: "TCP",
  capacity: 24 * 1024 * 1024,
  createLoop: () => newEventLoop(),
  serve: (loop, factory, options) =>
    loop.createServer(factory, { hostname: "127.0.0.1", ...options }),
  connect: (loop, address, factory) => loop.createConnection(factory, { port: address.port }),
};
