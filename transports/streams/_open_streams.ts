import { checkOptions, type OptionTable } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { type PlatformLoop, runningPlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import type { Server } from "../endpoints/server.ts";
import type { Transport } from "../transport.ts";
import { StreamReader } from "./stream_reader.ts";
import {
  checkClientConnected,
  type ClientConnected,
  StreamReaderProtocol,
} from "./stream_reader_protocol.ts";
import { StreamWriter } from "./stream_writer.ts";

/** Settings that all streams have. */
interface Limited {
  limit?: number | undefined;
}

/** Makes a connection for protocols: `createConnection()`, or its like. */
type Connect<A extends Deno.Addr, O> = (
  loop: PlatformLoop,
  protocolFactory: () => StreamReaderProtocol,
  options: Omit<O, "limit">,
) => Future<[Transport<A>, StreamReaderProtocol]>;

/** Creates a server for protocols: `createServer()`, or its like. */
type Serve<A extends Deno.Addr, O> = (
  loop: PlatformLoop,
  protocolFactory: () => StreamReaderProtocol<NoInfer<A>>,
  options: Omit<O, "limit">,
) => Future<Server<A>>;

/** Connects by `connect`, and returns streams to and from there. */
export function openStreams<A extends Deno.Addr, O extends Limited>(
  options: O,
  table: OptionTable<O>,
  connect: Connect<A, O>,
): Future<[reader: StreamReader, writer: StreamWriter<A, Transport<A>>]> {
  checkOptions("open a connection", options, table);
  const loop = runningPlatformLoop("open a connection");
  return startOperation(loop, openSteps(loop, options, connect));
}

function* openSteps<A extends Deno.Addr, O extends Limited>(
  loop: PlatformLoop,
  { limit, ...where }: O,
  connect: Connect<A, O>,
): Coroutine<[StreamReader, StreamWriter<A, Transport<A>>]> {
  const reader = new StreamReader({ limit, loop });
  const create = () => new StreamReaderProtocol(reader, { loop });
  const [transport, protocol] = yield* connect(loop, create, where);
  return [reader, new StreamWriter(transport, protocol, { reader })];
}

/** Listens by `serve`, and gives each connection to `clientConnected` as streams. */
export function serveStreams<A extends Deno.Addr, O extends Limited>(
  clientConnected: ClientConnected<NoInfer<A>>,
  options: O,
  table: OptionTable<O>,
  serve: Serve<A, O>,
): Future<Server<A>> {
  checkOptions("start a server", options, table);
  const loop = runningPlatformLoop("start a server");
  checkClientConnected(clientConnected);
  const { limit, ...where } = options;
  return serve(loop, () => {
    const reader = new StreamReader({ limit, loop });
    return new StreamReaderProtocol(reader, { clientConnected, loop });
  }, where);
}
