import { assert, assertEquals } from "@std/assert";
import { DenoEventLoop, type ProtocolLike } from "../../mod.ts";
import { connectReadPipe, connectWritePipe } from "../../transports/mod.ts";
import { spoil } from "../transports/_odd_protocol_suite.ts";
import { ODD_VALUES } from "../transports/_odd_values.ts";
import { createMemoryPipe } from "./_memory_pipe.ts";

const READING = ["connectionMade", "dataReceived", "getBuffer", "bufferUpdated", "eofReceived"];
const WRITING = ["connectionMade", "pauseWriting", "resumeWriting", "connectionLost"];

/** Moves bytes through a pipe whose one end has a protocol with a spoiled `method`. */
async function meet(side: "reads" | "writes", method: string, odd: () => unknown) {
  const loop = new DenoEventLoop();
  const reports: unknown[] = [];
  loop.setExceptionHandler((_loop, { exception }) => void reports.push(exception));
  let lost = 0;
  await loop.runUntilComplete(async () => {
    const pipe = createMemoryPipe();
    const over = loop.createFuture<void>();
    const called = loop.createFuture<void>();
    const protocol: ProtocolLike = {
      connectionLost() {
        lost += 1;
        if (!over.done()) over.setResult();
      },
    };
    if (method === "getBuffer" || method === "bufferUpdated") {
      protocol.getBuffer = () => new Uint8Array(16);
      protocol.bufferUpdated = () => {};
    }
    spoil(protocol, method as "dataReceived", odd, called);
    if (side === "reads") {
      const writer = pipe.writable.getWriter();
      const [transport] = await connectReadPipe(loop, () => protocol, pipe.readable);
      await writer.write(new Uint8Array(9));
      if (method === "eofReceived") await writer.close();
      await called;
      transport.close();
      await over;
      await writer.abort().catch(() => {});
    } else {
      const [transport] = await connectWritePipe(loop, () => protocol, pipe.writable);
      transport.setWriteBufferLimits({ high: 0 });
      transport.write(new Uint8Array(9));
      const read = pipe.readable.getReader();
      await read.read();
      if (method === "connectionLost") transport.close();
      await called;
      transport.abort();
      await over;
      await read.cancel().catch(() => {});
    }
  });
  loop.close();
  return { lost, reports };
}

for (const [side, methods] of [["reads", READING], ["writes", WRITING]] as const) {
  for (const method of methods) {
    Deno.test(`a protocol that ${side} a pipe and whose ${method}() throws is reported once`, async () => {
      for (const [what, make] of Object.entries(ODD_VALUES)) {
        const value = make();
        const { lost, reports } = await meet(side, method, () => {
          throw value;
        });
        assertEquals(reports.length, 1, what);
        assert(Object.is(reports[0], value), what);
        assertEquals(lost, 1, what);
      }
    });
  }
}
