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

/** Makes a folder `allowed`, with a link in it to `other/sub` beside it; gives what removes both. */
async function makeLinkedFolder(): Promise<{ folder: string; [Symbol.dispose](): void }> {
  const folder = Deno.makeTempDirSync({ dir: "/tmp" });
  const script = `mkdir -p allowed other/sub && ln -s ../other/sub allowed/link &&
    printf '#!/bin/sh\\necho reached\\n' > other/tool && printf '#!/bin/sh\\n' > allowed/tool &&
    chmod +x other/tool allowed/tool`;
  const { success } = await new Deno.Command("sh", { args: ["-c", script], cwd: folder }).output();
  assertEquals(success, true);
  return { folder, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

Deno.test("A restricted loop opens the socket whose path was compared, not one beside a link", async () => {
  using made = await makeLinkedFolder();
  const { folder } = made;
  const printed = await runRestricted(
    ["--allow-net", `--allow-read=${folder}`, `--allow-write=${folder}`],
    { unix: [`${folder}/allowed`] },
    `const list = (name) => [...Deno.readDirSync("${folder}/" + name)].map(({ name }) => name).sort();
     const secret = Deno.listen({ transport: "unix", path: "${folder}/other/secret.sock" });
     const connect = (path) => loop.createUnixConnection(Object, { path: "${folder}/" + path });
     await attempt(() => connect("allowed/link/../secret.sock"));
     await attempt(() => connect("allowed/./link//../secret.sock/"));
     await attempt(() => connect("allowed/../other/secret.sock"));
     secret.close();
     const path = "${folder}/allowed/link/../made.sock";
     const server = await loop.createUnixServer(Object, { path });
     await attempt(() => list("allowed"));
     await attempt(() => list("other"));
     server.close();
     const linked = await loop.createUnixServer(Object, { path: "${folder}/allowed/link/x.sock" });
     await attempt(() => list("other/sub"));
     linked.close();`,
  );
  const missing = `NotFound: Cannot connect to "${folder}/allowed/secret.sock"`;
  assertEquals(printed.map((line) => line.startsWith(missing) ? "missing" : line), [
    "missing",
    "missing",
    `NotCapable: Cannot connect to "${folder}/allowed/../other/secret.sock": the loop has no ` +
    `permission for it, it requires permissions: { unix: ["${folder}/allowed/../other/secret.sock"] }`,
    "link,made.sock,tool",
    "sub,tool",
    "x.sock",
  ]);
});

Deno.test("A restricted loop starts the program whose path was compared, not one beside a link", async () => {
  using made = await makeLinkedFolder();
  const { folder } = made;
  // With errors joined a shell starts the program, which takes its path as it is.
  const start = (command: string, options = {}) =>
    `await attempt(async () => {
       const options = ${JSON.stringify({ stdout: "piped", stderr: "stdout", ...options })};
       const process = await createSubprocessExec(${JSON.stringify(command)}, options);
       const [output] = await process.communicate();
       return ["ran: " + new TextDecoder().decode(output).trim()];
     });`;
  const printed = await runRestricted(
    ["--allow-run"],
    { run: [`${folder}/allowed/tool`] },
    `const { createSubprocessExec } = await import("${PACKAGE}");` +
      start(`${folder}/allowed/tool`) + start(`${folder}/allowed/link/../tool`) +
      start("./tool", { cwd: `${folder}/allowed/link/..` }) + `console.log("end");`,
  );
  // The program beside the link would print "reached".
  assertEquals(printed, ["ran: ", "ran: ", "ran: ", "end"]);
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
