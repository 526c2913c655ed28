/**
 * Loads of connections on a TCP echo server, for bench/peers.ts.
 *
 * Usage: connection_load.ts cycles port besides bytes seconds
 *        connection_load.ts idle port connections
 *
 * `cycles` opens a connection, sends, waits for the echo, closes, and begins again; it prints what
 * came of it as JSON. `idle` opens connections that have had a byte back, prints a line, and keeps
 * them until its input ends.
 *
 * @module
 */
const [mode, ...numbers] = Deno.args;
const [port = 0, connections = 1, size = 1, seconds = 1] = numbers.map(Number);

async function connect(bytes: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  await connection.write(new Uint8Array(bytes));
  const buffer = new Uint8Array(bytes);
  for (let left = bytes; left > 0;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("Cannot finish an echo: the server has hung up");
    left -= count;
  }
  return connection;
}

function sleep(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time * 1000));
}

let messages = 0;
let running = true;

async function cycle(): Promise<void> {
  while (running) {
    (await connect(size)).close();
    messages += 1;
  }
}

if (mode === "idle") {
  const open: Deno.TcpConn[] = [];
  for (let index = 0; index < connections; index += 1) open.push(await connect(1));
  console.log("open");
  await new Response(Deno.stdin.readable).text();
  for (const connection of open) connection.close();
} else {
  const cycles = Array.from({ length: connections }, cycle);
  // The server compiles its hot code before it is measured.
  await sleep(Math.min(seconds, 0.5));
  console.log("measuring");
  messages = 0;
  await sleep(seconds);
  const counted = messages;
  console.log("measured");
  running = false;
  await Promise.all(cycles);
  console.log(JSON.stringify({ messages: counted }));
}
