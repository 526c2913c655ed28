import { assertEquals } from "@std/assert";
import { type Coroutine, type Future, getRunningLoop, sleep } from "../../loop/mod.ts";
import type { HostAddress } from "../../loop/platform/platform.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import { interleave, race } from "../../transports/endpoints/happy_eyeballs.ts";
import { simulate } from "../../simulation/mod.ts";

const SIX: HostAddress[] = ["::1", "::2", "::3"].map((hostname) => ({ family: "ipv6", hostname }));
const FOUR: HostAddress[] = ["1.1.1.1", "2.2.2.2"].map((hostname) => ({
  family: "ipv4",
  hostname,
}));

function names(addresses: HostAddress[]): string {
  return addresses.map(({ hostname }) => hostname).join(" ");
}

/** Attempts that end after so many seconds: with their name, or with an error. */
function attempts(
  log: string[],
  ends: Record<string, { after: number; fails?: boolean }>,
): (() => Future<string>)[] {
  return Object.entries(ends).map(([name, { after, fails }]) => () => {
    const loop = getRunningLoop();
    return startOperation(
      loop,
      (function* (): Coroutine<string> {
        log.push(`${loop.time()} ${name} starts`);
        try {
          yield* sleep(after);
        } catch (error) {
          log.push(`${loop.time()} ${name} is given up`);
          throw error;
        }
        if (fails === true) throw new Error(name);
        return name;
      })(),
    );
  });
}

Deno.test("interleave() lets the families take turns after the first ones", () => {
  assertEquals(names(interleave([...SIX, ...FOUR], 1)), "::1 1.1.1.1 ::2 2.2.2.2 ::3");
  assertEquals(names(interleave([...SIX, ...FOUR], 2)), "::1 ::2 1.1.1.1 ::3 2.2.2.2");
  assertEquals(names(interleave([...FOUR, ...SIX], 1)), "1.1.1.1 ::1 2.2.2.2 ::2 ::3");
  assertEquals(names(interleave([...SIX, ...FOUR], 0)), "::1 ::2 ::3 1.1.1.1 2.2.2.2");
  assertEquals(interleave([], 1), []);
});

Deno.test("race() starts the next attempt after the delay, and gives up the slower ones", async () => {
  const log: string[] = [];
  const result = await simulate(() =>
    startOperation(
      getRunningLoop(),
      race(
        attempts(log, { slow: { after: 10 }, fast: { after: 1 }, unused: { after: 1 } }),
        0.25,
        () => {},
      ),
    )
  );
  assertEquals(result, { state: "won", value: "fast" });
  assertEquals(log, [
    "0 slow starts",
    "0.25 fast starts",
    "0.5 unused starts",
    "1.25 slow is given up",
    "1.25 unused is given up",
  ]);
});

Deno.test("race() starts the next attempt at once when one fails", async () => {
  const log: string[] = [];
  const result = await simulate(() =>
    startOperation(
      getRunningLoop(),
      race(
        attempts(log, { first: { after: 0.1, fails: true }, second: { after: 1 } }),
        0.25,
        () => {},
      ),
    )
  );
  assertEquals(result, { state: "won", value: "second" });
  assertEquals(log, ["0 first starts", "0.1 second starts"]);
});

Deno.test("race() without a delay waits for each attempt to fail, and gives all errors", async () => {
  const log: string[] = [];
  const result = await simulate(() =>
    startOperation(
      getRunningLoop(),
      race(
        attempts(log, { first: { after: 5, fails: true }, second: { after: 1, fails: true } }),
        null,
        () => {},
      ),
    )
  );
  assertEquals(log, ["0 first starts", "5 second starts"]);
  assertEquals(result.state === "lost" && result.errors.map(String), [
    "Error: first",
    "Error: second",
  ]);
});

Deno.test("race() discards the value of an attempt that succeeded at the same time", async () => {
  const log: string[] = [];
  const discarded: string[] = [];
  const result = await simulate(() =>
    startOperation(
      getRunningLoop(),
      race(
        attempts(log, { first: { after: 1 }, second: { after: 0.5 } }),
        0.5,
        (value: string) => void discarded.push(value),
      ),
    )
  );
  assertEquals(result, { state: "won", value: "first" });
  assertEquals(discarded, ["second"]);
});

Deno.test("race() that is cancelled gives up every attempt", async () => {
  const log: string[] = [];
  await simulate(function* () {
    const loop = getRunningLoop();
    const racing = startOperation(
      loop,
      race(attempts(log, { first: { after: 10 }, second: { after: 10 } }), 0.25, () => {}),
    );
    yield* sleep(1);
    racing.cancel();
    yield* sleep(1);
    assertEquals(racing.cancelled(), true);
  });
  assertEquals(log.slice(2), ["1 first is given up", "1 second is given up"]);
});
