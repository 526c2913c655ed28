import { DenoEventLoop } from "../../loop/deno_event_loop.ts";
import type { LoopPermissions } from "../../loop/permissions/loop_permissions.ts";
import { DefaultEventLoopPolicy, registerEventLoopPolicy } from "../../loop/policy.ts";
import { checkOptions, FLAG, OBJECT, type OptionTable } from "../../loop/values/check_options.ts";
import { nativePlatform } from "./native_platform.ts";

/**
 * Settings of {@linkcode newNativeEventLoop}.
 *
 * @category Native backend
 */
export interface NativeEventLoopOptions {
  /** Records origins and reports slow callbacks. Off by default. */
  debug?: boolean | undefined;
  /** What the loop may do, as for a `DenoEventLoop`; its native sockets are held to it too. */
  permissions?: LoopPermissions | undefined;
}

const OPTIONS: OptionTable<NativeEventLoopOptions> = { debug: FLAG, permissions: OBJECT };

/**
 * Creates a loop of the native backend; what `run()` takes as `loopFactory`.
 *
 * @permissions allow-ffi, and what the same program needs on Deno's own backend
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`.
 * @category Native backend
 */
export function newNativeEventLoop(options: NativeEventLoopOptions = {}): DenoEventLoop {
  checkOptions("create an event loop", options, OPTIONS);
  return new DenoEventLoop({ ...options, platform: nativePlatform() });
}

/** The policy "native". */
class NativeEventLoopPolicy extends DefaultEventLoopPolicy {
  override newEventLoop(): DenoEventLoop {
    return newNativeEventLoop();
  }
}

/** Has the policy "native" be there. */
export function registerNativePolicy(): void {
  registerEventLoopPolicy("native", () => new NativeEventLoopPolicy());
}
