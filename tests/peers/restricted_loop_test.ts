import { assertEquals } from "@std/assert";

const PACKAGE = new URL("../../mod.ts", import.meta.url).href;

/** Runs `body` on a loop with `permissions`, in a process with `flags`. Gives what it printed. */
async function runRestricted(
  flags: string[],
  permissions: object,
  body: string,
): Promise<string[]> {
  const program = `
    import { DenoEventLoop, ProcessPoolExecutor, run } from "${PACKAGE}";
    const loop = new DenoEventLoop({ permissions: ${JSON.stringify(permissions)} });
    async function attempt(work) {
      try {
        const given = await work();
        console.log(Array.isArray(given) ? given.join() : "done");
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
    await run(async () => { ${body} }, { loopFactory: () => loop });
  `;
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", ...flags, `data:text/javascript,${encodeURIComponent(program)}`],
    stdin: "null",
    stderr: "inherit",
    signal: AbortSignal.timeout(30_000),
  });
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** Connects to a port where nobody listens. */
function connect(hostname: string, port: number): string {
  return `await attempt(() => loop.createConnection(Object, { hostname: "${hostname}", port: ${port} }));`;
}

Deno.test("A restricted loop connects to a listed name in numbers", async () => {
  const printed = await runRestricted(
    ["--allow-net=localhost,127.0.0.1,[::1]"],
    { net: ["localhost:1"] },
    connect("LOCALHOST.", 1) + connect("localhost", 2) + connect("127.1", 2),
  );
  const option = "the loop has no permission for it, it requires permissions: { net: ";
  // What the name means first is up to the machine.
  assertEquals(
    printed[0]?.replace("[::1]", "127.0.0.1").replace(/refused.*/, "refused"),
    'ConnectionRefused: Cannot connect to "127.0.0.1:1": connection refused',
  );
  assertEquals(printed.slice(1), [
    `NotCapable: Cannot connect to "localhost:2": ${option}["localhost:2"] }`,
    `NotCapable: Cannot connect to "127.1:2": ${option}["127.0.0.1:2"] }`,
  ]);
});

Deno.test("A restricted loop connects by name where the process is granted nothing else", async () => {
  const printed = await runRestricted(
    ["--allow-net=localhost:1"],
    { net: ["localhost:1", "localhost:2"] },
    connect("localhost", 1) + connect("localhost", 2),
  );
  assertEquals(printed.map((line) => line.replace(/refused.*/, "refused")), [
    'ConnectionRefused: Cannot connect to "localhost:1": connection refused',
    'NotCapable: Cannot connect to "localhost:2": it requires --allow-net=localhost:2',
  ]);
});

Deno.test("Jobs of a restricted loop have what the loop has, whatever the process has", async () => {
  const query = `async () => {
    const wanted = [
      { name: "net", host: "localhost:1" },
      { name: "net" },
      { name: "read", path: "/tmp/x" },
      { name: "read" },
      { name: "run" },
    ];
    const states = await Promise.all(wanted.map((one) => Deno.permissions.query(one)));
    return states.map(({ state }) => state === "granted");
  }`;
  const printed = await runRestricted(
    ["--allow-net", "--allow-read", "--allow-run=deno"],
    { executors: true, net: ["localhost:1"], read: ["/tmp"] },
    `await attempt(() => loop.runInExecutor(null, ${query}));
     const greedy = new ProcessPoolExecutor({ permissions: { net: ["localhost"] } });
     await attempt(() => loop.runInExecutor(greedy, () => 1));`,
  );
  assertEquals(printed, [
    "true,false,true,false,false",
    `NotCapable: Cannot give a worker process net "localhost": the loop has no permission for it, ` +
    `it requires permissions: { net: ["localhost"] }`,
  ]);
});

Deno.test("The signals that end run() reach a loop that may handle none", async () => {
  const printed = await runRestricted(
    ["--allow-run=kill"],
    { run: ["kill"] },
    `loop.subprocessExec(Object, "kill", { args: ["-TERM", String(Deno.pid)] });
     await attempt(() => loop.createFuture());`,
  );
  assertEquals(printed, ["CancelledError: SIGTERM"]);
});
