// The client of socket.io, for a host of its own.
export { io } from "npm:socket.io-client@4";
