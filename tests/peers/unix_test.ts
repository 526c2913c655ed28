// CPython and nc against our Unix sockets.
import { assertEquals, assertThrows } from "@std/assert";
import { minorVersion } from "../conformance/cpython.ts";
import { hasCommand, PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const PYTHON = filePath(new URL("_unix_peer.py", import.meta.url));
const PROGRAM = filePath(new URL("programs/unix_echo.ts", import.meta.url));
const hasPython = await minorVersion() > 0;

/** What a client prints whose million bytes came back. */
const EXPECTED = `1000000 ${sumOfPieces()}\n`;

function sumOfPieces(): number {
  let sum = 0;
  for (let number = 0; number < 1000; number += 1) sum += (number % 251) * 1000;
  return sum;
}

const python = (mode: string, path: string) => new PeerProcess("python3", PYTHON, mode, path);

/** A path of a socket can only be granted in full, so a program of its own uses it. */
function ours(mode: string, path: string): PeerProcess {
  const flags = [`--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];
  const options = ["--quiet", "--no-prompt", "--no-check", ...flags];
  return new PeerProcess("deno", "run", ...options, PROGRAM, mode, path);
}

/** Runs `client` against `server`, which removes its path in the end. */
async function exchange(
  server: (path: string) => PeerProcess,
  client: (path: string) => PeerProcess,
): Promise<string> {
  const path = `/tmp/gyre-${crypto.randomUUID()}.sock`;
  await using serving = server(path);
  assertEquals(await serving.readLine(), "listening");
  await using asking = client(path);
  const text = await asking.finish();
  assertEquals(await serving.finish(), "");
  return text;
}

Deno.test({
  name: "startUnixServer() serves asyncio.open_unix_connection(), and removes its path",
  ignore: !hasPython,
  async fn() {
    let used = "";
    const serve = (path: string) => ours("serve", used = path);
    assertEquals(await exchange(serve, (path) => python("connect", path)), EXPECTED);
    assertThrows(() => Deno.lstatSync(used), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "openUnixConnection() talks to asyncio.start_unix_server()",
  ignore: !hasPython,
  async fn() {
    let used = "";
    const serve = (path: string) => python("serve", used = path);
    assertEquals(await exchange(serve, (path) => ours("connect", path)), EXPECTED);
    try {
      Deno.removeSync(used);
    } catch {
      // Since CPython 3.13 the server has done it.
    }
  },
});

Deno.test({
  name: "startUnixServer() serves nc -U",
  ignore: !hasCommand("nc", "-h"),
  async fn() {
    const path = `/tmp/gyre-${crypto.randomUUID()}.sock`;
    await using server = ours("serve", path);
    assertEquals(await server.readLine(), "listening");
    await using nc = new PeerProcess("nc", "-U", "-N", path);
    assertEquals(await nc.finish("one\ntwo\n"), "one\ntwo\n");
    assertEquals(await server.finish(), "");
  },
});
