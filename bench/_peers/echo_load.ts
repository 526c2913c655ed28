/**
 * A load on a TCP echo server, for bench/peers.ts: each connection sends a message, waits for the
 * whole echo, and sends again. Prints what came of it as JSON.
 *
 * Connections are opened, used and closed before those that count, as in a server that has run for
 * a while. It matters: until a first connection has closed, CPython maps and unmaps memory for each
 * read, which costs it more than all else.
 *
 * Usage: echo_load.ts port connections messageBytes seconds
 *
 * @module
 */
const [port = 0, connections = 1, size = 1, seconds = 1] = Deno.args.map(Number);

const message = new Uint8Array(size).fill(7);
const latencies: number[] = [];
const counts: number[] = new Array(connections).fill(0);
let running = true;
let counting = false;

async function exchange(connection: Deno.TcpConn, index: number): Promise<void> {
  const buffer = new Uint8Array(Math.max(size, 16 * 1024));
  while (running) {
    const start = performance.now();
    for (let sent = 0; sent < size;) sent += await connection.write(message.subarray(sent));
    for (let left = size; left > 0;) {
      const count = await connection.read(buffer);
      if (count === null) throw new Error("Cannot finish an echo: the server has hung up");
      left -= count;
    }
    if (!counting) continue;
    counts[index] = (counts[index] ?? 0) + 1;
    if (latencies.length < 1_000_000) latencies.push(performance.now() - start);
  }
  connection.close();
}

/** Opens the connections, calls `whileRunning`, and closes them. */
async function load(whileRunning: () => Promise<void>): Promise<void> {
  const open: Deno.TcpConn[] = [];
  for (let index = 0; index < connections; index += 1) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    open.push(connection);
  }
  running = true;
  const exchanges = open.map(exchange);
  // The server compiles its hot code before it is measured.
  await sleep(Math.min(seconds, 0.5));
  await whileRunning();
  running = false;
  await Promise.all(exchanges);
}

function sleep(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time * 1000));
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

await load(() => Promise.resolve());
let elapsed = 0;
await load(async () => {
  console.log("measuring");
  counting = true;
  const start = performance.now();
  await sleep(seconds);
  elapsed = (performance.now() - start) / 1000;
  counting = false;
  console.log("measured");
});
latencies.sort((a, b) => a - b);
counts.sort((a, b) => a - b);
console.log(JSON.stringify({
  messages: counts.reduce((sum, count) => sum + count, 0),
  seconds: elapsed,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  slowest: counts[0],
  median: percentile(counts, 0.5),
}));
