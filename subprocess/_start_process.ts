import type { Program, SpawnOptions } from "../loop/platform/platform.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
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
  const protocol = protocolFactory();
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

function spawnOptions(options: SubprocessOptions): SpawnOptions {
  checkOptions(options);
  const { stdin = "piped", stdout = "piped", stderr = "piped" } = options;
  const { cwd, env, clearEnv, startNewSession, user, group } = options;
  return { stdin, stdout, stderr, cwd, env, clearEnv, startNewSession, user, group };
}
