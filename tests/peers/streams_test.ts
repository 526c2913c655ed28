// Streams against those of CPython: over TCP, and reader against reader.
import { assertEquals } from "@std/assert";
import {
  CancelledError,
  type Future,
  IncompleteReadError,
  LimitOverrunError,
  openConnection,
  run,
  sleep,
  startServer,
  StreamReader,
} from "../../mod.ts";
import { SeededRandom } from "../conformance/mod.ts";
import { minorVersion } from "../conformance/cpython.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const PEER = filePath(new URL("_streams_peer.py", import.meta.url));
const CASES = 3000;
const SEPARATORS = ["\n", "\r\n", "X", "aX", "Xab", "abc"];
/** The first CPython that takes several separators. */
const SEVERAL_SEPARATORS = 13;

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const minor = await minorVersion();

/** One read of a reader that is fed chunk by chunk, a turn of the loop for each. */
interface Case {
  read: "read" | "readExactly" | "readLine" | "readUntil";
  count: number;
  separators: string[];
  limit: number;
  chunks: string[];
  eof: boolean;
}

Deno.test({
  name: "openConnection() talks to asyncio.start_server()",
  ignore: minor === 0,
  async fn() {
    await using peer = new Peer("serve");
    const port = Number(await peer.readLine());

    const answers = await run(async () => {
      const [reader, writer] = await openConnection({ port });
      await using output = writer;
      for (let number = 0; number < 500; number += 1) output.write(utf8(`${"-".repeat(number)}\n`));
      output.writeEof();
      return await Array.fromAsync(reader, text);
    });

    const expected = Array.from(answers, (_, number) => `${number + 1} ${"-".repeat(number)}\n`);
    assertEquals(answers.length, 500);
    assertEquals(answers, expected);
  },
});

Deno.test({
  name: "startServer() serves asyncio.open_connection()",
  ignore: minor === 0,
  async fn() {
    const answered = await run(async () => {
      let count = 0;
      let sum = 0;
      await using server = await startServer(async (reader, writer) => {
        await using output = writer;
        for await (const line of reader) {
          count += line.length;
          for (const byte of line) sum += byte;
          output.write(line);
          await output.drain();
        }
      }, { hostname: "127.0.0.1" });
      const { port } = server.address;

      await using peer = new Peer("connect", String(port));
      return [await peer.readLine(), `${count} ${sum}`];
    });

    assertEquals(answered[0], answered[1]);
    assertEquals(Number(answered[0]?.split(" ")[0]) > 290_000, true);
  },
});

Deno.test({
  name: "R01 a read ends as in CPython, and leaves the same",
  ignore: minor === 0,
  async fn() {
    const seed = Date.now() % 1e9;
    const random = new SeededRandom(seed);
    const cases = Array.from({ length: CASES }, () => createCase(random));
    await using peer = new Peer("read");
    const sent = peer.write(cases.map((each) => JSON.stringify(each) + "\n").join(""));

    const endings = await run(() => Promise.all(cases.map(readCase)));
    for (const [index, ending] of endings.entries()) {
      const expected = JSON.parse(await peer.readLine());
      assertEquals(ending, expected, `Seed ${seed}: ${JSON.stringify(cases[index])}`);
    }
    await sent;
  },
});

function createCase(random: SeededRandom): Case {
  const read = random.pick(["read", "readExactly", "readLine", "readUntil", "readUntil"] as const);
  const chunks = Array.from(
    { length: random.between(0, 5) },
    () => Array.from({ length: random.between(1, 9) }, () => random.pick([..."abcX\r\n"])).join(""),
  );
  const count = read === "read" ? random.between(-1, 30) : random.between(0, 30);
  const separators = Array.from(
    { length: minor < SEVERAL_SEPARATORS ? 1 : random.between(1, 3) },
    () => random.pick(SEPARATORS),
  );
  // A read to the end that is cancelled loses in CPython what came, and here it does not.
  const eof = random.chance(0.5) || count < 0;
  return { read, count, separators, limit: random.between(1, 20), chunks, eof };
}

async function readCase({ chunks, eof, ...read }: Case): Promise<[string, string]> {
  const reader = new StreamReader({ limit: read.limit });
  const future = start(reader, read);
  for (const chunk of chunks) {
    await sleep(0);
    reader.feedData(utf8(chunk));
  }
  await sleep(0);
  if (eof) reader.feedEof();
  await sleep(0);
  await sleep(0);
  if (!future.done()) future.cancel();
  const ending = await future.then(describe, describe);
  if (!eof) reader.feedEof();
  // What CPython throws for a line that is too long, a ValueError, does not say how long.
  const known = read.read === "readLine" ? ending.replace(/^overrun .*/, "overrun line") : ending;
  return [known, text(await reader.read())];
}

function start(
  reader: StreamReader,
  { read, count, separators }: Pick<Case, "read" | "count" | "separators">,
): Future<Uint8Array> {
  switch (read) {
    case "read":
      return reader.read(count);
    case "readExactly":
      return reader.readExactly(count);
    case "readLine":
      return reader.readLine();
    case "readUntil":
      return reader.readUntil(separators);
  }
}

/** Names how a read ended as _streams_peer.py does. */
function describe(ending: unknown): string {
  if (ending instanceof Uint8Array) return `value ${text(ending)}`;
  if (ending instanceof CancelledError) return "cancelled";
  if (ending instanceof IncompleteReadError) return `incomplete ${text(ending.partial)}`;
  if (ending instanceof LimitOverrunError) return `overrun ${ending.consumed}`;
  throw ending;
}

/** A CPython that runs _streams_peer.py. */
class Peer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #unread = "";

  constructor(...args: string[]) {
    const options: Deno.CommandOptions = {
      args: [PEER, ...args],
      stdin: "piped",
      stdout: "piped",
    };
    this.#process = new Deno.Command("python3", options).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  write(text: string): Promise<void> {
    return this.#input.write(utf8(text));
  }

  /** Returns the next line of its output. */
  async readLine(): Promise<string> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error("Cannot read a line: CPython has ended");
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    while (!(await this.#output.read()).done);
    await this.#process.status;
  }
}
