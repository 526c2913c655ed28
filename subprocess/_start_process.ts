import { filePath } from "../loop/platform/deno_system.ts";
import type { Program, SpawnOptions } from "../loop/platform/platform.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { checkFactory, createProtocol } from "../transports/core/create_protocol.ts";
import { checkOptions } from "./_check_options.ts";
import { ProcessTransport } from "./_process_transport.ts";
import type { SubprocessOptions } from "./subprocess_exec.ts";
import type { SubprocessProtocolLike } from "./subprocess_protocol.ts";

/** Starts `program`, whose standard streams are pipes unless `options` say otherwise. */
export function* startProcess<P extends SubprocessProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  program: Program,
  options: SubprocessOptions,
): Coroutine<[ProcessTransport, P]> {
  checkFactory(protocolFactory);
  const protocol = createProtocol(protocolFactory);
  const opened = loop.createFuture<void>();
  const transport = new ProcessTransport(loop, protocol, program, spawnOptions(options), opened);
  try {
    yield* opened;
  } catch (error) {
    transport.close();
    yield* transport.waitFor("ended");
    throw error;
  }
  return [transport, protocol];
}

/** What is checked is what is started: no getter or proxy of the caller's is asked again. */
function spawnOptions(given: SubprocessOptions): SpawnOptions {
  const { stdin = "piped", stdout = "piped", stderr = "piped" } = given;
  const { clearEnv, startNewSession, user, group } = given;
  const cwd = given.cwd === undefined ? undefined : filePath(given.cwd);
  const env = given.env === undefined ? undefined : { ...given.env };
  const options = { stdin, stdout, stderr, cwd, env, clearEnv, startNewSession, user, group };
  checkOptions(options);
  return options;
}
