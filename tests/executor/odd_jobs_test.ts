// Whatever a job does, its future is settled, the next job is right, and no error is lost. Each job
// runs on every kind of executor, sent as a source and named by its module.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  BrokenExecutor,
  DenoEventLoop,
  type Future,
  getRunningLoop,
  moduleFunction,
  ProcessPoolExecutor,
  Queue,
  run,
  toThread,
  WorkerPoolExecutor,
} from "../../mod.ts";
import { simulate } from "../../simulation/mod.ts";
import * as jobs from "./_odd_jobs.ts";

type Job = () => unknown;
type JobName = keyof typeof jobs;
/** Submits a job, and gives what becomes of it. */
type Submit = (job: Job) => Future<unknown>;

const MODULE = new URL("_odd_jobs.ts", import.meta.url);

type Body = (submit: Submit) => Promise<void>;

/** Every way to have jobs run one after the other by one worker, with whether that is a thread. */
const EXECUTORS: [name: string, isThread: boolean, withIt: (body: Body) => Promise<void>][] = [
  ["WorkerPoolExecutor", true, (body) =>
    run(async () => {
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      await body((job) => pool.submit(job));
    })],
  ["ProcessPoolExecutor", false, (body) =>
    run(async () => {
      await using pool = new ProcessPoolExecutor({
        maxWorkers: 1,
        permissions: { read: [MODULE] },
      });
      await body((job) => pool.submit(job));
    })],
  ["toThread()", true, (body) =>
    run(async () => {
      getRunningLoop().setDefaultExecutor(new WorkerPoolExecutor({ maxWorkers: 1 }));
      await body((job) => toThread(job));
    })],
];

/** The ways in which a job can be named. */
const FORMS: [name: string, form: (name: JobName) => Job][] = [
  ["a source", (name) => jobs[name] as Job],
  ["a module", (name) => moduleFunction<Job>(MODULE, name) as unknown as Job],
];

function assertSays(said: unknown, expected: string | RegExp): void {
  if (typeof expected === "string") assertEquals(said, expected);
  else assert(expected.test(String(said)), `${said} is not ${expected}`);
}

/** The text of what was thrown, of which clones of objects have none. */
function textOf(thrown: unknown): string {
  const prototype = typeof thrown === "object" && thrown !== null && !(thrown instanceof Error);
  return prototype ? Object.prototype.toString.call(thrown) : String(thrown);
}

async function failureOf(future: Future<unknown>): Promise<unknown> {
  return await future.then(
    (value) => assert(false, `it gave ${Deno.inspect(value)}`),
    (error: unknown) => error,
  );
}

async function assertGives(submit: Submit, form: (name: JobName) => Job): Promise<void> {
  for (const [name, expected] of jobs.GIVES) {
    const value = await submit(form(name));
    assertEquals(value instanceof Uint8Array ? value.length : value, expected, name);
    assertEquals(await submit(() => "next"), "next", name);
  }
}

async function assertFails(submit: Submit, form: (name: JobName) => Job): Promise<void> {
  for (const [name, expected] of jobs.FAILS) {
    assertSays(textOf(await failureOf(submit(form(name)))), expected);
    assertEquals(await submit(() => "next"), "next", name);
  }
}

/** Notes what the loop is told. */
function recordReports(): Queue<string> {
  const reports = new Queue<string>();
  getRunningLoop().setExceptionHandler((_loop, { message, exception }) => {
    assertEquals(message, "Exception in a worker that no job waits for");
    reports.putNowait(textOf(exception));
  });
  return reports;
}

for (const [executor, isThread, withExecutor] of EXECUTORS) {
  for (const [kind, form] of FORMS) {
    Deno.test(`${executor} settles the future of each job that is ${kind}, and of the next`, () =>
      withExecutor(async (submit) => {
        const reports = recordReports();
        await assertGives(submit, form);
        await assertFails(submit, form);
        assertEquals(reports.size, 0);
      }));

    Deno.test(`${executor} fails only the job that breaks its worker, given as ${kind}`, () =>
      withExecutor(async (submit) => {
        const reports = recordReports();
        const breaks = [...jobs.BREAKS, ...isThread ? jobs.THREAD_BREAKS : []];
        for (const [name, says] of breaks) {
          const [broken, next] = [submit(form(name)), submit(() => "next")];
          const error = await assertRejects(async () => await broken, BrokenExecutor);
          assertStringIncludes(error.message, String(says));
          assertEquals(await next, "next", name);
        }
        assertEquals(reports.size, 0);
      }));

    Deno.test(`${executor} reports what a job given as ${kind} leaves behind, and spares the next`, () =>
      withExecutor(async (submit) => {
        const reports = recordReports();
        const leaves = [...jobs.LEAVES, ...isThread ? jobs.THREAD_LEAVES : []];
        for (const [name, text] of leaves) {
          const [left, next] = [submit(form(name)), submit(form("beInnocent"))];
          assertEquals([await left, await next], ["left", "innocent"], name);
          const report = await reports.get();
          if (name === "leaveOddTimer") assertEquals(report, "[object Object]");
          else assertSays(report, text);
        }
        assertEquals(reports.size, 0);
      }));
  }

  Deno.test(`${executor} reports what fails while no job runs`, () =>
    withExecutor(async (submit) => {
      const reports = recordReports();
      await submit(() => {
        setTimeout(() => {
          throw new Error("idle");
        });
      });
      assertEquals(await reports.get(), "Error: idle");
      assertEquals(await submit(() => "next"), "next");
    }));
}

Deno.test("The default executor of a loop with processes settles the future of each job", () =>
  run(async () => {
    const submit: Submit = (job) => getRunningLoop().runInExecutor(null, job);
    const reports = recordReports();
    for (const [, form] of FORMS) {
      await assertGives(submit, form);
      await assertFails(submit, form);
    }
    assertEquals(reports.size, 0);
  }, {
    loopFactory: () => new DenoEventLoop({ permissions: { executors: true, read: [MODULE] } }),
  }));

for (const kind of ["thread", "process"] as const) {
  for (const [name, form] of FORMS) {
    Deno.test(`A simulated ${kind} settles the future of each job that is ${name}`, () =>
      simulate(async () => {
        await using pool = kind === "thread"
          ? new WorkerPoolExecutor({ maxWorkers: 1 })
          : new ProcessPoolExecutor({ maxWorkers: 1 });
        const submit: Submit = (job) => pool.submit(job);
        await assertGives(submit, form);
        await assertFails(submit, form);
      }));
  }
}
