// A server of streams that a signal ends while a crowd of CPython's clients is connected.
import { assert, assertEquals } from "@std/assert";
import { minorVersion } from "../conformance/cpython.ts";
import { filePath } from "../../loop/platform/deno_system.ts";
import { PeerProcess } from "./_peer_process.ts";

const CROWD = filePath(new URL("_crowd.py", import.meta.url));
const PROGRAM = filePath(new URL("programs/crowd_server.ts", import.meta.url));
const CERTIFICATES = filePath(new URL("../transports/certificates", import.meta.url));
const hasPython = await minorVersion() > 0;

/** How many clients talk, are silent, and never read. */
const [TALKING, SILENT, DEAF] = [60, 15, 3] as const;
const ALL = TALKING + SILENT + DEAF;

function serve(kind: string, path: string): PeerProcess {
  const grants = kind === "unix"
    ? [`--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`]
    : ["--allow-net=127.0.0.1", `--allow-read=${CERTIFICATES}`];
  const options = ["--quiet", "--no-prompt", "--no-check", ...grants];
  return new PeerProcess("deno", "run", ...options, PROGRAM, kind, path, CERTIFICATES);
}

for (const kind of ["tcp", "tls", "unix"]) {
  Deno.test({
    name:
      `serveForever({ grace: 1 }) over ${kind} ends a crowd of CPython's clients when SIGTERM comes`,
    ignore: !hasPython,
    async fn() {
      const path = `/tmp/gyre-${crypto.randomUUID()}.sock`;
      await using server = serve(kind, path);
      const place = (await server.readLine()).replace("listening ", "");
      const sizes = [TALKING, SILENT, DEAF].map(String);
      await using crowd = new PeerProcess("python3", CROWD, kind, place, ...sizes);
      assertEquals(await crowd.readLine(), "there");
      const [cancelled, seconds] = (await server.end("SIGTERM")).split(" ").map(Number);
      assertEquals(cancelled, ALL);
      // A bound for what hangs; on a machine that has nothing else to do it takes 1.2.
      assert(seconds !== undefined && seconds >= 1 && seconds < 10, `${seconds}`);
      const [talking = 0, silent, deaf] = (await crowd.finish()).split(" ").map(Number);
      assertEquals([silent, deaf], [SILENT, DEAF]);
      // Who talks while its server closes may be reset.
      assert(talking > TALKING / 2, `${talking}`);
    },
  });
}
