// What one simulation, and one life of a host, leaves to the next: nothing.
import { assertEquals } from "@std/assert";
import childProcess from "node:child_process";
import nodeCrypto from "node:crypto";
import dgram from "node:dgram";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import tls from "node:tls";
import vm from "node:vm";
import workerThreads from "node:worker_threads";
import { sleep } from "../../../mod.ts";
import { diffTraces, simulate, type Simulation, Trace } from "../../../simulation/mod.ts";

/** Prototypes of the handles below the modules of Node. */
function handles(): object[] {
  const { binding } = process as unknown as {
    binding(name: string): Record<string, { prototype: object }>;
  };
  const cares = binding("cares_wrap");
  return [
    binding("tcp_wrap")["TCP"]?.prototype,
    binding("pipe_wrap")["Pipe"]?.prototype,
    binding("udp_wrap")["UDP"]?.prototype,
    cares,
    cares["ChannelWrap"]?.prototype,
  ].filter((each) => each !== undefined);
}

/** The properties of all that a simulation with the web replaces, and what its classes extend. */
function snapshot(): unknown[] {
  const owners: object[] = [
    globalThis,
    Deno,
    Deno.stdin,
    process,
    ...[childProcess, fs, fs.promises, nodeCrypto, os, tls, vm, workerThreads],
    ...[http.Agent, http.OutgoingMessage, net.Server, vm.Script, nodeCrypto.ECDH, nodeCrypto.Sign]
      .map(({ prototype }) => prototype as object),
    ...[Crypto, FileReader, MessagePort, SubtleCrypto].map(({ prototype }) => prototype),
    ...handles(),
  ];
  const classes = [WebSocket, Worker, EventSource, BroadcastChannel, workerThreads.Worker];
  const events = ["uncaughtException", "SIGTERM", "exit", "warning"];
  return [
    ...owners.flatMap((owner) => {
      const own = Object.getOwnPropertyDescriptors(owner) as Record<string, PropertyDescriptor>;
      return Object.entries(own).flatMap(([key, { get, set, value, enumerable, writable }]) => {
        return [key, get, set, enumerable, writable, key === "window" ? null : value];
      });
    }),
    ...classes.map((each) => Object.getPrototypeOf(each)),
    ...events.map((event) => process.listenerCount(event)),
  ];
}

/** Serves, and asks, and listens to the process. */
async function talk({ host }: Simulation): Promise<void> {
  process.on("SIGTERM", () => {});
  process.on("uncaughtException", () => {});
  host("server").run(() => {
    process.on("exit", () => {});
    Deno.serve({ port: 80, onListen: () => {} }, () => new Response("x"));
  });
  await (await fetch("http://server/")).text();
}

const ENDINGS: Readonly<Record<string, (sim: Simulation) => unknown>> = {
  "success": talk,
  "a throw": async (sim) => {
    await talk(sim);
    throw new Error("planted");
  },
  "a deadlock": async (sim) => {
    await talk(sim);
    await new Promise(() => {});
  },
  "a stray rejection": async (sim) => {
    Promise.reject(new Error("planted"));
    await talk(sim);
  },
  "too much time": async (sim) => {
    await talk(sim);
    await sleep(1e6);
  },
  "a crash in the middle of a request": async (sim) => {
    fetch("http://server/").catch(() => {});
    await talk(sim);
    sim.host("server").crash();
  },
  "a program that ends itself": async (sim) => {
    await talk(sim);
    await sim.host("server").run(() => Deno.exit(1)).catch(() => {});
  },
  "a replaced global": async (sim) => {
    globalThis.fetch = () => Promise.reject(new Error("planted"));
    process.env["PLANTED"] = "1";
    await talk(sim);
  },
};

for (const [name, main] of Object.entries(ENDINGS)) {
  Deno.test(`a simulation with the web leaves the host as it was after ${name}`, async () => {
    const options = { web: true, report: () => {}, timeLimit: 1000 };
    // Parts of Node are loaded when they are first used.
    await simulate(talk, options);
    const before = snapshot();
    await simulate(main as (sim: Simulation) => Promise<void>, options).catch(() => {});
    const after = snapshot();
    assertEquals(after.length, before.length);
    const changed = before.findIndex((value, index) => !Object.is(after[index], value));
    assertEquals(before.slice(Math.max(0, changed - 3), changed + 1), []);
  });
}

