// Echo servers on Node for bench/peers.ts: prints the port, then echoes until killed.
// Usage: node echo_server.mjs protocol|tls|datagram [cert key]
import process from "node:process";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";

const [kind, cert, key] = process.argv.slice(2);

function echo(socket) {
  socket.setNoDelay(true);
  socket.on("data", (data) => socket.write(data));
  socket.on("error", () => socket.destroy());
}

if (kind === "datagram") {
  const socket = createSocket("udp4");
  socket.on("message", (data, from) => socket.send(data, from.port, from.address));
  socket.bind(0, "127.0.0.1", () => console.log(socket.address().port));
} else {
  const server = kind === "tls"
    ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, echo)
    : createServer(echo);
  server.listen(0, "127.0.0.1", 2000, () => console.log(server.address().port));
}
