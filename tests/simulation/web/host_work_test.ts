// Small programs, each of which lets the host work: simulated time stands still meanwhile, and each run
// of one seed leaves one trace, the first included.
import { assertEquals } from "@std/assert";
import { sleep } from "../../../mod.ts";
import { diffTraces, simulate, Trace } from "../../../simulation/mod.ts";
import { exploreWeb } from "../../../simulation/web/mod.ts";

/** What is imported, and what is awaited: an expression. */
const PROGRAMS: Readonly<Record<string, readonly [imports: string, work: string]>> = {
  "pbkdf2() of node:crypto": [
    `import { pbkdf2 } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(pbkdf2)("a", "b", 20_000, 8, "sha256")`,
  ],
  "scrypt() of node:crypto": [
    `import { scrypt } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(scrypt)("a", "b", 8)`,
  ],
  "hkdf() of node:crypto": [
    `import { hkdf } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(hkdf)("sha256", "a", "b", "c", 8)`,
  ],
  "checkPrime() of node:crypto": [
    `import { checkPrime } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(checkPrime)(1_000_003n)`,
  ],
  "randomBytes() of node:crypto": [
    `import { randomBytes } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(randomBytes)(8)`,
  ],
  "randomFill() of node:crypto": [
    `import { randomFill } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(randomFill)(new Uint8Array(8))`,
  ],
  "randomInt() of node:crypto": [
    `import { randomInt } from "node:crypto"; import { promisify } from "node:util"`,
    `promisify(randomInt)(1000)`,
  ],
  "gzip() of node:zlib": [
    `import { gzip } from "node:zlib"; import { promisify } from "node:util"`,
    `promisify(gzip)(new Uint8Array(300_000))`,
  ],
  "brotliCompress() of node:zlib": [
    `import { brotliCompress } from "node:zlib"; import { promisify } from "node:util"`,
    `promisify(brotliCompress)(new Uint8Array(10_000))`,
  ],
  "a stream of node:zlib": [
    `import { createGzip } from "node:zlib"; import { Readable } from "node:stream";
     import { buffer } from "node:stream/consumers"`,
    `buffer(Readable.from([new Uint8Array(90_000), new Uint8Array(90_000)]).pipe(createGzip()))`,
  ],
  "pipeline() of node:stream": [
    `import { pipeline } from "node:stream/promises"; import { PassThrough, Readable } from "node:stream"`,
    `pipeline(Readable.from(["a", "b"]), new PassThrough(), async (source) => {
       for await (const _ of source);
     })`,
  ],
  "crypto.subtle.digest()": ["", `crypto.subtle.digest("SHA-256", new Uint8Array(500_000))`],
  "crypto.subtle.deriveBits()": [
    "",
    `crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]).then((key) =>
       crypto.subtle.deriveBits(
         { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(8), iterations: 20_000 }, key, 64))`,
  ],
  "WebAssembly.instantiate()": [
    "",
    `WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))`,
  ],
  "import()": ["", `import("data:text/javascript,export default 1")`],
  "import() of a module of Node": ["", `import("node:querystring")`],
  "Blob.text()": ["", `new Blob(["x".repeat(100_000)]).text()`],
  "FileReader": [
    "",
    `new Promise((end) => {
       const reader = new FileReader();
       reader.onload = end;
       reader.readAsText(new Blob(["x"]));
     })`,
  ],
  "CompressionStream": [
    "",
    `new Response(new Blob(["x".repeat(100_000)]).stream()
       .pipeThrough(new CompressionStream("gzip"))
       .pipeThrough(new DecompressionStream("gzip"))).text()`,
  ],
  "TextDecoderStream": [
    "",
    `Array.fromAsync(ReadableStream.from([new Uint8Array(9)]).pipeThrough(new TextDecoderStream()))`,
  ],
  "ReadableStream.tee()": [
    "",
    `Promise.all(new Response("x".repeat(9000)).body.tee().map((half) => new Response(half).text()))`,
  ],
  "Response.formData()": [
    "",
    `new Response(new URLSearchParams("a=1")).formData()`,
  ],
  "fetch() of data:": ["", `fetch("data:,hello").then((response) => response.text())`],
  "MessageChannel": [
    "",
    `new Promise((end) => {
       const { port1, port2 } = new MessageChannel();
       port1.onmessage = () => { port1.close(); end(); };
       port2.postMessage("x");
     })`,
  ],
  "setImmediate()": ["", `new Promise((end) => setImmediate(end))`],
  "setImmediate() of node:timers/promises": [
    `import { setImmediate } from "node:timers/promises"`,
    `setImmediate()`,
  ],
  "setImmediate() made a promise": [
    `import { setImmediate } from "node:timers"; import { promisify } from "node:util"`,
    `promisify(setImmediate)()`,
  ],
  "scheduler.yield()": [
    `import { scheduler } from "node:timers/promises"`,
    `scheduler.yield()`,
  ],
  "queueMicrotask()": ["", `new Promise((end) => queueMicrotask(end))`],
  "process.nextTick()": ["", `new Promise((end) => process.nextTick(end))`],
  "once() of node:events": [
    `import { EventEmitter, once } from "node:events"`,
    `(() => { const emitter = new EventEmitter(); process.nextTick(() => emitter.emit("x")); return once(emitter, "x"); })()`,
  ],
  "Deno.permissions.query()": ["", `Deno.permissions.query({ name: "read" })`],
  "createImageBitmap()": ["", `createImageBitmap(new ImageData(1, 1))`],
};

