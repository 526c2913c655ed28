// Services with a mistake that only some order of events, or some fault, shows; each with the version
// in which it is mended.
import { sleep } from "../../../mod.ts";
import type { WebTestBody, WebTestOptions } from "../../../simulation/web/mod.ts";

/** A mistake of a service, and the service without it. */
export interface PlantedService {
  readonly name: string;
  readonly options: WebTestOptions;
  /** Returns the body; `isMended` says of which version. */
  create(isMended: boolean): WebTestBody;
}

const post = (url: string, body: string, signal?: AbortSignal) =>
  fetch(url, { method: "POST", body, signal: signal ?? null });

/** Calls `work` until it gives a value, a few times. */
async function retry<T>(work: () => Promise<T>, times = 8): Promise<T> {
  for (let attempt = 1;; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === times) throw error;
      await sleep(0.2 * attempt);
    }
  }
}

/** A client gives up waiting, and pays again: the first payment may have been made. */
const doubleCharge: PlantedService = {
  name: "a double charge",
  options: { faults: { hosts: ["orders", "payments"], count: 8, within: 20 } },
  create: (isMended) => async ({ host, always, eventually }) => {
    const charges = new Map<string, number>();
    const keys = new Set<string>();
    host("payments").serve(async (request) => {
      const order = await request.text();
      await sleep(0.05);
      const isKnown = isMended && keys.has(order);
      keys.add(order);
      if (!isKnown) charges.set(order, (charges.get(order) ?? 0) + 1);
      return new Response("paid");
    });
    host("orders").serve(async (request) => {
      const order = await request.text();
      await retry(() => post("http://payments/", order, AbortSignal.timeout(1000)));
      return new Response("done");
    });
    always("no order is charged twice", () => Math.max(0, ...charges.values()) <= 1);
    for (const order of ["one", "two", "three", "four"]) {
      post("http://orders/", order).then((response) => response.text()).catch(() => {});
      await sleep(4);
    }
    await eventually(() => true);
  },
};

/** What is read before an update is put into the cache after it. */
const lostUpdate: PlantedService = {
  name: "a lost update behind a cache",
  options: { network: { jitter: 0.02 } },
  create: (isMended) => async ({ host, eventually }) => {
    const store = new Map([["x", { value: 0, version: 0 }]]);
    host("store").serve(async (request) => {
      if (request.method === "GET") return Response.json(store.get("x"));
      const { version } = store.get("x") ?? { version: 0 };
      store.set("x", { value: Number(await request.text()), version: version + 1 });
      return Response.json(store.get("x"));
    });
    host("cache").run(() => {
      const cached = new Map<string, { value: number; version: number }>();
      const keep = (entry: { value: number; version: number }) => {
        const known = cached.get("x");
        if (isMended && known !== undefined && known.version > entry.version) return;
        cached.set("x", entry);
      };
      Deno.serve({ port: 80, onListen: () => {} }, async (request) => {
        if (request.method === "GET") {
          const hit = cached.get("x");
          if (hit !== undefined) return Response.json(hit);
          keep(await (await fetch("http://store/")).json());
          return Response.json(cached.get("x"));
        }
        const entry = await (await post("http://store/", await request.text())).json();
        keep(entry);
        return Response.json(entry);
      });
    });
    await sleep(0.1);
    await Promise.all([
      fetch("http://cache/").then((response) => response.text()),
      post("http://cache/", "1").then((response) => response.text()),
    ]);
    const read = async () => (await (await fetch("http://cache/")).json()).value;
    await eventually(async () => await read() === 1, 5, "the cache has the last value");
  },
};

/** A client that connects again does not ask for what it has missed. */
const missedMessage: PlantedService = {
  name: "a message that is missed after a reconnect",
  options: {
    faults: { hosts: ["chat"], count: 3, within: 8, kinds: ["reset", "kill", "partition"] },
  },
  create: (isMended) => async ({ host, eventually }) => {
    const messages: string[] = [];
    const listeners = new Set<WebSocket>();
    host("chat").run(() => {
      listeners.clear();
      Deno.serve({ port: 80, onListen: () => {} }, (request) => {
        const { searchParams } = new URL(request.url);
        const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 2 });
        socket.onopen = () => {
          for (const message of messages.slice(Number(searchParams.get("from")))) {
            socket.send(message);
          }
          listeners.add(socket);
        };
        socket.onclose = () => listeners.delete(socket);
        socket.onerror = () => {};
        return response;
      });
    });
    const received: string[] = [];
    let said = 0;
    const listen = () => {
      const from = isMended ? received.length : said;
      const socket = new WebSocket(`ws://chat/?from=${from}`);
      const goOn = () => {
        socket.onmessage = socket.onclose = null;
        clearTimeout(watch);
        setTimeout(listen, 100);
      };
      // A server that is gone does not always say so.
      let watch = isMended ? setTimeout(goOn, 3000) : undefined;
      socket.onmessage = ({ data }) => {
        if (isMended) {
          clearTimeout(watch);
          watch = setTimeout(goOn, 3000);
        }
        if (!received.includes(data)) received.push(data);
      };
      socket.onerror = () => {};
      socket.onclose = goOn;
    };
    listen();
    for (said = 0; said < 10; said += 1) {
      await sleep(1);
      const message = `message ${said}`;
      messages.push(message);
      for (const socket of listeners) socket.send(message);
    }
    await eventually(() => received.length === 10, 120, "every message arrives");
  },
};

