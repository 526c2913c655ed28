// A chat over socket.io, as a program of its own: loaded anew in each life of a host.
import { createServer } from "node:http";
import { Server } from "npm:socket.io@4";

const http = createServer();
const server = new Server(http, { pingInterval: 1000, pingTimeout: 1000 });
server.on("connection", (socket) => {
  socket.on("say", (text, done) => {
    socket.broadcast.emit("said", text);
    done(`heard ${text}`);
  });
});
http.listen(80);
