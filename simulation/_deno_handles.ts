import childProcess from "node:child_process";
import process from "node:process";
import type { Patch } from "./_patch.ts";
import { createRefusal } from "./_refused_call.ts";

/** Methods of the handles that `node:net` works with; those that reach the world stand first. */
const STREAM_METHODS = {
  reaching: ["bind", "connect", "listen", "open"],
  reachingTcp: ["bind6", "bindWithFlags", "connect6"],
  other: [
    "accept",
    "close",
    "getBytesRead",
    "getBytesWritten",
    "getpeername",
    "getsockname",
    "hasRef",
    "readStart",
    "readStop",
    "ref",
    "reset",
    "setBlocking",
    "setKeepAlive",
    "setNoDelay",
    "shutdown",
    "unref",
    "useUserBuffer",
    "writeAsciiString",
    "writeBuffer",
    "writeLatin1String",
    "writeUcs2String",
    "writeUtf8String",
    "writev",
  ],
} as const;

/** Methods of the handle that `node:dgram` works with. */
const DATAGRAM_METHODS = {
  reaching: [
    "addMembership",
    "addSourceSpecificMembership",
    "bind",
    "bind6",
    "dropMembership",
    "open",
  ],
  other: [
    "close",
    "connect",
    "connect6",
    "disconnect",
    "getpeername",
    "getsockname",
    "hasRef",
    "recvStart",
    "recvStop",
    "ref",
    "send",
    "send6",
    "setBroadcast",
    "setMulticastInterface",
    "setMulticastLoopback",
    "setMulticastTTL",
    "setTTL",
    "unref",
  ],
} as const;

/** Questions to a name server that are asked one at a time. */
const DNS_QUESTIONS = [
  "getHostByAddr",
  "queryA",
  "queryAaaa",
  "queryAny",
  "queryCaa",
  "queryCname",
  "queryMx",
  "queryNaptr",
  "queryNs",
  "queryPtr",
  "querySoa",
  "querySrv",
  "queryTxt",
];

/** A part of Node that is below its modules, such as `tcp_wrap`. */
export function nodeBinding(name: string): Record<string, unknown> {
  const { binding } = process as unknown as { binding(name: string): Record<string, unknown> };
  return binding(name);
}

/**
 * What `node:` modules reach the real world by. Programs have these modules by named imports, which
 * cannot be replaced; but they all stand on a few classes, whose methods can.
 */
export function handlePatches(): Patch[] {
  const { TCP } = nodeBinding("tcp_wrap") as { TCP: { prototype: object } };
  const { Pipe } = nodeBinding("pipe_wrap") as { Pipe: { prototype: object } };
  const { UDP } = nodeBinding("udp_wrap") as { UDP: { prototype: object } };
  const cares = nodeBinding("cares_wrap") as { ChannelWrap: { prototype: object } };
  const { reaching, reachingTcp } = STREAM_METHODS;
  return [
    ...reach(TCP.prototype, "node:net.", [...reaching, ...reachingTcp]),
    ...reach(Pipe.prototype, "node:net.", reaching),
    ...reach(UDP.prototype, "node:dgram.", DATAGRAM_METHODS.reaching),
    ...reach(cares, "node:dns.", ["getaddrinfo", "getnameinfo"]),
    ...reach(cares.ChannelWrap.prototype, "node:dns.", DNS_QUESTIONS),
    ...reach(childProcess.ChildProcess.prototype, "node:child_process.", ["spawn"]),
    ...reach(childProcess, "node:child_process.", ["execFileSync", "execSync", "spawnSync"]),
  ];
}

/** The rest of what a handle is asked, once it is in use. */
export function usedHandlePatches(): Patch[] {
  const { TCP } = nodeBinding("tcp_wrap") as { TCP: { prototype: object } };
  const { Pipe } = nodeBinding("pipe_wrap") as { Pipe: { prototype: object } };
  const { UDP } = nodeBinding("udp_wrap") as { UDP: { prototype: object } };
  const { other } = STREAM_METHODS;
  return [
    ...serve(TCP.prototype, "node:net.", other),
    ...serve(Pipe.prototype, "node:net.", [...other, "fchmod"]),
    ...serve(UDP.prototype, "node:dgram.", DATAGRAM_METHODS.other),
  ];
}

/** What is refused unless the world serves it. */
function reach(target: object, prefix: string, keys: readonly string[]): Patch[] {
  return keys.filter((key) => key in target).map((key): Patch => ({
    target,
    key,
    create: (world, readOriginal) => {
      const refuse = () => createRefusal(`${prefix}${key}()`, false);
      return world.serve(`${prefix}${key}`, readOriginal, target) ?? refuse();
    },
  }));
}

/** What is as it was unless the world serves it. */
function serve(target: object, prefix: string, keys: readonly string[]): Patch[] {
  return keys.filter((key) => key in target).map((key): Patch => ({
    target,
    key,
    create: (world, readOriginal) => {
      return world.serve(`${prefix}${key}`, readOriginal, target) ?? readOriginal();
    },
  }));
}
