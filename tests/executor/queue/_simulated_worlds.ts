// A caller, a broker and two workers, each on a host, of which some fail meanwhile.
import { assert, assertEquals } from "@std/assert";
import { createTask, getRunningLoop, sleep, wait } from "@gyre/asyncio";
import { defineJobs, JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
import {
  type FaultOptions,
  SimulatedBroker,
  SimulatedQueue,
  type SimulationMain,
} from "@gyre/asyncio/simulation";
import { decode, encode } from "../../../executor/queue/_envelope.ts";
import { recordThrown } from "../../../executor/_thrown_record.ts";

const AT = { hostname: "broker", port: 80, lease: 4 };
const COUNT = 6;

/** What happens in the worlds: to everybody but the caller, whose memory its futures are in. */
export const FAULTS: FaultOptions = {
  hosts: ["broker", "one", "other"],
  count: 6,
  within: 12,
  longest: 8,
};

/**
 * Creates a world in which jobs leave effects. The planted mistake: one that acknowledges a job before
 * its effect.
 */
export function queueWorld(
  { acknowledgesEarly }: { acknowledgesEarly: boolean },
): SimulationMain<void> {
  return async ({ host, network }) => {
    const effects = new Set<number>();
    const jobs = defineJobs({
      affect: async (index: number) => {
        await sleep(0.5);
        effects.add(index);
        return index;
      },
      fail: (index: number): Promise<number> => {
        throw new RangeError(`job ${index}`);
      },
    });
    const quiet = () => getRunningLoop().setExceptionHandler(() => {});
    const queue = new SimulatedQueue({ lease: AT.lease });
    quiet();
    host("broker").run(() => {
      quiet();
      return queue.serve(AT.port);
    });
    for (const name of ["one", "other"]) {
      host(name).run(async () => {
        quiet();
        const broker = acknowledgesEarly ? new EarlyBroker(AT) : new SimulatedBroker(AT);
        await new JobWorker(broker, { jobs, concurrency: 2 }).run();
      });
    }
    const executor = new QueueExecutor(new SimulatedBroker(AT));
    const results = Array.from({ length: COUNT }, (_, index) =>
      createTask(async () => {
        await sleep(index);
        try {
          return await executor.submit(index % 3 < 2 ? jobs.affect : jobs.fail, index);
        } catch (error) {
          return error instanceof RangeError ? error.message : error;
        }
      }));
    await wait(results);
    for (const [index, result] of results.entries()) {
      assertEquals(result.result(), index % 3 < 2 ? index : `job ${index}`);
      assert(index % 3 === 2 || effects.has(index), `job ${index} has left no effect`);
    }
    network.heal();
    await executor.shutdown();
    assertEquals(queue.length, 0);
  };
}

/** Says that a job is done when it is taken, with a guess of what it will give. */
class EarlyBroker extends SimulatedBroker {
  override async take(signal: AbortSignal): ReturnType<SimulatedBroker["take"]> {
    const job = await super.take(signal);
    if (job !== null) await super.finish(job, replyTo(job.payload));
    return job;
  }
}

/** The reply that a job of these worlds is going to give. */
function replyTo(payload: Uint8Array): Uint8Array {
  const { name, args } = decode(payload) as { name: string; args: [number] };
  const [index] = args;
  const error = recordThrown(new RangeError(`job ${index}`));
  return encode(name === "fail" ? ["failed", error] : ["finished", index], "structured");
}
