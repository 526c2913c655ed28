// What an editor knows of what it is given: types that need no cast and no `!`.
import { assertEquals, assertThrows } from "@std/assert";
import {
  createSubprocessExec,
  type CreateSubprocessExecOptions,
  createSubprocessShell,
  createTask,
  type DenoEventLoop,
  type ExtraInfo,
  InvalidStateError,
  openConnection,
  openUnixConnection,
  PIPE,
  type Process,
  type ProcessOutput,
  Runner,
  type Server,
  startServer,
  startUnixServer,
  STDOUT,
  type StreamReader,
  type StreamWriter,
  type TlsInfo,
  type Transport,
} from "../../mod.ts";
import { simulate } from "../../simulation/mod.ts";

/** Whether two types are the same, in both directions. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Holds a value to exactly one type, which `deno check` looks at. */
function holds<Expected>() {
  return <Actual>(value: Actual, _same: Same<Actual, Expected>): Actual => value;
}

const NET = { transport: "tcp", hostname: "127.0.0.1", port: 80 } as const;

Deno.test("Server.address is the first of its addresses, and of their type", () =>
  simulate(async ({ loop }) => {
    const tcp = holds<Server<Deno.NetAddr>>()(
      await startServer((_reader, writer) => writer.close(), { ...NET }),
      true,
    );
    assertEquals(holds<Deno.NetAddr>()(tcp.address, true), NET);
    assertEquals(holds<Deno.NetAddr[]>()(tcp.addresses, true), [NET]);
    const unix = holds<Server<Deno.UnixAddr>>()(
      await startUnixServer((_reader, writer) => writer.close(), { path: "/run/a" }),
      true,
    );
    assertEquals(holds<string>()(unix.address.path, true), "/run/a");
    const byLoop = holds<Server<Deno.NetAddr>>()(
      await loop.createServer(() => ({}), { hostname: ["10.0.0.1", "127.0.0.1"], port: 81 }),
      true,
    );
    assertEquals(byLoop.address, byLoop.addresses[0]);
    for (const server of [tcp, unix, byLoop]) {
      await server.shutdown();
      assertEquals(server.addresses, []);
      const error = assertThrows(() => server.address, InvalidStateError);
      assertEquals(error.message, "Cannot get the address of the server: it is closed");
    }
  }));

Deno.test("createServer() and createConnection() have the type of address of their sock", () => {
  // Never called: a sock needs a permission, and types need no run.
  const _types = async (loop: DenoEventLoop) => {
    const listener = Deno.listen({ transport: "unix", path: "/run/a" });
    holds<Server<Deno.UnixAddr>>()(
      await loop.createServer(() => ({}), { sock: listener }),
      true,
    );
    const [transport] = await loop.createConnection(() => ({}), {
      sock: await Deno.connect({ transport: "unix", path: "/run/a" }),
    });
    holds<Transport<Deno.UnixAddr>>()(transport, true);
    // @ts-expect-error: a TCP listener is no Unix one.
    loop.createUnixServer(() => ({}), { sock: Deno.listen({ port: 0 }) });
  };
  assertEquals(typeof _types, "function");
});

Deno.test("getExtraInfo() has the type of each fact, and unknown for any other name", () =>
  simulate(async () => {
    await using server = await startServer((_reader, writer) => writer.close(), { ...NET });
    const [, writer] = await openConnection(server.address);
    holds<StreamWriter<Deno.NetAddr, Transport<Deno.NetAddr>>>()(writer, true);
    const peer = holds<Deno.NetAddr | undefined>()(writer.getExtraInfo("peername"), true);
    assertEquals(peer, NET);
    assertEquals(holds<TlsInfo | null>()(writer.getExtraInfo("tls", null), true), null);
    assertEquals(holds<unknown>()(writer.getExtraInfo("weather", "fine"), true), "fine");
    holds<keyof ExtraInfo | undefined>()(
      undefined as "peername" | "sockname" | "socket" | "tls" | "pipe" | "subprocess" | undefined,
      true,
    );
    writer.close();

    await using unixServer = await startUnixServer((_reader, writer) => writer.close(), {
      path: "/run/b",
    });
    const [, unix] = await openUnixConnection({ path: unixServer.address.path });
    const path = holds<string | undefined>()(unix.getExtraInfo("peername")?.path, true);
    assertEquals(path, "/run/b");
    unix.close();
  }));

Deno.test("Process knows from its options which of its streams are pipes", () =>
  simulate(async ({ program }) => {
    program("say", (child) => child.stdout.write(new TextEncoder().encode("hello")));
    const none = await createSubprocessExec("say");
    holds<Process<null, null, null>>()(none, true);
    assertEquals([none.stdin, none.stdout, none.stderr], [null, null, null]);
    assertEquals(holds<[null, null]>()(await none.communicate(), true), [null, null]);

    const some = await createSubprocessExec("say", { stdout: PIPE, stderr: STDOUT });
    holds<Process<null, StreamReader, null>>()(some, true);
    const [output, errors] = await some.communicate();
    assertEquals(new TextDecoder().decode(holds<Uint8Array>()(output, true)), "hello");
    assertEquals(holds<null>()(errors, true), null);
  }));

Deno.test("Process may have streams where its options may name pipes", () => {
  const _types = async (given: CreateSubprocessExecOptions, isPiped: boolean) => {
    holds<Process>()(await createSubprocessExec("cat", given), true);
    const perhaps = { stdin: isPiped ? PIPE : undefined } as const;
    const some = await createSubprocessShell("cat", perhaps);
    holds<Process<StreamWriter | null, null, null>>()(some, true);
    const left = await createSubprocessShell("cat", isPiped ? { stdout: PIPE } : {});
    holds<StreamReader | null>()(left.stdout, true);
    holds<ProcessOutput<StreamReader | null, null>>()(await left.communicate(), true);
    const any: Process[] = [some, left];
    // @ts-expect-error: there is no such option.
    createSubprocessExec("cat", { stdn: PIPE });
    // @ts-expect-error: a shell has no arguments.
    createSubprocessShell("cat", { stdin: PIPE, args: [] });
    // @ts-expect-error: that is no target.
    createSubprocessExec("cat", { stdin: "pipe" });
    return any;
  };
  assertEquals(typeof _types, "function");
});

Deno.test("getLoop() of futures, tasks and runners is typed as getRunningLoop() is", async () => {
  await using runner = new Runner();
  const loop = holds<DenoEventLoop>()(runner.getLoop(), true);
  await runner.run(async () => {
    const task = createTask(() => 1);
    assertEquals(holds<DenoEventLoop>()(task.getLoop(), true), loop);
    assertEquals(holds<DenoEventLoop>()(loop.createFuture().getLoop(), true), loop);
    await task;
  });
});
