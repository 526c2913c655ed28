// The jobs of the suite. `effect` leaves a mark that stays whatever happens to its worker.
import { defineJobs } from "../../../executor/queue/mod.ts";

export default defineJobs({
  double: (x: number) => x * 2,
  echo: (value: unknown) => value,
  fail: (message: string) => {
    throw new RangeError(message);
  },
  /** Appends a line to a file, and then waits. */
  effect: async (file: string, line: string, ms: number) => {
    await Deno.writeTextFile(file, `${line}\n`, { append: true });
    await new Promise((resolve) => setTimeout(resolve, ms));
    return line;
  },
  /** Computes for some time, and leaves nobody else his turn. */
  compute: (file: string, ms: number) => {
    Deno.writeTextFileSync(file, "computed\n", { append: true });
    const end = performance.now() + ms;
    while (performance.now() < end);
    return "computed";
  },
  /** Throws until it is tried for the `tries`th time. */
  flaky: async (file: string, tries: number) => {
    await Deno.writeTextFile(file, "try\n", { append: true });
    const count = (await Deno.readTextFile(file)).split("\n").length - 1;
    if (count < tries) throw new Error(`try ${count}`);
    return count;
  },
  exit: () => Deno.exit(7),
});
