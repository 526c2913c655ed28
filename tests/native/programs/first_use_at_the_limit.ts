/**
 * Runs a loop that has to make what it waits with, with no descriptor left, with one, and so on.
 *
 * @module
 */
import {
  newNativeEventLoop,
  type Socket,
  socket,
  socketpair,
} from "../../../transports/native/mod.ts";

/** The most descriptors that a loop needs to wait for one. */
const MOST_NEEDED = 4;

/** Opens sockets until the system refuses. */
function takeAll(): Socket[] {
  const taken: Socket[] = [];
  try {
    for (;;) taken.push(socket());
  } catch {
    return taken;
  }
}

/** Waits on a new loop until a socket can be read; gives what came of it. */
async function receive(): Promise<string> {
  const loop = newNativeEventLoop();
  try {
    return await loop.runUntilComplete(async () => {
      const received = loop.sockRecv(ours, 8);
      loop.callLater(0.001, () => void loop.sockSendall(theirs, new Uint8Array(1)));
      return `${(await received).length} byte`;
    });
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    loop.close();
  }
}

// Half a second after its start Deno listens to a signal, which makes a descriptor ready unless it is
// there, and panics when none is left.
const ignore = () => {};
Deno.addSignalListener("SIGINT", ignore);
Deno.removeSignalListener("SIGINT", ignore);

const [ours, theirs] = socketpair();
await receive(); // loads what is loaded at first use
const filler = takeAll();
const outcomes: string[] = [];
for (let free = 0; free <= MOST_NEEDED; free += 1) {
  for (let attempt = 0; attempt < 10; attempt += 1) outcomes.push(await receive());
  filler.pop()?.close();
}
console.log([...new Set(outcomes)].join(", then "));
const most = filler.length + MOST_NEEDED + 1;
for (const sock of filler) sock.close();
const again = takeAll();
for (const sock of [...again, ours, theirs]) sock.close();
// Deno itself opens and closes one now and then.
console.log("leaked", most - again.length > 5);
