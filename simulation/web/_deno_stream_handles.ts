import { Buffer } from "node:buffer";
import type { Server } from "node:net";
import { nodeBinding } from "../_deno_handles.ts";
import type { Patch } from "../_patch.ts";
import type { World } from "../_world.ts";
import { errorNumber, type HandleRequest } from "./_deno_node.ts";
import { type HandleAddress, type StreamHandle, StreamState } from "./_stream_handle.ts";

/** What is behind each handle that a simulation uses. */
const states: WeakMap<object, StreamState> = new WeakMap();

/** Returns what is behind `handle`, which begins now if nothing is. */
function begin(world: World, handle: StreamHandle): StreamState {
  const known = states.get(handle);
  if (known !== undefined) return known;
  const state = new StreamState(world.place, handle);
  states.set(handle, state);
  return state;
}

/** What is asked of a handle, with its arguments. */
type Call = (state: StreamState, ...args: never[]) => unknown;

/** Methods that use a port or a path, of sockets with ports. */
const TCP_CALLS: Readonly<Record<string, Call>> = {
  bind: (state, hostname: string, port: number) => state.bind({ hostname, port }),
  bind6: (state, hostname: string, port: number) => state.bind({ hostname, port }),
  bindWithFlags: (state, hostname: string, port: number) => state.bind({ hostname, port }),
  connect: (state, request: HandleRequest, hostname: string, port: number) => {
    return state.connect(request, { hostname, port });
  },
  connect6: (state, request: HandleRequest, hostname: string, port: number) => {
    return state.connect(request, { hostname, port });
  },
  listen: (state, backlog: number) => state.listen(backlog),
  useUserBuffer: (state, buffer: Uint8Array) => state.useUserBuffer(buffer),
};

/** The same of those with paths. */
const PIPE_CALLS: Readonly<Record<string, Call>> = {
  bind: (state, path: string) => state.bind(path),
  connect: (state, request: HandleRequest, path: string) => state.connect(request, path),
  listen: (state, backlog: number) => state.listen(backlog),
  useUserBuffer: (state, buffer: Uint8Array) => state.useUserBuffer(buffer),
};

const nothing = (): number => 0;

/** What is asked of a handle that is in use. */
const OTHER_CALLS: Readonly<Record<string, Call>> = {
  accept: (state, client: StreamHandle) => {
    const channel = state.accept();
    if (channel === null) return errorNumber("EAGAIN");
    states.set(client, new StreamState(state.place, client, channel));
    return 0;
  },
  close: (state, done?: () => void) => state.close(done),
  fchmod: nothing,
  getBytesRead: (state) => state.getBytesRead(),
  getBytesWritten: (state) => state.getBytesWritten(),
  getpeername: (state, out: HandleAddress) => state.getpeername(out),
  getsockname: (state, out: HandleAddress) => state.getsockname(out),
  hasRef: () => true,
  readStart: (state) => state.readStart(),
  readStop: (state) => state.readStop(),
  ref: (state) => state.ref(),
  reset: (state) => state.reset(),
  setBlocking: nothing,
  setKeepAlive: nothing,
  setNoDelay: nothing,
  shutdown: (state, request: HandleRequest) => state.shutdown(request),
  unref: (state) => state.unref(),
  writeAsciiString: (state, request: HandleRequest, text: string) => {
    return state.write(request, Buffer.from(text, "latin1"));
  },
  writeBuffer: (state, request: HandleRequest, bytes: Uint8Array) => state.write(request, bytes),
  writeLatin1String: (state, request: HandleRequest, text: string) => {
    return state.write(request, Buffer.from(text, "latin1"));
  },
  writeUcs2String: (state, request: HandleRequest, text: string) => {
    return state.write(request, Buffer.from(text, "utf16le"));
  },
  writeUtf8String: (state, request: HandleRequest, text: string) => {
    return state.write(request, Buffer.from(text, "utf8"));
  },
  writev: (state, request: HandleRequest, chunks: unknown[], areBuffers: boolean) => {
    return state.write(request, joinChunks(chunks, areBuffers));
  },
};

/** Joins what is written at once: buffers, or chunks with the encoding of each. */
function joinChunks(chunks: unknown[], areBuffers: boolean): Uint8Array {
  if (areBuffers) return Buffer.concat(chunks as Uint8Array[]);
  const buffers: Uint8Array[] = [];
  for (let index = 0; index < chunks.length; index += 2) {
    const [chunk, encoding] = [chunks[index], chunks[index + 1]];
    buffers.push(
      typeof chunk === "string" ? Buffer.from(chunk, encoding as "utf8") : chunk as Uint8Array,
    );
  }
  return Buffer.concat(buffers);
}

/** Returns what stands for the method called `key` of handles; `undefined` if nothing does. */
export function serveStreamHandle(
  key: string,
  world: World,
  readOriginal: () => unknown,
  target: object,
): unknown {
  const { TCP } = nodeBinding("tcp_wrap") as { TCP: { prototype: object } };
  const beginning = (target === TCP.prototype ? TCP_CALLS : PIPE_CALLS)[key];
  if (beginning !== undefined) {
    return function (this: StreamHandle, ...args: never[]): unknown {
      return beginning(begin(world, this), ...args);
    };
  }
  const other = OTHER_CALLS[key];
  if (other === undefined) return undefined;
  const original = readOriginal() as () => unknown;
  return function (this: StreamHandle, ...args: never[]): unknown {
    const state = states.get(this);
    return state === undefined ? Reflect.apply(original, this, args) : other(state, ...args);
  };
}

/** Lets `server` listen within the call, which it does for a handle alone. */
export function listenAtOnce(server: Server, hostname: string, port: number): void {
  const { TCP, constants } = nodeBinding("tcp_wrap") as unknown as {
    TCP: new (type: number) => StreamHandle & { bind(hostname: string, port: number): number };
    constants: { SERVER: number };
  };
  const handle = new TCP(constants.SERVER);
  handle.bind(hostname, port);
  server.listen(handle);
  const failure = states.get(handle)?.listenFailure ?? null;
  if (failure !== null) throw failure;
}

/** The HTTP parser must not read a handle by itself that has no socket of the host. */
export function streamHandlePatches(): Patch[] {
  const { TCP } = nodeBinding("tcp_wrap") as { TCP: { prototype: object } };
  return [{
    target: TCP.prototype,
    key: "isStreamBase",
    read: (_world, handle, readOriginal) => !states.has(handle) && readOriginal(),
  }];
}
