// A real redis-server against examples/redis_client.ts.
import { assertMatch } from "@std/assert";
import { findFreePort, hasCommand, PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const EXAMPLE = filePath(new URL("../../examples/redis_client.ts", import.meta.url));

Deno.test({
  name: "examples/redis_client.ts sends redis-server 100,000 commands without waiting",
  ignore: !hasCommand("redis-server", "--version"),
  async fn() {
    const port = findFreePort();
    const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    await using redis = new PeerProcess("redis-server", "--port", String(port), ...settings);
    while (!/ready to accept connections/i.test(await redis.readLine()));

    await using client = new PeerProcess(
      "deno",
      ...["run", "--quiet", "--no-prompt", "--no-check", `--allow-net=127.0.0.1:${port}`],
      EXAMPLE,
      String(port),
    );
    assertMatch(await client.finish(), /^100000 increments in [\d.]+ s, counter 100000\n$/);
  },
});
