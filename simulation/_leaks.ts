import * as inside from "../loop/inside.ts";
import { formatAddress } from "../loop/values/format_address.ts";
import { callbackOf, describeCallback } from "../loop/scheduling/handle.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Task } from "../loop/tasks/task.ts";
import type { TimerHandle } from "../loop/scheduling/timer_handle.ts";
import { type OpenResource, openResources } from "../transports/core/open_resources.ts";

/** Returns what is left on `loop`, in words; tasks other than `current`. */
export function describeLeaks(loop: EventLoop, current: Task<unknown> | null): string[] {
  const tasks = [...loop[inside.tasks]].filter((task) => task !== current);
  return [
    ...tasks.map((task) => `task "${task.getName()}" still runs`),
    ...loop[inside.timers].list().map((timer) => `${describeTimer(timer)} is pending`),
    ...[...openResources(loop)].map((resource) => `${describeResource(resource)} is open`),
  ];
}

function describeTimer(timer: TimerHandle): string {
  const callback = callbackOf(timer);
  const name = callback === null ? "" : ` of ${describeCallback(callback)}`;
  return `timer${name} at ${timer.when()} seconds`;
}

/** What transports and servers have that tells them apart. */
interface Described {
  readonly addresses?: readonly Deno.Addr[];
  getExtraInfo?(name: string): unknown;
}

function describeResource(resource: OpenResource): string {
  const { constructor: { name }, addresses } = resource as OpenResource & Described;
  const peer = (resource as Described).getExtraInfo?.("peername") as Deno.Addr | undefined;
  if (peer !== undefined) return `${name} to ${describeAddress(peer)}`;
  const listed = (addresses ?? []).map(describeAddress).join(", ");
  return listed === "" ? name : `${name} on ${listed}`;
}

function describeAddress(address: Deno.Addr): string {
  if ("hostname" in address) return formatAddress(address);
  return "path" in address ? String(address.path) : address.transport;
}
