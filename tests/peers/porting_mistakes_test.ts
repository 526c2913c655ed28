// Programs with a mistake of porting, run as `deno run` does, without types: each ends at once and
// names the remedy. That the types refuse each is what `deno check` says of programs/mistake.ts.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { MAIN_MISTAKES, MISTAKES } from "./programs/mistake.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** What each mistake is answered with. */
const ANSWERS: Readonly<Record<string, string>> = {
  "createTask(worker(1))": "pass the function, as in createTask(() => work(1))",
  "gather(worker(1), worker(2))": "expected a list, as in gather([a, b]), got Promise",
  "gather(a, b)": "expected a list, as in gather([a, b]), got <Sleep pending>",
  "wait([worker(1)])": "expected futures only, got Promise; ensureFuture() makes one of it",
  "wait(coroutine(1))": "expected a list, as in wait([a, b]), got a coroutine",
  "asCompleted(future)": "expected a list, as in asCompleted([a, b]), got <Sleep pending>",
  "[a, b] = openConnection() without await": "as in const [a, b] = await future",
  "[a] = openConnection() without await": "as in const [a, b] = await future",
  "new Queue(5)": "expected an object with options, got 5; as in { maxSize: 5 }",
  "new Queue({ maxsize: 5 })": 'unknown option "maxsize", the name is "maxSize"',
  "openConnection({ host })": 'unknown option "host", the name is "hostname"',
  "openConnection({ ssl })": 'unknown option "ssl", the name is "tls"',
  "openConnection(host, port)": 'got "127.0.0.1"; as in { hostname: "127.0.0.1" }',
  "startServer(f, host, port)": 'got "127.0.0.1"; as in { hostname: "127.0.0.1" }',
  "gather(…, { return_exceptions })": 'the name is "returnExceptions"',
  'createSubprocessExec("echo", "hi")': 'got "hi"; there are args, stdin, ',
  "callSoon(function* …)": "expected a plain function, got a GeneratorFunction",
  "waitFor(future)": "timeout must be a number of seconds, got undefined",
  "timeout(1) without a body": "expected a function, as in timeout(1, () => work())",
  "taskGroup() without a body": "expected a function, as in taskGroup(async (group) => ",
  "runInExecutor(f)": "as in runInExecutor(null, f), got a function",
  "run(main())": "got Promise; pass the function, as in run(main)",
  "runMain(main())": "got Promise; pass the function, as in run(main)",
};

/** A program that takes longer hangs: one that does nothing takes a tenth of this, or so. */
const LIMIT_MS = 10_000;

async function runMistake(name: string): Promise<[code: number, errors: string]> {
  const program = filePath(new URL("programs/mistake.ts", import.meta.url));
  const options: Deno.CommandOptions = {
    args: ["run", "--no-check", "--allow-net=127.0.0.1", program, name],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(LIMIT_MS),
    stdin: "null",
  };
  const { code, stderr } = await new Deno.Command("deno", options).output();
  return [code, new TextDecoder().decode(stderr)];
}

Deno.test("every mistake of porting has its answer", () => {
  const names = [...Object.keys(MISTAKES), ...Object.keys(MAIN_MISTAKES)];
  assertEquals(names.toSorted(), Object.keys(ANSWERS).toSorted());
});

for (const [name, answer] of Object.entries(ANSWERS)) {
  Deno.test(`a program with ${name} ends at once and names the remedy`, async () => {
    const [code, errors] = await runMistake(name);
    assertStringIncludes(errors, answer);
    assertEquals(code, 1);
  });
}
