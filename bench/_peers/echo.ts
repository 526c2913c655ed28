import {
  FOLDER,
  isQuick,
  measureLoad,
  type Peer,
  PYTHON,
  ServerProcess,
  type Workload,
} from "./workload.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** How many connections send messages of how many bytes. */
const SHAPES: readonly (readonly [connections: number, bytes: number])[] = [
  [10, 1024],
  [100, 100],
  [10, 100 * 1024],
  [1000, 100],
];

/** Seconds for which a server is measured. */
const SECONDS = isQuick ? 0.1 : 2;

export const NET = "--allow-net=127.0.0.1";

/** The command of an echo server of this package on the native backend. */
export function native(args: readonly string[], ...flags: string[]): [string, ...string[]] {
  return [
    "deno",
    "run",
    NET,
    "--allow-ffi",
    ...flags,
    `${FOLDER}echo_server.ts`,
    "native",
    ...args,
  ];
}

const C_PROGRAM = filePath(new URL("../_build/echo_server", import.meta.url));

/** What the kernel itself costs. */
const C_FLOOR: Peer = {
  name: "C, epoll",
  command: [C_PROGRAM],
  build: ["cc", "-O2", "-o", C_PROGRAM, `${FOLDER}echo_server.c`],
};

const PROTOCOL_PEERS: readonly Peer[] = [
  { name: "ours", command: ["deno", "run", NET, `${FOLDER}echo_server.ts`, "protocol"] },
  { name: "ours, buffered", command: ["deno", "run", NET, `${FOLDER}echo_server.ts`, "buffered"] },
  { name: "ours, native", command: native(["protocol"]) },
  { name: "ours, native buffered", command: native(["buffered"]) },
  { name: "raw Deno 16K", command: ["deno", "run", NET, `${FOLDER}raw_deno_server.ts`, "16384"] },
  { name: "raw Deno 256K", command: ["deno", "run", NET, `${FOLDER}raw_deno_server.ts`, "262144"] },
  { name: "uvloop", command: [PYTHON, `${FOLDER}echo_server.py`, "uvloop", "protocol"] },
  { name: "uvloop, buffered", command: [PYTHON, `${FOLDER}echo_server.py`, "uvloop", "buffered"] },
  { name: "asyncio", command: [PYTHON, `${FOLDER}echo_server.py`, "asyncio", "protocol"] },
  { name: "Node net", command: ["node", `${FOLDER}echo_server.mjs`, "protocol"] },
  { name: "Bun", command: ["bun", `${FOLDER}echo_server.bun.js`] },
  C_FLOOR,
];

const STREAM_PEERS: readonly Peer[] = [
  { name: "ours", command: ["deno", "run", NET, `${FOLDER}echo_server.ts`, "streams"] },
  {
    name: "ours, coroutine",
    command: ["deno", "run", NET, `${FOLDER}echo_server.ts`, "coroutine"],
  },
  { name: "ours, native", command: native(["streams"]) },
  { name: "ours, native coroutine", command: native(["coroutine"]) },
  { name: "uvloop", command: [PYTHON, `${FOLDER}echo_server.py`, "uvloop", "streams"] },
  { name: "asyncio", command: [PYTHON, `${FOLDER}echo_server.py`, "asyncio", "streams"] },
];

const DATAGRAM = [`${FOLDER}echo_server.ts`, "datagram"];

const DATAGRAM_PEERS: readonly Peer[] = [
  { name: "ours", command: ["deno", "run", "--unstable-net", NET, ...DATAGRAM] },
  { name: "ours, native", command: native(["datagram"]) },
  { name: "ours, node:dgram", command: ["deno", "run", NET, ...DATAGRAM] },
  { name: "uvloop", command: [PYTHON, `${FOLDER}echo_server.py`, "uvloop", "datagram"] },
  { name: "asyncio", command: [PYTHON, `${FOLDER}echo_server.py`, "asyncio", "datagram"] },
  // What a process pays that has never closed a connection; see echo_server.py.
  {
    name: "asyncio, cold",
    command: [PYTHON, `${FOLDER}echo_server.py`, "asyncio", "cold_datagram"],
  },
  { name: "Node dgram", command: ["node", `${FOLDER}echo_server.mjs`, "datagram"] },
];

const CERTIFICATES = filePath(new URL("../../tests/transports/certificates/", import.meta.url));
const KEY_PAIR = [`${CERTIFICATES}server.pem`, `${CERTIFICATES}server.key`];
const READ = `--allow-read=${CERTIFICATES}`;

const TLS_PEERS: readonly Peer[] = [
  {
    name: "ours",
    command: ["deno", "run", NET, READ, `${FOLDER}echo_server.ts`, "tls", ...KEY_PAIR],
  },
  { name: "ours, native", command: native(["tls", ...KEY_PAIR], READ) },
  { name: "uvloop", command: [PYTHON, `${FOLDER}echo_server.py`, "uvloop", "tls", ...KEY_PAIR] },
  { name: "asyncio", command: [PYTHON, `${FOLDER}echo_server.py`, "asyncio", "tls", ...KEY_PAIR] },
  { name: "Node tls", command: ["node", `${FOLDER}echo_server.mjs`, "tls", ...KEY_PAIR] },
];

export const STREAM_LOAD = ["deno", "run", NET, `${FOLDER}echo_load.ts`];
const TLS_LOAD = [PYTHON, `${FOLDER}tls_load.py`, `${CERTIFICATES}authority.pem`];
const DATAGRAM_LOAD = [PYTHON, `${FOLDER}datagram_load.py`];

/** TCP echo on protocols and on streams, for each shape of load, TLS echo and UDP echo. */
export const echoWorkloads: readonly Workload[] = [
  ...SHAPES.flatMap(([connections, bytes]) => [
    echoWorkload("TCP echo", PROTOCOL_PEERS, STREAM_LOAD, connections, bytes),
    echoWorkload("TCP streams echo", STREAM_PEERS, STREAM_LOAD, connections, bytes),
  ]),
  echoWorkload("TLS echo", TLS_PEERS, TLS_LOAD, 10, 1024),
  echoWorkload("TLS echo", TLS_PEERS, TLS_LOAD, 10, 100 * 1024),
  echoWorkload("UDP echo", DATAGRAM_PEERS, DATAGRAM_LOAD, 10, 1024),
];

function echoWorkload(
  name: string,
  peers: readonly Peer[],
  load: readonly string[],
  connections: number,
  bytes: number,
): Workload {
  return {
    name: `${name}, ${connections} x ${bytes} B`,
    unit: "us of server CPU per message",
    peers,
    async measure(peer) {
      const server = await ServerProcess.start(peer.command);
      try {
        const { cpuSeconds, messages } = await measureLoad(
          server,
          load,
          connections,
          bytes,
          SECONDS,
        );
        return { "": cpuSeconds / messages * 1e6 };
      } finally {
        await server.stop();
      }
    },
  };
}
