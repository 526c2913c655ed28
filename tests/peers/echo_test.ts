// Protocols against those of CPython: one side sends, ends its half of the connection, and gets
// everything back.
import { assertEquals } from "@std/assert";
import {
  BufferedProtocol,
  DenoEventLoop,
  Protocol,
  type ProtocolLike,
  type Transport,
} from "../../mod.ts";
import { minorVersion } from "../conformance/cpython.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const PEER = filePath(new URL("_echo_peer.py", import.meta.url));
const SIZES = [1, 64 * 1024, 32 * 1024 * 1024];
const hasPython = await minorVersion() > 0;

/** Sends back what it gets, no faster than the other side takes it. */
class Echo extends Protocol {
  #transport: Transport | null = null;

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  override dataReceived(data: Uint8Array): void {
    this.#transport?.write(data);
  }

  override pauseWriting(): void {
    this.#transport?.pauseReading();
  }

  override resumeWriting(): void {
    this.#transport?.resumeReading();
  }
}

/** The same from one piece of memory, which itself keeps it from reading too fast. */
class BufferedEcho extends BufferedProtocol {
  readonly #memory = new Uint8Array(64 * 1024);
  #transport: Transport | null = null;

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  override getBuffer(): Uint8Array {
    return this.#memory;
  }

  override bufferUpdated(count: number): void {
    this.#transport?.write(this.#memory.subarray(0, count));
  }
}

/** Returns `size` bytes by chance. */
function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let start = 0; start < size; start += 65_536) {
    crypto.getRandomValues(bytes.subarray(start, start + 65_536));
  }
  return bytes;
}

/** Serves one CPython that sends `size` bytes; returns what it says of those that came back. */
async function serveCPython(factory: () => ProtocolLike, size: number): Promise<string> {
  const loop = new DenoEventLoop();
  const said = await loop.runUntilComplete(async () => {
    await using server = await loop.createServer(factory, { hostname: "127.0.0.1" });
    const { port } = server.address;
    const args = [PEER, "send", String(port), String(size)];
    const { stdout } = await new Deno.Command("python3", { args }).output();
    return new TextDecoder().decode(stdout).trim();
  });
  loop.close();
  return said;
}

/** Sends `bytes` to `port`, ends its half, and returns what came back. */
async function exchange(port: number, bytes: Uint8Array): Promise<Uint8Array> {
  const loop = new DenoEventLoop();
  const received = new Uint8Array(bytes.length);
  let size = 0;
  const lost = loop.createFuture<Error | null>();
  await loop.runUntilComplete(function* () {
    const [transport] = yield* loop.createConnection(() => ({
      dataReceived(data: Uint8Array) {
        received.set(data, size);
        size += data.length;
      },
      connectionLost: (error: Error | null) => lost.setResult(error),
    }), { port });
    transport.write(bytes);
    transport.writeEof();
    assertEquals(yield* lost, null);
  });
  loop.close();
  return received.subarray(0, size);
}

async function digest(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

for (const size of SIZES) {
  Deno.test({
    name: `createServer() gives CPython its ${size} bytes back, by a plain protocol`,
    // Without python3 there is nobody to talk to.
    ignore: !hasPython,
    fn: async () => assertEquals(await serveCPython(() => new Echo(), size), "intact"),
  });

  Deno.test({
    name: `createServer() gives CPython its ${size} bytes back, by a buffered protocol`,
    // Without python3 there is nobody to talk to.
    ignore: !hasPython,
    fn: async () => assertEquals(await serveCPython(() => new BufferedEcho(), size), "intact"),
  });
}

Deno.test({
  name: "createConnection() gets its bytes back from CPython, 1, 64 KiB and 32 MiB of them",
  // Without python3 there is nobody to talk to.
  ignore: !hasPython,
  async fn() {
    const options: Deno.CommandOptions = {
      args: [PEER, "serve"],
      stdin: "piped",
      stdout: "piped",
    };
    const peer = new Deno.Command("python3", options).spawn();
    const output = peer.stdout.getReader();
    const { value } = await output.read();
    const port = Number(new TextDecoder().decode(value));

    for (const size of SIZES) {
      const bytes = randomBytes(size);
      const received = await exchange(port, bytes);
      assertEquals(await digest(received), await digest(bytes), `${size} bytes`);
    }

    await peer.stdin.close();
    while (!(await output.read()).done);
    await peer.status;
  },
});
