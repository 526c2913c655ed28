import { assertMatch } from "@std/assert";
import { type Coroutine, createTask, type Future, getRunningLoop, sleep, wait } from "../../mod.ts";
import { KINDS } from "../loop/_outcome.ts";

/** Fails unless a snapshot says `words` of what a task waits for that awaits what `begin` gives. */
export async function assertWaits(begin: () => Future<unknown>, words: RegExp): Promise<void> {
  for (const kind of KINDS) {
    const body = kind === "coroutine"
      ? function* (): Coroutine<void> {
        yield* begin();
      }
      : async () => void await begin();
    const waiter = createTask(body, { name: "waiter" });
    await sleep(0);
    await sleep(0);
    const { tasks } = getRunningLoop().snapshot();
    const found = tasks.find((task) => task.name === "waiter");
    assertMatch(found?.waitsFor.join(" and ") ?? "nothing", words, kind);
    waiter.cancel();
    await wait([waiter]);
  }
}
