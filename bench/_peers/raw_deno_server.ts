/**
 * The fastest echo server that Deno's own API gives, for bench/peers.ts: prints the port, then
 * echoes until killed.
 *
 * @module
 */

/** The size that measures best at every message size of the bench. */
const BUFFER_SIZE = Number(Deno.args[0] ?? 65_536);

function echo(connection: Deno.TcpConn): void {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(BUFFER_SIZE);
  const close = () => connection[Symbol.dispose]();
  const send = (bytes: Uint8Array): void => {
    connection.write(bytes).then((count) => {
      if (count < bytes.length) send(bytes.subarray(count));
      else read();
    }, close);
  };
  const onRead = (count: number | null) => {
    if (count === null) close();
    else send(buffer.subarray(0, count));
  };
  const read = (): void => void connection.read(buffer).then(onRead, close);
  read();
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 2000 });
console.log(listener.addr.port);
for await (const connection of listener) echo(connection);
