// Each case runs on loopback and in a simulation, and gives the same. What differs is listed here,
// with what either gives.
import { assertEquals } from "@std/assert";
import { sleep } from "../../mod.ts";
import { simulate } from "../../simulation/mod.ts";
import { type Stage, WEB_CASES, type WebCase } from "./_web_cases.ts";

/** What is not the same: a part of what a case gives, with the reason. */
interface Difference {
  readonly reason: string;
  readonly part: string;
  readonly real: unknown;
  readonly simulated: unknown;
}

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "fetch() gives status 205": {
    reason: "the parser of Node needs to know that nothing follows",
    part: "headers",
    real: [],
    simulated: [["content-length", "0"]],
  },
  "fetch() does not follow a redirection without a location": {
    reason: "Deno loses the body",
    part: "body",
    real: "",
    simulated: "text",
  },
};

async function runReal(webCase: WebCase): Promise<unknown> {
  const undoing: (() => unknown)[] = [];
  const stage: Stage = {
    host: "127.0.0.1",
    onServer: (start) => Promise.resolve(start()),
    after: (undo) => void undoing.push(undo),
  };
  try {
    return await webCase(stage);
  } finally {
    for (const undo of undoing.reverse()) await undo();
  }
}

function runSimulated(webCase: WebCase): Promise<unknown> {
  return simulate(async ({ host }) => {
    const undoing: (() => unknown)[] = [];
    const stage: Stage = {
      host: "server",
      onServer: async (start) => await host("server").run(() => start()),
      after: (undo) => void undoing.push(undo),
    };
    await sleep(0);
    try {
      return await webCase(stage);
    } finally {
      for (const undo of undoing.reverse()) await undo();
    }
  }, { web: true, report: () => {}, timeLimit: 3600 });
}

for (const [name, webCase] of Object.entries(WEB_CASES)) {
  const difference = DIFFERENCES[name];
  const title = difference === undefined ? "is the same" : `differs: ${difference.reason}`;
  Deno.test({
    name: `on loopback and simulated ${title}: ${name}`,
    // Deno keeps connections of fetch() for later, and the handles of what it was told to destroy.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const real = await runReal(webCase);
      const simulated = await runSimulated(webCase);
      if (difference === undefined) return assertEquals(simulated, real);
      const { part, ...values } = difference;
      const [first, second] = [real, simulated] as Record<string, unknown>[];
      assertEquals([first?.[part], second?.[part]], [values.real, values.simulated]);
      assertEquals({ ...second, [part]: null }, { ...first, [part]: null });
    },
  });
}
