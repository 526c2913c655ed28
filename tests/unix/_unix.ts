import { newEventLoop } from "../../mod.ts";
import type { Backend } from "../transports/_backend.ts";

/** Real Unix sockets. */
export const unix: Backend<Deno.UnixAddr> = {
  name: "Unix",
  capacity: 4 * 1024 * 1024,
  createLoop: () => newEventLoop(),
  serve: (loop, factory, options) =>
    loop.createUnixServer(factory, { path: freshPath(), ...options }),
  connect: (loop, address, factory) => loop.createUnixConnection(factory, { path: address.path }),
};

/** Returns a path that nothing is at. */
export function freshPath(): string {
  return `/tmp/gyre-${crypto.randomUUID()}.sock`;
}
