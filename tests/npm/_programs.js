// @ts-self-types="./_programs.d.ts"
// Programs of npm packages, as they are published, on hosts of a simulation. Each gives what it has
// seen, which is the same in each run of one seed.
import { createServer } from "node:http";
import net from "node:net";
import Aedes from "npm:aedes@0.51";
import axios from "npm:axios@1";
import express from "npm:express@5";
import got from "npm:got@14";
import { Hono } from "npm:hono@4";
import { Redis } from "npm:ioredis@5";
import ky from "npm:ky@1";
import Raft from "npm:liferaft@0.1";
import mqtt from "npm:mqtt@5";
import pRetry from "npm:p-retry@6";
import { createClient } from "npm:redis@4";
import { WebSocket as WsClient, WebSocketServer } from "npm:ws@8";
import { WebsocketProvider } from "npm:y-websocket@2";
import { docs, setupWSConnection } from "npm:y-websocket@2/bin/utils";
import * as Y from "npm:yjs@13";
import { sleep } from "../../mod.ts";
import { WebHost } from "../../simulation/web/mod.ts";

/** The package keeps random bytes for later, from one run to the next. */
class MaskedClient extends WsClient {
  constructor(address, protocols = []) {
    super(address, protocols, {
      generateMask: (mask) => void crypto.getRandomValues(mask),
    });
  }
}

/** Waits for an event of a thing of Node's. */
function once(thing, event) {
  return new Promise((resolve) => thing.once(event, resolve));
}

/** A service that fails now and then, a client that retries, and a crash. */
async function honoAndKy({ host, network, loop }) {
  let paid = 0;
  const app = new Hono();
  app.post("/pay/:order", async (context) => {
    const { amount } = await context.req.json();
    await sleep(0.05);
    if (Math.random() < 0.3) {
      return context.text("busy", 503);
    }
    paid += amount;
    return context.json({ order: context.req.param("order"), paid });
  });
  const api = host("api");
  api.run(() => void Deno.serve({ port: 80, onListen: () => {} }, app.fetch));
  await sleep(0.1);
  loop.callLater(0.5, () => network.partition("main", "api"));
  loop.callLater(2, () => network.heal());
  loop.callLater(3, () => void api.restart());
  const answers = [];
  for (const order of ["one", "two", "three", "four"]) {
    answers.push(
      await pRetry(
        () =>
          ky.post(`http://api/pay/${order}`, { json: { amount: 5 }, retry: 1, timeout: 1000 })
            .json(),
        { retries: 6, minTimeout: 100 },
      ),
    );
    await sleep(0.3);
  }
  return [answers, loop.time()];
}

/** A service with routes and middleware; two clients. */
async function expressAndClients({ host, loop }) {
  host("api").run(() => {
    const app = express();
    app.use(express.json());
    app.get("/users/:id", (request, response) => {
      response.json({ id: request.params.id, agent: request.get("user-agent") !== undefined });
    });
    app.post("/users", (request, response) => {
      setTimeout(() => response.status(201).json({ created: request.body.name }), 20);
    });
    app.get("/slow", () => {});
    app.listen(80);
  });
  host("late").run(() => void createServer(() => {}).listen(80));
  await sleep(0.1);
  const { data, status } = await axios.get("http://api/users/7");
  const created = await axios.post("http://api/users", { name: "Ada" });
  const slow = await axios.get("http://api/slow", { timeout: 100 }).catch(({ code }) => code);
  const missing = await axios.get("http://api/none").catch(({ response }) => response.status);
  const text = await got("http://api/users/8").json();
  // Another host: Deno 2.9 sends a request again that was destroyed on a connection in its second use.
  const late = await got("http://late/slow", { timeout: { request: 100 }, retry: { limit: 2 } })
    .catch(({ code }) => code);
  return [data, status, created.data, created.status, slow, missing, text, late, loop.time()];
}

