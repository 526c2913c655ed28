/**
 * Hello World by callbacks: prints at once and then every two seconds, three times in all.
 *
 * deno run examples/hello_callback.ts
 *
 * Prints, two seconds apart:
 *     Hello World
 *     Hello World
 *     Hello World
 *
 * @module
 */
import { DenoEventLoop, type EventLoop } from "@gyre/asyncio";

let printed = 0;

function printAndRepeat(loop: EventLoop): void {
  console.log("Hello World");
  printed += 1;
  if (printed < 3) loop.callLater(2, printAndRepeat, loop);
  else loop.stop();
}

const loop = new DenoEventLoop();
loop.callSoon(printAndRepeat, loop);
await loop.runForever();
loop.close();
