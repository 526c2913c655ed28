import type { EventLoop } from "../loop/event_loop.ts";
import { createNetworkError } from "./_deno_errors.ts";
import { SimulatedChannel } from "./_simulated_channel.ts";
import { StreamLink } from "./_stream_link.ts";
import type { Stack, Wire } from "./_wire.ts";

/** What a pipe says about where it goes. */
const NOWHERE: Deno.UnixAddr = { transport: "unix", path: "" };
const PLACE: Deno.NetAddr = { transport: "tcp", hostname: "pipe", port: 0 };

/** The two ends of a pipe between processes of one host. */
export interface Pipe {
  /** The end of our process. */
  readonly near: SimulatedChannel;
  /** The end of the other process. */
  readonly far: SimulatedChannel;
}

/** Creates a pipe over `wire`, on `stack`, between two loops. */
export function createPipe(
  wire: Wire,
  stack: Stack,
  nearLoop: EventLoop,
  farLoop: EventLoop,
): Pipe {
  const createLink = (receiver: () => SimulatedChannel, sender: () => SimulatedChannel) => {
    const broken = () => sender().fail(createNetworkError("brokenPipe", "use a pipe"));
    return new StreamLink(wire, {
      from: stack,
      to: stack,
      source: PLACE,
      destination: PLACE,
      receive: (kind, bytes) => receiver().receive(kind, bytes),
      refused: broken,
      timedOut: broken,
    });
  };
  const createEnd = (loop: EventLoop, link: StreamLink, peerLink: StreamLink) => {
    return new SimulatedChannel(loop, {
      link,
      peerLink: () => peerLink,
      sockname: NOWHERE,
      peername: NOWHERE,
      onClose: () => {},
    });
  };
  const fromNear: StreamLink = createLink(() => far, () => near);
  const fromFar: StreamLink = createLink(() => near, () => far);
  const near: SimulatedChannel = createEnd(nearLoop, fromNear, fromFar);
  const far: SimulatedChannel = createEnd(farLoop, fromFar, fromNear);
  return { near, far };
}
