// An echo server on Bun for bench/peers.ts: prints the port, then echoes until killed.
/* global Bun */

/** Sends what the kernel takes, and keeps the rest until it takes more. */
function send(socket, data) {
  const left = socket.data.left;
  if (left !== null) {
    socket.data.left = Buffer.concat([left, data]);
    return;
  }
  const count = socket.write(data);
  if (count < data.length) socket.data.left = Buffer.from(data.subarray(Math.max(count, 0)));
}

const server = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { left: null };
      socket.setNoDelay(true);
    },
    data: send,
    drain(socket) {
      const left = socket.data.left;
      socket.data.left = null;
      if (left !== null) send(socket, left);
    },
    error() {},
  },
});
console.log(server.port);
