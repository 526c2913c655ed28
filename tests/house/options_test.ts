import { assert, assertEquals } from "@std/assert";
import {
  Condition,
  Context,
  ContextVar,
  DenoEventLoop,
  run,
  StreamReader,
  WorkerPoolExecutor,
} from "@gyre/asyncio";
import { VirtualClock } from "@gyre/asyncio/simulation";
import { type Call, CALLS } from "./_calls_with_options.ts";

/** Calls with `options` on a loop that runs; gives what is thrown, or "accepted". */
function outcomeOf(call: Call, options: unknown): Promise<string> {
  const loop = new DenoEventLoop();
  return run(async () => {
    try {
      await call(options as never, loop);
      return "accepted";
    } catch (error) {
      // A group wraps what its body throws.
      const inner = error instanceof AggregateError ? error.errors[0] : error;
      return String(inner);
    }
  }, { loopFactory: () => loop });
}

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`${name} refuses an option that nobody knows, and names those that there are`, async () => {
    const text = await outcomeOf(call, { noSuchOption: undefined });
    assert(
      /^TypeError: Cannot .*: unknown option "noSuchOption", (the only one is "\w+"|there are \w+(, \w+)+)$/
        .test(text),
      text,
    );
  });

  Deno.test(`${name} refuses what is no object with options`, async () => {
    for (const wrong of [5, "text", null, ["list"], [], new Map(), Promise.resolve({})]) {
      const text = await outcomeOf(call, wrong);
      assert(/^TypeError: Cannot .*: expected an object with options, got /.test(text), text);
    }
  });
}

Deno.test("options are refused by the names that Python and Node have for them, with the right one", async () => {
  const wrong: [call: string, option: string, meant: string][] = [
    ["openConnection", "host", "hostname"],
    ["openConnection", "ssl", "tls"],
    ["openConnection", "server_hostname", "serverHostname"],
    ["openConnection", "servername", "serverHostname"],
    ["openConnection", "ssl_handshake_timeout", "tlsHandshakeTimeout"],
    ["openConnection", "local_addr", "localAddress"],
    ["openConnection", "happy_eyeballs_delay", "happyEyeballsDelay"],
    ["openConnection", "highWaterMark", "limit"],
    ["openConnection", "socket", "sock"],
    ["startServer", "host", "hostname"],
    ["startServer", "reuse_port", "reusePort"],
    ["startServer", "start_serving", "startServing"],
    ["startServer", "sslContext", "tls"],
    ["createDatagramEndpoint", "remote_addr", "remoteAddress"],
    ["createDatagramEndpoint", "allow_broadcast", "allowBroadcast"],
    ["createSubprocessExec", "start_new_session", "startNewSession"],
    ["createSubprocessExec", "detached", "startNewSession"],
    ["createTask", "eager_start", "eager"],
    ["gather", "return_exceptions", "returnExceptions"],
    ["wait", "return_when", "returnWhen"],
    ["run", "loop_factory", "loopFactory"],
    ["new Queue", "maxsize", "maxSize"],
    ["new WorkerPoolExecutor", "max_workers", "maxWorkers"],
    ["new WorkerPoolExecutor", "thread_name_prefix", "name"],
    ["PoolExecutor.shutdown", "cancel_futures", "cancelFutures"],
    ["printCallGraph", "file", "print"],
    ["DenoEventLoop.startTls", "server_side", "serverSide"],
  ];
  for (const [name, option, meant] of wrong) {
    const text = await outcomeOf(CALLS[name] as Call, { [option]: undefined });
    assert(text.endsWith(`unknown option "${option}", the name is "${meant}"`), text);
  }
});

Deno.test("options of TLS are refused by name, as those around them are", async () => {
  const text = await outcomeOf(CALLS.openConnection as Call, { port: 1, tls: { ca: ["PEM"] } });
  assertEquals(
    text,
    'TypeError: Cannot open a connection: unknown option "ca" of tls, the name is "caCerts"',
  );
});