/** What a host is in the middle of, in a loop; `note` is called for each step. */
const BUSY: Readonly<Record<string, (note: () => void) => unknown>> = {
  "fetch()": async (note) => {
    for (;;) {
      await (await fetch("http://peer/")).text();
      note();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
  "fetch() that tries again": async (note) => {
    for (;;) {
      note();
      await fetch("http://nobody/").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  },
  "the body of an endless answer": async (note) => {
    for await (const _ of (await fetch("http://peer/stream")).body ?? []) note();
  },
  "requests of node:http": (note) => {
    const ask = () => {
      http.get(
        "http://peer/",
        (answer) => answer.resume().on("end", () => [note(), setTimeout(ask, 100)]),
      );
    };
    ask();
  },
  "a connection of node:net": (note) => {
    const socket = net.connect(7, "peer", () => socket.write("x"));
    socket.on("data", () => [note(), setTimeout(() => socket.write("x"), 100)]);
  },
  "a connection of Deno's": async (note) => {
    const conn = await Deno.connect({ hostname: "peer", port: 7 });
    const buffer = new Uint8Array(1);
    for (;;) {
      await conn.write(buffer);
      await conn.read(buffer);
      note();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  },
  "datagrams": (note) => {
    const socket = dgram.createSocket("udp4");
    setInterval(() => [socket.send("x", 9, "peer"), note()], 100);
  },
  "a WebSocket that connects again": (note) => {
    const connect = () => {
      const socket = new WebSocket("ws://peer/socket");
      socket.onopen = () => socket.send("x");
      socket.onmessage = () => [note(), socket.send("x")];
      socket.onclose = () => setTimeout(connect, 100);
    };
    connect();
  },
  "timeouts of signals": (note) => {
    const wait = () => {
      AbortSignal.timeout(100).onabort = () => [note(), wait()];
    };
    wait();
  },
  "host work": async (note) => {
    for (;;) {
      await crypto.subtle.digest("SHA-256", new Uint8Array(1));
      await new Promise((resolve) => setTimeout(resolve, 100));
      note();
    }
  },
  "a stream that ticks": async (note) => {
    const ticks = new ReadableStream({
      start(controller) {
        setInterval(() => controller.enqueue("tick"), 100);
      },
    });
    for await (const _ of ticks) note();
  },
  "immediates": (note) => {
    const next = () => setTimeout(() => setImmediate(() => [note(), next()]), 50);
    next();
  },
};

/** A host that answers all of these. */
function runPeer(count: () => void): void {
  Deno.serve({ port: 80, onListen: () => {} }, (request) => {
    count();
    const { pathname } = new URL(request.url);
    if (pathname === "/socket") {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = () => {
        count();
        setTimeout(() => socket.readyState === 1 && socket.send("y"), 100);
      };
      socket.onerror = () => {};
      return response;
    }
    if (pathname !== "/stream") return new Response("x");
    let timer = 0;
    const body = new ReadableStream({
      start(controller) {
        timer = Number(setInterval(() => controller.enqueue(new Uint8Array(1)), 100));
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(body);
  });
  net.createServer((socket) => {
    socket.on("data", (data) => [count(), socket.write(data)]).on("error", () => {});
  }).listen(7);
  const datagrams = dgram.createSocket("udp4").on("message", count);
  datagrams.bind(9);
}

for (const [name, start] of Object.entries(BUSY)) {
  for (const how of ["crash", "kill"] as const) {
    Deno.test(`SimulatedHost.${how}() ends ${name}, and a restart begins anew`, async () => {
      const seen = await simulate(async ({ host }) => {
        let notes = 0;
        let heard = 0;
        host("peer").run(() => runPeer(() => heard += 1));
        await sleep(1);
        const busy = host("busy");
        busy.run(() => {
          Promise.resolve(start(() => notes += 1)).catch(() => {});
          return new Promise(() => {});
        });
        await sleep(2);
        busy[how]();
        const atEnd = notes;
        // What was on its way still arrives.
        await sleep(1);
        const heardThen = heard;
        await sleep(30);
        const after = [notes - atEnd, heard - heardThen];
        busy.restart();
        await sleep(2);
        return { began: atEnd > 1, after, again: notes > atEnd + 1 };
      }, { web: true });
      assertEquals(seen, { began: true, after: [0, 0], again: true });
    });
  }
}

/** A world with some of everything, whose trace has all of it. */
const busyWorld = async ({ host, random, loop }: Simulation) => {
  host("peer").run(() => runPeer(() => {}));
  await sleep(0.5);
  for (const [index, [name, start]] of Object.entries(BUSY).entries()) {
    if (name === "fetch()" || name === "requests of node:http") continue;
    host(`busy${index}`).run(() => {
      Promise.resolve(start(() => {})).catch(() => {});
      return new Promise(() => {});
    });
  }
  await sleep(1);
  host(`busy${2 + random.below(4)}`).crash();
  await sleep(1);
  return [loop.time(), Math.random(), Date.now(), crypto.randomUUID()];
};

Deno.test("simulations side by side leave the traces that they leave alone", async () => {
  const run = async (seed: number) => {
    const trace = new Trace();
    const value = await simulate(busyWorld, { web: true, seed, trace });
    return { trace, value };
  };
  await run(1);
  const alone = [await run(1), await run(2), await run(3)];
  const together = await Promise.all([run(1), run(2), run(3)]);
  for (const [index, one] of alone.entries()) {
    assertEquals(diffTraces(one.trace, together[index]?.trace ?? new Trace()), null);
    assertEquals(together[index]?.value, one.value);
  }
});