/** Starts a small server of the protocol of Redis. */
function startFakeRedis() {
  const store = new Map();
  const execute = (command, args) => {
    const [key = "", value = ""] = args;
    switch (command.toLowerCase()) {
      case "set":
        store.set(key, value);
        return "+OK\r\n";
      case "get": {
        const found = store.get(key);
        return found === undefined ? "$-1\r\n" : `$${found.length}\r\n${found}\r\n`;
      }
      case "incr":
        store.set(key, String(Number(store.get(key) ?? 0) + 1));
        return `:${store.get(key)}\r\n`;
      case "info":
        return "$15\r\nredis_version:7\r\n";
      default:
        return "+OK\r\n";
    }
  };
  net.createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk;
      for (;;) {
        const head = /^\*(\d+)\r\n/.exec(text);
        if (head === null) {
          return;
        }
        const words = [];
        let rest = text.slice(head[0].length);
        while (words.length < Number(head[1])) {
          const length = /^\$(\d+)\r\n/.exec(rest);
          if (length === null) {
            return;
          }
          const start = length[0].length;
          const size = Number(length[1]);
          if (rest.length < start + size + 2) {
            return;
          }
          words.push(rest.slice(start, start + size));
          rest = rest.slice(start + size + 2);
        }
        text = rest;
        const [command = "", ...args] = words;
        socket.write(execute(command, args));
      }
    });
  }).listen(6379);
}

async function twoRedisClients({ host, network, loop }) {
  host("redis").run(startFakeRedis);
  await sleep(0.1);
  const first = new Redis({ host: "redis", retryStrategy: () => 200, maxRetriesPerRequest: null });
  first.on("error", () => {});
  const second = createClient({ url: "redis://redis" });
  second.on("error", () => {});
  await second.connect();
  const log = [await first.set("key", "value"), await second.get("key")];
  log.push(await Promise.all([first.incr("count"), first.incr("count"), second.incr("count")]));
  network.reset("main", "redis");
  log.push(await first.incr("count"), await first.get("none"));
  await sleep(2);
  log.push(await second.incr("count"));
  first.disconnect();
  await second.quit();
  return [log, loop.time()];
}

async function mqttAndBroker({ host, network, loop }) {
  host("broker").run(() => {
    const broker = new Aedes();
    net.createServer(broker.handle).listen(1883);
  });
  await sleep(0.1);
  const options = { host: "broker", port: 1883, reconnectPeriod: 300, keepalive: 2 };
  const listener = mqtt.connect({ ...options, clientId: "listener", clean: false });
  const speaker = mqtt.connect({ ...options, clientId: "speaker" });
  for (const client of [listener, speaker]) {
    client.on("error", () => {});
  }
  const received = [];
  listener.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
  await Promise.all([once(listener, "connect"), once(speaker, "connect")]);
  await listener.subscribeAsync("news/#", { qos: 1 });
  for (let number = 0; number < 6; number += 1) {
    await speaker.publishAsync(`news/${number}`, `text ${number}`, { qos: 1 });
    if (number === 2) {
      network.partition("main", "broker");
    }
    if (number === 2) {
      loop.callLater(6, () => network.heal());
    }
  }
  await sleep(30);
  await Promise.all([listener.endAsync(true), speaker.endAsync(true)]);
  return [received.toSorted(), loop.time() > 30];
}

async function wsServer({ host, loop }) {
  host("chat").run(() => {
    const server = new WebSocketServer({ port: 80 });
    server.on("connection", (socket) => {
      socket.on("message", (data) => {
        for (const client of server.clients) {
          client.send(String(data));
        }
      });
    });
  });
  await sleep(0.1);
  const logs = [];
  const clients = await Promise.all([1, 2, 3].map(async (number) => {
    const client = new MaskedClient("ws://chat/");
    const log = [];
    logs.push(log);
    client.on("message", (data) => log.push(`${number} ${data}`));
    await once(client, "open");
    return client;
  }));
  // One of the others is the host's own class.
  const own = new WebSocket("ws://chat/");
  await new Promise((resolve) => own.onopen = resolve);
  own.onmessage = ({ data }) => logs[0]?.push(`own ${data}`);
  for (const [index, client] of clients.entries()) {
    client.send(`hello ${index}`);
  }
  await sleep(1);
  const codes = clients.map((client) => once(client, "close"));
  clients[0]?.close(1000);
  clients[1]?.close(3001, "bye");
  clients[2]?.terminate();
  const closed = await Promise.all(codes);
  own.close();
  return [logs, closed, loop.time()];
}

