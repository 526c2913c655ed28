import { assert, assertEquals } from "@std/assert";
import { newNativeEventLoop } from "../../transports/native/mod.ts";
import { connectPair, pattern, Recorder, sameBytes } from "../transports/_backend.ts";
import { tcp } from "../transports/_tcp.ts";

Deno.test("sendfile() has the system send a file, waits for room, and leaves the file behind it", async () => {
  const loop = newNativeEventLoop();
  const path = Deno.makeTempFileSync({ dir: "/tmp" });
  const bytes = pattern(12_000_000);
  Deno.writeFileSync(path, bytes);
  using file = Deno.openSync(path);
  Deno.removeSync(path);
  await loop.runUntilComplete(function* () {
    const pair = yield* connectPair(tcp, loop, new Recorder(loop), new Recorder(loop));
    pair.peer.pauseReading();
    const sending = loop.createTask(() =>
      loop.sendfile(pair.client, file, { offset: 7, count: 11_000_000, fallback: false })
    );
    for (let turn = 0; turn < 5; turn += 1) yield;
    const arrived = pair.peerProtocol.received(11_000_000);
    pair.peer.resumeReading();
    assertEquals(yield* sending, 11_000_000);
    yield* arrived;
    assert(sameBytes(pair.peerProtocol.bytes(), bytes.subarray(7, 11_000_007)));
    assertEquals(file.seekSync(0, Deno.SeekMode.Current), 11_000_007);
    const rest = yield* loop.sendfile(pair.client, file, { offset: 11_999_990, fallback: false });
    assertEquals(rest, 10);
    pair.client.close();
    yield* pair.peerProtocol.lost;
    yield* pair.server.waitClosed();
  });
  loop.close();
});
