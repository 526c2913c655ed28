/**
 * Programs as somebody writes them who has Python in mind, each with one mistake, which the types
 * refuse. The first argument says which one to run.
 *
 * @module
 */
import {
  asCompleted,
  createSubprocessExec,
  createTask,
  gather,
  getRunningLoop,
  openConnection,
  Queue,
  run,
  runMain,
  sleep,
  startServer,
  taskGroup,
  timeout,
  wait,
  waitFor,
} from "@gyre/asyncio";

async function worker(n: number): Promise<number> {
  await sleep(0.001);
  return n;
}

function* coroutine(n: number) {
  yield* sleep(0.001);
  return n;
}

/** What each mistake does. */
export const MISTAKES: Readonly<Record<string, () => unknown>> = {
  // @ts-expect-error: a promise is no task body
  "createTask(worker(1))": () => createTask(worker(1)),
  // @ts-expect-error: a list is missing
  "gather(worker(1), worker(2))": () => gather(worker(1), worker(2)),
  // @ts-expect-error: a list is missing
  "gather(a, b)": () => gather(sleep(1), sleep(2)),
  // @ts-expect-error: a promise does not say whether it is done
  "wait([worker(1)])": () => wait([worker(1)]),
  // @ts-expect-error: a list is missing
  "wait(coroutine(1))": () => wait(coroutine(1)),
  // @ts-expect-error: a list is missing
  "asCompleted(future)": () => [...asCompleted(sleep(1))],
  "[a, b] = openConnection() without await": () => {
    const [reader, writer] = openConnection({ port: 1 });
    // @ts-expect-error: of what a future gives to `yield*` nothing is known
    writer.close();
    return reader;
  },
  "[a] = openConnection() without await": () => {
    const [reader] = openConnection({ port: 1 });
    return reader;
  },
  // @ts-expect-error: the options are an object
  "new Queue(5)": () => new Queue(5),
  // @ts-expect-error: the option is maxSize
  "new Queue({ maxsize: 5 })": () => new Queue({ maxsize: 5 }),
  // @ts-expect-error: the option is hostname
  "openConnection({ host })": () => openConnection({ host: "127.0.0.1", port: 1 }),
  // @ts-expect-error: the option is tls
  "openConnection({ ssl })": () => openConnection({ port: 1, ssl: true }),
  // @ts-expect-error: the options are an object
  "openConnection(host, port)": () => openConnection("127.0.0.1", 1),
  // @ts-expect-error: the options are an object
  "startServer(f, host, port)": () => startServer(() => {}, "127.0.0.1", 1),
  // @ts-expect-error: the option is returnExceptions
  "gather(…, { return_exceptions })": () => gather([sleep(0)], { return_exceptions: true }),
  // @ts-expect-error: the arguments are a list in an object
  'createSubprocessExec("echo", "hi")': () => createSubprocessExec("echo", "hi"),
  "callSoon(function* …)": () =>
    getRunningLoop().callSoon(function* () {
      yield* sleep(1);
    }),
  // @ts-expect-error: the time is missing
  "waitFor(future)": () => waitFor(sleep(1)),
  // @ts-expect-error: the body is missing
  "timeout(1) without a body": () => timeout(1),
  // @ts-expect-error: the body is missing
  "taskGroup() without a body": () => taskGroup(),
  // @ts-expect-error: the executor is missing
  "runInExecutor(f)": () => getRunningLoop().runInExecutor(() => 1),
};

/** Those that are made outside of a run. */
export const MAIN_MISTAKES: Readonly<Record<string, () => Promise<unknown>>> = {
  // @ts-expect-error: a promise is no function
  "run(main())": () => run(Promise.resolve()),
  // @ts-expect-error: a promise is no function
  "runMain(main())": () => runMain(Promise.resolve()),
};

if (import.meta.main) {
  const [name = ""] = Deno.args;
  const mistake = MISTAKES[name];
  if (mistake === undefined) await MAIN_MISTAKES[name]?.();
  else await run(async () => void await mistake());
}