async function socketIo({ host, network, loop }) {
  // Modules of both keep a count of connections, and random bytes for later.
  await new WebHost(host("chat")).load(import.meta.resolve("./_socket_io_server.js"));
  const client = new WebHost(host("client"));
  const { io } = await client.load(import.meta.resolve("./_socket_io_client.js"));
  await sleep(0.1);
  const options = { reconnectionDelay: 200, transports: ["websocket"] };
  const one = io("http://chat", options);
  const other = io("http://chat", { ...options, forceNew: true });
  const heard = [];
  other.on("said", (text) => heard.push(text));
  await Promise.all([once(one, "connect"), once(other, "connect")]);
  const answers = [await one.emitWithAck("say", "one")];
  network.partition("main", "chat");
  await sleep(4);
  network.heal();
  await sleep(10);
  answers.push(await one.timeout(5000).emitWithAck("say", "two"));
  await sleep(1);
  one.disconnect();
  other.disconnect();
  return [answers, heard, loop.time()];
}

async function yjsDocuments({ host, network, loop }) {
  host("rooms").run(() => {
    // The package keeps them for as long as the process lives.
    docs.clear();
    const server = new WebSocketServer({ port: 80 });
    server.on("connection", setupWSConnection);
  });
  await sleep(0.1);
  const documents = [new Y.Doc(), new Y.Doc()];
  const providers = documents.map((document, index) => {
    // The number of a client decides between changes of the same place.
    document.clientID = index + 1;
    return new WebsocketProvider("ws://rooms", "room", document, {
      WebSocketPolyfill: MaskedClient,
      disableBc: true,
    });
  });
  const text = (index) => documents[index].getText("text");
  await sleep(1);
  text(0).insert(0, "hello");
  await sleep(1);
  network.partition("main", "rooms");
  text(0).insert(5, " world");
  text(1).insert(0, "> ");
  await sleep(5);
  network.heal();
  await sleep(60);
  const texts = [String(text(0)), String(text(1))];
  for (const provider of providers) {
    provider.destroy();
  }
  for (const document of documents) {
    document.destroy();
  }
  return [texts, loop.time()];
}

/** Three hosts choose a leader, one of them crashes, and the others choose again. */
async function raftLeaders({ host, loop }) {
  const names = ["a", "b", "c"];
  const leaders = new Map();
  class Node extends Raft {
    write(packet, done) {
      const request = { method: "POST", body: JSON.stringify(packet) };
      fetch(this.address, { ...request, signal: AbortSignal.timeout(300) })
        .then((response) => response.json())
        .then((data) => done(null, data), (error) => done(error));
    }
  }
  const hosts = names.map((name) => host(name));
  for (const each of hosts) {
    each.run(() => {
      const address = (name) => `http://${name}/`;
      const options = { "election min": 800, "election max": 1500, "heartbeat": 300 };
      const node = new Node(address(each.name), options);
      node.on("error", () => {});
      node.on("leader", () => {
        const { term, leader } = node;
        leaders.set(term, (leaders.get(term) ?? new Set()).add(leader));
      });
      Deno.serve({ port: 80, onListen: () => {} }, async (request) => {
        const packet = await request.json();
        return Response.json(
          await new Promise((resolve) => {
            node.emit("data", packet, (data) => resolve(data ?? null));
          }),
        );
      });
      for (const name of names) {
        if (name !== each.name) {
          node.join(address(name));
        }
      }
    });
  }
  await sleep(4);
  const [first] = [...leaders.values()].at(-1) ?? [];
  hosts.find(({ name }) => first === `http://${name}/`)?.crash();
  await sleep(5);
  const [second] = [...leaders.values()].at(-1) ?? [];
  const isUnique = [...leaders.values()].every((set) => [...set].filter(Boolean).length <= 1);
  return [isUnique, typeof first, typeof second, loop.time()];
}

/** All of them, by the packages that they are of. */
export const NPM_PROGRAMS = {
  "hono, ky and p-retry": honoAndKy,
  "express, axios and got": expressAndClients,
  "ioredis and redis": twoRedisClients,
  "mqtt and aedes": mqttAndBroker,
  "ws": wsServer,
  "socket.io": socketIo,
  "yjs and y-websocket": yjsDocuments,
  "liferaft": raftLeaders,
};
