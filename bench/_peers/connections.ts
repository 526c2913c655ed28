import {
  FOLDER,
  isQuick,
  measureLoad,
  type Peer,
  PYTHON,
  ServerProcess,
  type Workload,
} from "./workload.ts";
import { native, NET, STREAM_LOAD } from "./echo.ts";

/** Connections that are idle while memory is measured. */
const IDLE = isQuick ? 100 : 5000;
/** Connections among which a server shares its time. */
const CROWD = isQuick ? 100 : 10_000;
/** Seconds for which each peer is measured. */
const SECONDS = isQuick ? 0.1 : 2;
/** Seconds in which even the slowest of a crowd has some messages. */
const CROWD_SECONDS = isQuick ? 0.1 : 5;

const CONNECTION_LOAD = ["deno", "run", NET, `${FOLDER}connection_load.ts`];

/** The same kind of server on this package, on its native backend, on uvloop and on asyncio. */
function peersOf(kind: string): Peer[] {
  const python = `${FOLDER}echo_server.py`;
  return [
    { name: "ours", command: ["deno", "run", NET, `${FOLDER}echo_server.ts`, kind] },
    { name: "ours, native", command: native([kind]) },
    { name: "uvloop", command: [PYTHON, python, "uvloop", kind] },
    { name: "asyncio", command: [PYTHON, python, "asyncio", kind] },
  ];
}

/** Runs a server of a peer while `measure` asks it. */
async function whileServing(
  { command }: Peer,
  measure: (server: ServerProcess) => Promise<number>,
): Promise<Record<string, number>> {
  const server = await ServerProcess.start(command);
  try {
    return { "": await measure(server) };
  } finally {
    await server.stop();
  }
}

/** Memory of connections on which nothing happens, after each has had a byte back. */
function idleWorkload(kind: string): Workload {
  return {
    name: `idle connection, ${kind}`,
    unit: "KiB of memory",
    peers: peersOf(kind),
    measure: (peer) => whileServing(peer, measureIdle),
  };
}

async function measureIdle(server: ServerProcess): Promise<number> {
  const args = ["idle", String(server.port), String(IDLE)];
  const [program = "", ...rest] = [...CONNECTION_LOAD, ...args];
  const before = await server.residentKiB();
  const child = new Deno.Command(program, {
    args: rest,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  await output.read();
  const grown = await server.residentKiB() - before;
  await child.stdin.close();
  while (!(await output.read()).done);
  await child.status;
  return grown / IDLE;
}

/** Connecting, a byte and back, closing; how a crowd is served; an echo beside other work. */
export const connectionWorkloads: readonly Workload[] = [
  {
    name: "TCP connect, 1 B and back, close",
    unit: "us of server CPU per connection",
    peers: peersOf("protocol"),
    measure: (peer) =>
      whileServing(peer, async (server) => {
        const load = [...CONNECTION_LOAD, "cycles"];
        const { cpuSeconds, messages } = await measureLoad(server, load, 10, 1, SECONDS);
        return cpuSeconds / messages * 1e6;
      }),
  },
  idleWorkload("protocol"),
  idleWorkload("streams"),
  {
    name: `TCP echo, ${CROWD} x 100 B`,
    unit: "messages of the median connection by those of the slowest",
    peers: peersOf("protocol"),
    measure: (peer) =>
      whileServing(peer, async (server) => {
        const result = await measureLoad(server, STREAM_LOAD, CROWD, 100, CROWD_SECONDS);
        return result.median / result.slowest;
      }),
  },
  {
    name: "TCP echo beside 20 tasks that never sleep",
    unit: "ms for half of the echoes",
    peers: peersOf("busy"),
    measure: (peer) =>
      whileServing(
        peer,
        async (server) => (await measureLoad(server, STREAM_LOAD, 1, 64, SECONDS)).p50,
      ),
  },
];
