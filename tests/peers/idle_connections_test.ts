// The bench of idle connections in small: the full size takes more descriptors than some machines give.
import { assertMatch } from "@std/assert";
import { PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const BENCH = filePath(new URL("../../bench/idle_connections.ts", import.meta.url));

Deno.test("createServer() serves 800 connections that are open at once", async () => {
  const flags = ["--quiet", "--no-check", "--allow-net=127.0.0.1", "--allow-run=deno"];
  await using bench = new PeerProcess("deno", "run", ...flags, BENCH, "800");
  assertMatch(await bench.readLine(), /^800 of 800 connections served/);
  assertMatch(await bench.readLine(), /^[\d.]+ KiB of memory for each that is idle$/);
});
