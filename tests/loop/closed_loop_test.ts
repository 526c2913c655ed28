// Whatever is begun on a loop that is closed is refused at the call: nothing would end it, or close it.
import { assertThrows } from "@std/assert";
import { DenoEventLoop, InvalidStateError, runCoroutineThreadsafe } from "../../mod.ts";

const protocol = () => ({});
const ADDRESS = { hostname: "127.0.0.1", port: 9 };

/** What begins something, and what its error says cannot be done. */
const CALLS: Readonly<Record<string, [action: string, begin: (loop: DenoEventLoop) => unknown]>> = {
  "callSoon()": ["schedule a callback", (loop) => loop.callSoon(() => {})],
  "callLater()": ["schedule a callback", (loop) => loop.callLater(1, () => {})],
  "createTask()": ["create a task", (loop) => loop.createTask(() => 1)],
  "createConnection()": ["create a connection", (loop) => loop.createConnection(protocol, ADDRESS)],
  "createUnixConnection()": [
    "create a connection",
    (loop) => loop.createUnixConnection(protocol, { path: "/tmp/none" }),
  ],
  "createServer()": ["create a server", (loop) => loop.createServer(protocol, ADDRESS)],
  "createUnixServer()": [
    "create a server",
    (loop) => loop.createUnixServer(protocol, { path: "/tmp/none" }),
  ],
  "connectAcceptedSocket()": [
    "connect an accepted socket",
    (loop) => loop.connectAcceptedSocket(protocol, { sock: {} as never }),
  ],
  "createDatagramEndpoint()": [
    "open a datagram endpoint",
    (loop) => loop.createDatagramEndpoint(protocol, { localAddress: ADDRESS }),
  ],
  "getaddrinfo()": ["resolve an address", (loop) => loop.getaddrinfo("localhost", 80)],
  "getnameinfo()": ["find a name", (loop) => loop.getnameinfo(ADDRESS)],
  "connectReadPipe()": [
    "open a pipe",
    (loop) => loop.connectReadPipe(protocol, new ReadableStream()),
  ],
  "connectWritePipe()": [
    "open a pipe",
    (loop) => loop.connectWritePipe(protocol, new WritableStream()),
  ],
  "subprocessExec()": ["start a process", (loop) => loop.subprocessExec(protocol, "true")],
  "subprocessShell()": ["start a process", (loop) => loop.subprocessShell(protocol, "true")],
  "runInExecutor()": ["run a job in an executor", (loop) => loop.runInExecutor(null, () => 1)],
  "runCoroutineThreadsafe()": [
    "run a coroutine",
    (loop) => runCoroutineThreadsafe(() => 1, loop),
  ],
  "addSignalHandler()": ["add a callback", (loop) => loop.addSignalHandler("SIGUSR1", () => {})],
  "addReader()": ["watch descriptor 5", (loop) => loop.addReader(5, () => {})],
};

for (const [name, [action, begin]] of Object.entries(CALLS)) {
  Deno.test(`${name} on a loop that is closed throws at the call`, () => {
    const loop = new DenoEventLoop();
    loop.close();
    const message = `Cannot ${action}: the event loop is closed`;
    assertThrows(() => begin(loop), InvalidStateError, message);
  });
}
