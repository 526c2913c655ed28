/**
 * A chat over WebSockets whose server crashes: a client connects again, and asks for what it missed.
 *
 * deno run examples/web_chat.ts
 *
 * Prints:
 *     3 connections, 10 of 10 messages
 *
 * @module
 */
import { sleep } from "@gyre/asyncio";
import { simulate } from "@gyre/asyncio/simulation";

await simulate(async ({ host, loop }) => {
  const said: string[] = []; // what is on the disk of the server
  let connections = 0;
  const chat = host("chat");
  chat.run(() => {
    Deno.serve({ port: 80, onListen() {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      let sent = Number(new URL(request.url).searchParams.get("from"));
      socket.onopen = () => {
        connections += 1;
        setInterval(() => {
          for (; socket.readyState === WebSocket.OPEN && sent < said.length; sent += 1) {
            socket.send(said[sent] as string);
          }
        }, 100);
      };
      return response;
    });
  });
  const heard: string[] = [];
  const listen = () => {
    const socket = new WebSocket(`ws://chat/?from=${heard.length}`);
    socket.onmessage = ({ data }) => heard.push(data);
    socket.onclose = () => setTimeout(listen, 200);
  };
  listen();
  for (const time of [3.5, 7.5]) loop.callLater(time, () => [chat.kill(), chat.restart()]);
  for (let number = 0; number < 10; number += 1) {
    await sleep(1);
    said.push(`message ${number}`);
  }
  await sleep(5);
  console.log(`${connections} connections, ${heard.length} of ${said.length} messages`);
}, { web: true });