/** A lease runs out while its holder stands still, and the holder does not notice. */
const twoLeaders: PlantedService = {
  name: "two leaders",
  options: { faults: { hosts: ["a", "b"], count: 3, within: 8, longest: 4, kinds: ["pause"] } },
  create: (isMended) => async ({ host, loop, always, sometimes }) => {
    let holder = "";
    let until = 0;
    let token = 0;
    let written = 0;
    let isBroken = false;
    host("locks").serve(async (request) => {
      const name = await request.text();
      if (loop.time() > until || holder === name) {
        if (holder !== name) token += 1;
        [holder, until] = [name, loop.time() + 1];
        return Response.json({ token });
      }
      return new Response(null, { status: 409 });
    });
    host("disk").serve(async (request) => {
      const given = Number(await request.text());
      // Who leads no more must not be heard: its number is an old one.
      if (given < written) {
        if (isMended) return new Response(null, { status: 412 });
        isBroken = true;
      }
      written = Math.max(written, given);
      return new Response("written");
    });
    always("nobody writes after the next leader", () => !isBroken);
    for (const name of ["a", "b"]) {
      host(name).run(async () => {
        for (;;) {
          const response = await post("http://locks/", name).catch(() => null);
          if (response?.ok) {
            const { token } = await response.json();
            await sleep(0.3);
            await (await post("http://disk/", String(token))).text();
          } else await response?.body?.cancel();
          await sleep(0.4);
        }
      });
    }
    await sleep(12);
    sometimes("both have led", token > 1);
  },
};

/** What adds up is asked for again by somebody between. */
const repeatedPost: PlantedService = {
  name: "a retry of what must not be repeated",
  options: {
    network: { loss: 0 },
    faults: { hosts: ["stock"], count: 3, within: 6, kinds: ["reset", "kill"] },
  },
  create: (isMended) => async ({ host, always, eventually }) => {
    let stock = 10;
    const done = new Set<string>();
    host("stock").serve(async (request) => {
      const id = request.headers.get("x-request-id") ?? "";
      await request.text();
      if (!isMended || !done.has(id)) stock -= 1;
      done.add(id);
      await sleep(0.2);
      return new Response("taken");
    });
    let taken = 0;
    host("proxy").serve(async (request) => {
      const id = request.headers.get("x-request-id") ?? "";
      const body = await request.text();
      const headers = { "x-request-id": id };
      await retry(async () => {
        await (await fetch("http://stock/", { method: "POST", body, headers })).text();
      });
      return new Response("taken");
    });
    always("no more is taken than was asked for", () => stock >= 10 - taken);
    for (let order = 0; order < 8; order += 1) {
      taken += 1;
      const headers = { "x-request-id": String(order) };
      await fetch("http://proxy/", { method: "POST", body: "1", headers })
        .then((response) => response.text()).catch(() => {});
      await sleep(0.3);
    }
    await eventually(() => true);
  },
};

/** A service waits for another one for as long as TCP does. */
const forgottenTimeout: PlantedService = {
  name: "a forgotten timeout",
  options: {
    faults: { hosts: ["slow"], count: 2, within: 5, longest: 60, kinds: ["partition", "crash"] },
  },
  create: (isMended) => async ({ host, loop, note }) => {
    host("slow").serve(() => new Response("fresh"));
    host("front").serve(async () => {
      const signal = isMended ? AbortSignal.timeout(1000) : null;
      const ask = async () => await (await fetch("http://slow/", { signal })).text();
      const text = await ask().catch(() => "stale");
      return new Response(text);
    });
    for (let request = 0; request < 6; request += 1) {
      const start = loop.time();
      await (await fetch("http://front/")).text();
      const took = loop.time() - start;
      note(`took ${took.toFixed(1)} seconds`);
      if (took > 2) throw new RangeError(`Cannot wait any longer: a request took ${took} seconds`);
      await sleep(1);
    }
  },
};

/** All of them. */
export const PLANTED_SERVICES: readonly PlantedService[] = [
  doubleCharge,
  lostUpdate,
  missedMessage,
  twoLeaders,
  repeatedPost,
  forgottenTimeout,
];
