import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import * as inside from "../../loop/inside.ts";
import { checkOptions, type OptionTable } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { interruptedBy } from "../../loop/tasks/interrupted_by.ts";
import type { Listener } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { checkFactory } from "../core/create_protocol.ts";
import type { ProtocolLike } from "../protocol.ts";
import { secureServer } from "../tls/_secure_channel.ts";
import type { TlsServerSettings } from "../tls/tls_options.ts";
import { Server, type ServerSettings } from "./server.ts";

/** The options that servers of every kind have. */
interface ServeOptions extends TlsServerSettings, Omit<ServerSettings, "secure"> {
  startServing?: boolean | undefined;
}

/** A kind of server, told from others by the options `O` that say where it listens. */
export interface ServerKind<O extends object> {
  /** What the options must be. */
  readonly table: OptionTable<O>;
  /** Binds the listeners. Cancelled, it leaves nothing open. */
  listen(loop: PlatformLoop, options: O): Coroutine<Listener[]>;
}

/** Creates a server of a kind: binds its listeners, and accepts unless it is to wait with that. */
export function serve<A extends Deno.Addr, O extends ServeOptions>(
  loop: PlatformLoop,
  protocolFactory: () => ProtocolLike,
  options: O,
  kind: ServerKind<O>,
): Future<Server<A>> {
  checkFactory(protocolFactory);
  checkOptions("create a server", options, kind.table);
  checkLoopOpen(loop, "create a server");
  const start = () =>
    startOperation(
      loop,
      serverSteps<A, O>(loop, protocolFactory, options, kind),
      "listen on",
      options,
    );
  return interruptedBy(loop, options.signal, start);
}

function* serverSteps<A extends Deno.Addr, O extends ServeOptions>(
  loop: PlatformLoop,
  protocolFactory: () => ProtocolLike,
  options: O,
  kind: ServerKind<O>,
): Coroutine<Server<A>> {
  const secure = secureServer(loop, options);
  // What kind of addresses they have, the options say.
  const listeners = (yield* kind.listen(loop, options)) as Listener<A>[];
  const { keepAlive, signal } = options;
  const server = new Server(loop, listeners, protocolFactory, { secure, keepAlive, signal });
  if (options.startServing ?? true) server[inside.start]();
  return server;
}
