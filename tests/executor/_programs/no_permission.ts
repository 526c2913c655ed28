// Runs a job in a worker without any permission.
import { run, toThread } from "../../../mod.ts";

console.log(await run(() => toThread((a: number, b: number) => a + b, 1, 2)));
