/**
 * Hello World by coroutines: prints, waits for two seconds, prints again. Once as a generator,
 * whose steps the loop takes in exactly asyncio's order, and once as an async function.
 *
 * deno run examples/hello_coroutine.ts
 *
 * Prints:
 *     Hello World
 *     Hello World, two seconds later
 *     Hello World
 *     Hello World, two seconds later
 *
 * @module
 */
import { type Coroutine, run, sleep } from "@gyre/asyncio";

function* greetByGenerator(): Coroutine<void> {
  console.log("Hello World");
  yield* sleep(2);
  console.log("Hello World, two seconds later");
}

async function greetByAsyncFunction(): Promise<void> {
  console.log("Hello World");
  await sleep(2);
  console.log("Hello World, two seconds later");
}

await run(greetByGenerator);
await run(greetByAsyncFunction);
