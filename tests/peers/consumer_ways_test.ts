// The ways in which Deno runs the program of a project that has the package: each does the same.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { runDeno, withProject } from "./_project.ts";

const WORK = `
import {
  openConnection, run, sleep, startServer, taskGroup, timeout, toThread,
} from "jsr:@gyre/asyncio";

async function work(): Promise<string> {
  await using server = await startServer(async (reader, writer) => {
    await using output = writer;
    for await (const line of reader) output.write(line);
  }, { hostname: "127.0.0.1", port: 0 });
  const [reader, writer] = await openConnection({ hostname: "127.0.0.1", port: server.address.port });
  await using output = writer;
  output.write(new TextEncoder().encode("hello\\n"));
  const line = await timeout(60, () => reader.readLine());
  const sum = await toThread((a: number, b: number) => a + b, 1, 2);
  let ending = "";
  await taskGroup((group) => {
    const child = group.createTask(async () => {
      try {
        await sleep(60);
      } finally {
        ending = "cancelled";
      }
    });
    group.createTask(() => void child.cancel());
  });
  return \`\${new TextDecoder().decode(line).trim()} \${sum} \${ending}\`;
}

export const runWork = (): Promise<string> => run(work);
`;

/** What the work comes to. */
const DONE = "hello 3 cancelled";

const FILES = {
  "work.ts": WORK,
  "main.ts": `import { runWork } from "./work.ts";\nconsole.log(await runWork());\n`,
  "main_test.ts": `import { runWork } from "./work.ts";
    for (const name of ["first", "second"]) {
      Deno.test(name, async () => {
        if (await runWork() !== "${DONE}") throw new Error("It does something else");
      });
    }`,
  "worker.ts": `import { runWork } from "./work.ts";\nself.postMessage(await runWork());\n`,
  "starts_worker.ts": `
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      console.log(data);
      worker.terminate();
    };`,
  "serve.ts": `import { runWork } from "./work.ts";
    export default { fetch: async () => new Response(await runWork()) };`,
};

const NET = ["--quiet", "--no-check", "--allow-net=127.0.0.1"];

function inProject(args: string[]): Promise<string> {
  return withProject(FILES, (folder) => runDeno(folder, args));
}

Deno.test("`deno test` of a project finds no leak, from one test to the next", async () => {
  const printed = await inProject(["test", ...NET, "main_test.ts"]);
  assertStringIncludes(printed, "2 passed | 0 failed");
});

for (const minify of [[], ["--minify"]]) {
  Deno.test(`\`deno bundle ${minify}\` of a project's program runs, and sends functions to threads`, () =>
    withProject(FILES, async (folder) => {
      await runDeno(folder, ["bundle", "--quiet", ...minify, "main.ts", "--output", "out.js"]);
      assertEquals(await runDeno(folder, ["run", ...NET, "--no-config", "out.js"]), `${DONE}\n`);
    }));
}

Deno.test("`deno repl` runs the package, and ends", async () => {
  const code = `import { runWork } from "./work.ts"; console.log(await runWork());`;
  const flags = ["--quiet", "--allow-read", "--allow-net=127.0.0.1"];
  assertEquals(await inProject(["repl", ...flags, "--eval", code]), `${DONE}\n`);
});

Deno.test("a Web Worker of a project runs the package", async () => {
  const flags = [...NET, "--allow-read"];
  assertEquals(await inProject(["run", ...flags, "starts_worker.ts"]), `${DONE}\n`);
});

/** Gives the lines of `stream` one by one. */
function linesOf(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  return async () => {
    for (;;) {
      const [line = "", ...rest] = held.split("\n");
      if (rest.length > 0) {
        held = rest.join("\n");
        return line;
      }
      const { done, value } = await reader.read();
      if (done) throw new Error(`Cannot read a line: the output ended with "${held}"`);
      held += value;
    }
  };
}

/** Starts Deno in a project; it is killed at the end. */
function start(cwd: string, args: string[]): Deno.ChildProcess {
  const env = { NO_COLOR: "1" };
  const options = { args, cwd, env, stdin: "null", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command("deno", options).spawn();
}

async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
  for (const stream of [child.stdout, child.stderr]) if (!stream.locked) await stream.cancel();
}

Deno.test("`deno serve` runs the package for requests, two at a time", () =>
  withProject(FILES, async (folder) => {
    const flags = ["--no-check", "--allow-net=127.0.0.1", "--host=127.0.0.1", "--port=0"];
    const child = start(folder, ["serve", ...flags, "serve.ts"]);
    try {
      const nextLine = linesOf(child.stderr);
      let url: string | undefined;
      while (url === undefined) [url] = /http:\S+/.exec(await nextLine()) ?? [];
      const answers = await Promise.all([1, 2].map(async () => await (await fetch(url)).text()));
      assertEquals(answers, [DONE, DONE]);
    } finally {
      await end(child);
    }
  }));

Deno.test("`deno run --watch` ends a program in good order, and starts it again", () => {
  const program = (version: number) => `
    import { runMain, startServer } from "jsr:@gyre/asyncio";
    await runMain(async () => {
      await using server = await startServer(() => {}, { hostname: "127.0.0.1", port: 0 });
      console.log("up ${version}");
      try {
        await server.serveForever();
      } finally {
        console.log("down ${version}");
      }
    });`;
  return withProject({ "main.ts": program(1) }, async (folder) => {
    const child = start(folder, ["run", ...NET, "--watch", "main.ts"]);
    try {
      const nextLine = linesOf(child.stdout);
      assertEquals(await nextLine(), "up 1");
      // The watcher sees no change before it watches, does not say when it does, and waits for the last of
      // changes that come fast.
      const change = () => Deno.writeTextFileSync(`${folder}/main.ts`, program(2));
      change();
      const changing = setInterval(change, 1000);
      const line = await nextLine().finally(() => clearInterval(changing));
      assertEquals([line, await nextLine()], ["down 1", "up 2"]);
    } finally {
      await end(child);
    }
  });
});
