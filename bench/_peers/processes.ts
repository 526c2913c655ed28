/**
 * Work with child processes for bench/peers.ts: prints microseconds as JSON.
 *
 * Usage: processes.ts
 *
 * @module
 */
import {
  createSubprocessExec,
  type Future,
  getRunningLoop,
  PIPE,
  run,
  type WriteTransport,
} from "@gyre/asyncio";

const isQuick = Deno.args.includes("--quick");
const SPAWNS = isQuick ? 5 : 200;
const ROUND_TRIPS = isQuick ? 200 : 20_000;
const MEBIBYTES = isQuick ? 8 : 256;

/** Runs `work` twice, and gives the microseconds for each of `count` the second time. */
async function timed(count: number, work: () => PromiseLike<void>): Promise<number> {
  await work();
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1_000 / count;
}

async function spawnAndWait(stdio: "piped" | "null"): Promise<void> {
  const options = { stdin: stdio, stdout: stdio, stderr: stdio };
  for (let round = 0; round < SPAWNS; round += 1) {
    const child = await createSubprocessExec("/bin/true", options);
    await child.wait();
  }
}

async function pingPongStreams(): Promise<void> {
  const cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
  const message = new Uint8Array(64);
  for (let round = 0; round < ROUND_TRIPS; round += 1) {
    cat.stdin.write(message);
    await cat.stdout.readExactly(64);
  }
  cat.stdin.close();
  await cat.wait();
}

async function pingPongProtocol(): Promise<void> {
  const loop = getRunningLoop();
  const ended = loop.createFuture<void>();
  const message = new Uint8Array(64);
  let stdin: WriteTransport | null = null;
  let left = ROUND_TRIPS;
  await loop.subprocessExec(() => ({
    connectionMade: (transport) => {
      stdin = transport.getPipeTransport(0);
      stdin?.write(message);
    },
    pipeDataReceived: () => {
      left -= 1;
      if (left > 0) stdin?.write(message);
      else stdin?.close();
    },
    connectionLost: () => ended.setResult(),
  }), "cat");
  await ended;
}

/** Starts `head`, and counts what it prints. */
async function readProtocol(): Promise<void> {
  const loop = getRunningLoop();
  const ended: Future<void> = loop.createFuture();
  let count = 0;
  await loop.subprocessExec(
    () => ({
      pipeDataReceived: (_fd, data) => {
        count += data.length;
      },
      connectionLost: () => ended.setResult(),
    }),
    "head",
    { args: ["-c", `${MEBIBYTES}M`, "/dev/zero"], stdin: "null", stderr: "null" },
  );
  await ended;
  if (count !== MEBIBYTES << 20) throw new Error(`Cannot count all bytes: ${count} came`);
}

async function readStreams(): Promise<void> {
  const args = ["-c", `${MEBIBYTES}M`, "/dev/zero"];
  const head = await createSubprocessExec("head", { args, stdout: PIPE });
  let count = 0;
  for (;;) {
    const data = await head.stdout.read(256 * 1024);
    if (data === undefined || data.length === 0) break;
    count += data.length;
  }
  await head.wait();
  if (count !== MEBIBYTES << 20) throw new Error(`Cannot count all bytes: ${count} came`);
}

async function writeStreams(): Promise<void> {
  const sink = await createSubprocessExec("sh", {
    args: ["-c", "exec cat >/dev/null"],
    stdin: PIPE,
  });
  const chunk = new Uint8Array(64 * 1024);
  for (let sent = 0; sent < MEBIBYTES << 20; sent += chunk.length) {
    sink.stdin.write(chunk);
    await sink.stdin.drain();
  }
  sink.stdin.close();
  await sink.wait();
}

const results = await run(async () => ({
  "spawn and wait, no pipes": await timed(SPAWNS, () => spawnAndWait("null")),
  "spawn and wait, three pipes": await timed(SPAWNS, () => spawnAndWait("piped")),
  "64 B round trip, protocol": await timed(ROUND_TRIPS, pingPongProtocol),
  "64 B round trip, streams": await timed(ROUND_TRIPS, pingPongStreams),
  "1 MiB from stdout, protocol": await timed(MEBIBYTES, readProtocol),
  "1 MiB from stdout, streams": await timed(MEBIBYTES, readStreams),
  "1 MiB to stdin, streams": await timed(MEBIBYTES, writeStreams),
}));
console.log(JSON.stringify(results));
