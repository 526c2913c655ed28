import type { Coroutine, DenoEventLoop } from "../../mod.ts";
import { newNativeEventLoop, type Socket } from "../../transports/native/mod.ts";

/** Runs `main` on a native loop, and closes the sockets that it has asked to keep until then. */
export function testNative(
  name: string,
  main: (loop: DenoEventLoop, keep: <S extends Socket>(sock: S) => S) => Coroutine<void>,
): void {
  Deno.test(name, async () => {
    const sockets: Socket[] = [];
    const loop = newNativeEventLoop();
    try {
      await loop.runUntilComplete(main(loop, (sock) => (sockets.push(sock), sock)));
    } finally {
      loop.close();
      for (const sock of sockets) sock.close();
    }
  });
}
