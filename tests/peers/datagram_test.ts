// Datagrams to and from CPython.
import { assertEquals } from "@std/assert";
import {
  DatagramProtocol,
  type DatagramTransport,
  DenoEventLoop,
  Queue,
  type SocketAddress,
  TimeoutError,
  waitFor,
} from "../../mod.ts";
import { minorVersion } from "../conformance/cpython.ts";
import { PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const PEER = filePath(new URL("_datagram_peer.py", import.meta.url));
const SIZES = [0, 1, 512, 1472, 1473, 9000, 65_507];
/** An empty datagram reaches a protocol of CPython since 3.13. */
const minor = await minorVersion();

class Echo extends DatagramProtocol {
  #transport: DatagramTransport | null = null;

  override connectionMade(transport: DatagramTransport): void {
    this.#transport = transport;
  }

  override datagramReceived(data: Uint8Array, address: SocketAddress): void {
    this.#transport?.sendto(data, address);
  }
}

/** Keeps what has come. */
class Ping extends DatagramProtocol {
  readonly answers: Queue<Uint8Array> = new Queue();

  override datagramReceived(data: Uint8Array): void {
    this.answers.putNowait(data);
  }
}

/** Sends `bytes` until they come back: the network may drop a datagram. */
async function exchange(
  transport: DatagramTransport,
  { answers }: Ping,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  while (true) {
    transport.sendto(bytes);
    try {
      return await waitFor(answers.get(), 1);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
    }
  }
}

Deno.test({
  name: "D01 createDatagramEndpoint() exchanges datagrams with a server of asyncio",
  ignore: minor < 13,
  async fn() {
    await using peer = new PeerProcess("python3", PEER, "serve");
    const port = Number(await peer.readLine());
    const loop = new DenoEventLoop();
    await loop.runUntilComplete(async () => {
      const [transport, ping] = await loop.createDatagramEndpoint(() => new Ping(), {
        remoteAddress: { hostname: "127.0.0.1", port },
      });
      for (const size of SIZES) {
        const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
        assertEquals(await exchange(transport, ping, bytes), bytes);
      }
      transport.close();
    });
    loop.close();
    assertEquals(await peer.finish(), "");
  },
});

Deno.test({
  name: "D01 createDatagramEndpoint() serves a client of asyncio",
  ignore: minor < 13,
  async fn() {
    const loop = new DenoEventLoop();
    await loop.runUntilComplete(async () => {
      const localAddress = { hostname: "127.0.0.1", port: 0 };
      const [server] = await loop.createDatagramEndpoint(() => new Echo(), { localAddress });
      const address = server.getExtraInfo("sockname");
      await using peer = new PeerProcess("python3", PEER, "ping", String(address?.port));
      assertEquals(await peer.finish(), SIZES.join(" ") + "\n");
      server.close();
    });
    loop.close();
  },
});