Deno.test("options of the wrong kind are a TypeError, those out of range a RangeError", async () => {
  const wrong: [call: string, options: object, says: string][] = [
    ["createTask", { eager: 1 }, "TypeError: .*true or false"],
    ["createTask", { signal: {} }, "TypeError: .*an AbortSignal"],
    ["createTask", { context: 5 }, "TypeError: .*a Context"],
    ["createTask", { context: {} }, "TypeError: .*a Context"],
    ["createTask", { context: new Proxy(new Context(), {}) }, "TypeError: .*a Context"],
    [
      "createTask",
      { signal: { aborted: false, addEventListener() {} } },
      "TypeError: .*AbortSignal",
    ],
    ["createTask", { loop: { callSoon() {} } }, "TypeError: .*an event loop"],
    ["openConnection", { port: 1, signal: { addEventListener() {} } }, "TypeError: .*AbortSignal"],
    ["createTask", { loop: {} }, "TypeError: .*an event loop"],
    ["openConnection", { port: "80" }, "TypeError: .*a number"],
    ["openConnection", { hostname: 5 }, "TypeError: .*a string"],
    ["openConnection", { port: 1, limit: "9" }, "TypeError: .*a whole number from 1"],
    ["openConnection", { port: 1, limit: 0.5 }, "RangeError: .*a whole number from 1"],
    ["openConnection", { port: 1, limit: NaN }, "RangeError: .*a whole number from 1"],
    ["openConnection", { port: 1, family: "inet" }, 'RangeError: .*"ipv4" or "ipv6"'],
    ["openConnection", { port: 1, happyEyeballsDelay: -1 }, "RangeError: .*seconds from 0"],
    ["openConnection", { port: 1, interleave: 1.5 }, "RangeError: .*a whole number from 0"],
    ["openConnection", { port: 1, tls: "yes" }, "TypeError: .*true or an object"],
    ["openConnection", { port: 1, tls: false }, "TypeError: .*true or an object"],
    ["openConnection", { port: 1, tls: { caCerts: "PEM" } }, "TypeError: .*a list of strings"],
    ["openConnection", { port: 1, localAddress: "127.0.0.1" }, "TypeError: .*an address"],
    ["openConnection", { port: 1, localAddress: { host: "::1" } }, 'TypeError: .*"hostname"'],
    ["createDatagramEndpoint", { remoteAddress: { port: 1 } }, 'TypeError: .*lacks its "hostname"'],
    ["getaddrinfo", { flags: ["numeric_host"] }, "TypeError: .*a list of"],
    ["simulate", { seed: 1.5 }, "RangeError: .*a whole number"],
    ["startServer", { backlog: 1.1 }, "RangeError: .*a whole number from 0"],
    ["startServer", { backlog: "9" }, "TypeError: .*a whole number from 0"],
    ["startServer", { hostname: [5] }, "TypeError: .*a string or a list of strings"],
    ["createSubprocessExec", { args: "hi you" }, "TypeError: .*a list"],
    ["createSubprocessExec", { env: "A=1" }, "TypeError: .*an object with strings"],
    ["createSubprocessExec", { env: ["A=1"] }, "TypeError: .*an object with strings"],
    ["createSubprocessExec", { env: { A: 1 } }, "TypeError: .*an object with strings"],
    ["createSubprocessExec", { cwd: 5 }, "TypeError: .*a string or a URL"],
    ["createSubprocessExec", { cwd: {} }, "TypeError: .*a string or a URL"],
    ["createSubprocessExec", { cwd: new URL("http://x/") }, "TypeError: .*no URL of a file"],
    ["new ProcessPoolExecutor", { program: {} }, "TypeError: .*a string or a URL"],
    ["createSubprocessExec", { limit: "9" }, "TypeError: .*a whole number from 1"],
    ["createSubprocessExec", { grace: NaN }, "RangeError: .*seconds from 0"],
    ["createSubprocessShell", { args: ["a"] }, 'TypeError: .*unknown option "args"'],
    ["new Queue", { maxSize: 1.5 }, "RangeError: .*a whole number"],
    ["new Queue", { maxSize: "9" }, "TypeError: .*a whole number"],
    ["new WorkerPoolExecutor", { maxWorkers: "2" }, "TypeError: .*a whole number from 1"],
    ["new WorkerPoolExecutor", { heapLimitMb: -1 }, "RangeError: .*a whole number from 1"],
    ["PoolExecutor.map", { concurrency: 0 }, "RangeError: .*a whole number from 1"],
    ["PoolExecutor.shutdown", { timeout: "5" }, "TypeError: .*seconds"],
    ["DenoEventLoop.shutdownDefaultExecutor", { timeout: NaN }, "RangeError: .*seconds"],
    ["run", { grace: "5" }, "TypeError: .*seconds from 0"],
    ["run", { signals: "SIGINT" }, "TypeError: .*a list"],
    ["run", { loopFactory: {} }, "TypeError: .*a function"],
    ["wait", { timeout: "5" }, "TypeError: .*seconds"],
    ["simulate", { seed: "7" }, "TypeError: .*a whole number"],
    ["simulate", { network: { loss: 2 } }, 'RangeError: .*"loss" of network .*from 0 to 1'],
    ["explore", { runs: 1.5 }, "RangeError: .*a whole number from 0"],
  ];
  for (const [name, options, says] of wrong) {
    const text = await outcomeOf(CALLS[name] as Call, options);
    assert(new RegExp(`^${says}`).test(text), `${name} ${Deno.inspect(options)}: ${text}`);
  }
});

