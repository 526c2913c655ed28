/**
 * Work with child processes on Deno's own API for bench/peers.ts: prints microseconds as JSON. What
 * this package adds shows beside it.
 *
 * @module
 */
const isQuick = Deno.args.includes("--quick");
const SPAWNS = isQuick ? 5 : 200;
const ROUND_TRIPS = isQuick ? 200 : 20_000;
const MEBIBYTES = isQuick ? 8 : 256;

/** Runs `work` twice, and gives the microseconds for each of `count` the second time. */
async function timed(count: number, work: () => Promise<void>): Promise<number> {
  await work();
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1_000 / count;
}

async function spawnAndWait(stdio: "piped" | "null"): Promise<void> {
  const options = { stdin: stdio, stdout: stdio, stderr: stdio };
  for (let round = 0; round < SPAWNS; round += 1) {
    const child = new Deno.Command("/bin/true", options).spawn();
    if (stdio === "piped") {
      await Promise.all([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]);
    }
    await child.status;
  }
}

async function pingPong(): Promise<void> {
  const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = cat.stdin.getWriter();
  const reader = cat.stdout.getReader({ mode: "byob" });
  const message = new Uint8Array(64);
  let buffer: Uint8Array<ArrayBufferLike> = new Uint8Array(65_536);
  for (let round = 0; round < ROUND_TRIPS; round += 1) {
    void writer.write(message);
    const { value } = await reader.read(buffer);
    buffer = new Uint8Array(value?.buffer ?? new ArrayBuffer(65_536));
  }
  await writer.close();
  await cat.status;
  await reader.cancel();
}

/** Reads into one buffer: nobody could keep what has come. */
async function read(): Promise<void> {
  const args = ["-c", `${MEBIBYTES}M`, "/dev/zero"];
  const head = new Deno.Command("head", { args, stdout: "piped" }).spawn();
  const reader = head.stdout.getReader({ mode: "byob" });
  let buffer: Uint8Array<ArrayBufferLike> = new Uint8Array(65_536);
  for (;;) {
    const { done, value } = await reader.read(buffer);
    if (done) break;
    buffer = new Uint8Array(value.buffer);
  }
  await head.status;
}

async function write(): Promise<void> {
  const args = ["-c", "exec cat >/dev/null"];
  const sink = new Deno.Command("sh", { args, stdin: "piped" }).spawn();
  const writer = sink.stdin.getWriter();
  const chunk = new Uint8Array(64 * 1024);
  for (let sent = 0; sent < MEBIBYTES << 20; sent += chunk.length) await writer.write(chunk);
  await writer.close();
  await sink.status;
}

const results = {
  "spawn and wait, no pipes": await timed(SPAWNS, () => spawnAndWait("null")),
  "spawn and wait, three pipes": await timed(SPAWNS, () => spawnAndWait("piped")),
  "64 B round trip, protocol": await timed(ROUND_TRIPS, pingPong),
  "1 MiB from stdout, protocol": await timed(MEBIBYTES, read),
  "1 MiB to stdin, streams": await timed(MEBIBYTES, write),
};
console.log(JSON.stringify(results));
