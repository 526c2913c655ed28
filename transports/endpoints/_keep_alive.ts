import type { ByteChannel } from "../../loop/platform/platform.ts";

/** What has the setting: sockets of Deno and of Node. */
interface KeptAlive {
  setKeepAlive?(isOn: boolean): unknown;
}

/**
 * Has the system probe the connection under `channel` while it is silent, or not. A simulated one has
 * nothing to probe, nor has a Unix socket.
 */
export function setKeepAlive(channel: ByteChannel, isOn: boolean | undefined): void {
  if (isOn === undefined) return;
  (channel.getExtraInfo("socket") as KeptAlive | undefined)?.setKeepAlive?.(isOn);
}