/** The text of a program that works and sends twice, beside one that ticks. */
function asProgram([imports, work]: readonly [string, string]): string {
  const source = `${imports};
    const ticks = [];
    setInterval(() => ticks.push(Date.now()), 1).unref();
    const work = async () => { const start = performance.now(); await ${work}; return performance.now() - start; };
    export const waits = [await work(), await work()];
  `;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

for (const [name, program] of Object.entries(PROGRAMS)) {
  Deno.test(`no time passes in a simulation during ${name}, and its trace repeats itself`, async () => {
    const url = asProgram(program);
    const traces: Trace[] = [];
    for (let run = 0; run < 3; run += 1) {
      const trace = new Trace();
      await simulate(async ({ host, note }) => {
        host("worker").run(async () => {
          const { waits } = await import(`${url}#life=${name}${run}`);
          note(`waits ${waits}`);
          assertEquals(waits, [0, 0]);
        });
        host("clock").run(async () => {
          for (let tick = 0; tick < 5; tick += 1) await sleep(0.001);
        });
        await sleep(1);
      }, { web: true, seed: 5, schedule: "random", trace });
      traces.push(trace);
    }
    const [first = new Trace(), ...others] = traces;
    assertEquals(first.lines.some((line) => line.includes("waits 0,0")), true);
    for (const other of others) assertEquals(diffTraces(first, other), null);
  });
}

Deno.test("results of the host come in the order in which they were asked for, whatever takes longer", async () => {
  const source = `
    import { pbkdf2 } from "node:crypto";
    export const order = [];
    const derive = (name, rounds) => new Promise((resolve) => {
      pbkdf2("a", "b", rounds, 8, "sha256", () => resolve(order.push(name)));
    });
    const digest = async (name, size) => {
      await crypto.subtle.digest("SHA-256", new Uint8Array(size));
      order.push(name);
    };
    await Promise.all([
      derive("long", 50_000), derive("short", 1), digest("large", 9_000_000), digest("small", 1),
      derive("last", 1),
    ]);
  `;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const { failure } = await exploreWeb(async ({ host }) => {
    const { order } = await host("server").load(url);
    // What has a callback takes one more turn of its loop.
    assertEquals(order, ["large", "small", "long", "short", "last"]);
  }, { runs: 2, check: true });
  assertEquals(failure, null);
});

Deno.test("a host that has crashed gets no result of what it let the host compute", async () => {
  const log: string[] = [];
  await simulate(async ({ host }) => {
    host("other").run(async () => {
      const digest = crypto.subtle.digest("SHA-256", new Uint8Array(1));
      host("other").crash();
      await digest;
      log.push("after death");
    });
    await sleep(1);
  });
  assertEquals(log, []);
});