Deno.test("options that are undefined count as left out", async () => {
  const left = { name: undefined, eager: undefined, signal: undefined, context: undefined };
  for (const name of ["createTask", "EventLoop.createTask", "new Task", "TaskGroup.createTask"]) {
    assertEquals(await outcomeOf(CALLS[name] as Call, left), "accepted");
  }
  assertEquals(await outcomeOf(CALLS["new Queue"] as Call, { maxSize: undefined }), "accepted");
});

Deno.test("options that are inherited count as those of the object itself", async () => {
  class Settings {
    get maxSize() {
      return 5;
    }
  }
  assertEquals(await outcomeOf(CALLS["new Queue"] as Call, new Settings()), "accepted");
  const inherited = Object.create({ maxsize: 5 });
  const text = await outcomeOf(CALLS["new Queue"] as Call, inherited);
  assert(text.includes('unknown option "maxsize", the name is "maxSize"'), text);
});

Deno.test("options named as members of every object are unknown", async () => {
  for (const option of ["constructor", "toString", "hasOwnProperty", "__proto__"]) {
    const options = Object.defineProperty({}, option, { value: 1, enumerable: true });
    const text = await outcomeOf(CALLS["new Queue"] as Call, options);
    assert(text.includes(`unknown option "${option}", the only one is "maxSize"`), text);
  }
});

Deno.test("arguments of the wrong kind are a TypeError, those out of range a RangeError", async () => {
  const address = { hostname: "127.0.0.1", port: 80 };
  const wrong: [call: (loop: DenoEventLoop) => unknown, says: string][] = [
    [(loop) => loop.getaddrinfo(5 as never, 80), "TypeError: .*hostname must be a string or null"],
    [(loop) => loop.getnameinfo("127.0.0.1:80" as never), "TypeError: .*an object with options"],
    [(loop) => loop.getnameinfo({} as never), "TypeError: .*the hostname must be a string"],
    [(loop) => loop.getnameinfo(address, "numericHost" as never), "TypeError: .*a list of"],
    [(loop) => void (loop.unretrievedErrorDelay = NaN), "RangeError: .*number of seconds"],
    [(loop) => void (loop.unretrievedErrorDelay = "1" as never), "TypeError: .*of seconds"],
    [() => new Condition(5 as never), "TypeError: .*expected a Lock, .*got 5"],
    [
      (loop) => loop.sendfile({} as never, {} as never),
      "TypeError: .*one with read\\(\\) and seek",
    ],
    [
      (loop) => loop.connectReadPipe(() => ({}), { readable: {} as never }),
      "TypeError: .*expected a stream or a descriptor, got Object",
    ],
    [
      (loop) => loop.connectWritePipe(() => ({}), { writable: 5 as never }),
      "TypeError: .*expected a stream or a descriptor, got Object",
    ],
    [() => notified("2" as never), "TypeError: .*a whole number"],
    [() => notified(NaN), "RangeError: .*a whole number"],
    [() => new ContextVar(5 as never), "TypeError: .*the name must be a string"],
    [() => new StreamReader().setLimit("9" as never), "TypeError: .*a whole number from 1"],
    [() => new StreamReader().setLimit(0.5), "RangeError: .*a whole number from 1"],
    [() => new VirtualClock().schedule(NaN, () => {}), "RangeError: .*a number of seconds"],
    [() => new WorkerPoolExecutor().warmUp("2" as never), "TypeError: .*a whole number from 0"],
    [() => new WorkerPoolExecutor().warmUp(NaN), "RangeError: .*a whole number from 0"],
  ];
  for (const [call, says] of wrong) {
    const text = await outcomeOf((_, loop) => call(loop), {});
    assert(new RegExp(`^${says}`).test(text), `${call}: ${text}`);
  }
});

async function notified(count: number): Promise<void> {
  const condition = new Condition();
  using _ = await condition.acquire();
  condition.notify(count);
}
