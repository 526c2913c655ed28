/**
 * Bodies for tables of "how this ends by how that ends", as coroutines and as async functions.
 *
 * @module
 */
import {
  type Awaitable,
  CancelledError,
  type Coroutine,
  currentTask,
  sleep,
} from "../../loop/mod.ts";
import { brief, type Kind, type Part } from "./_outcome.ts";

/** Returns a body that behaves as `part`, under `name`, which is its value and its error. */
export function bodyOf(
  kind: Kind,
  name: string,
  part: Part,
): () => Coroutine<string> | Promise<string> {
  return kind === "coroutine" ? () => partSteps(name, part) : () => runPart(name, part);
}

/**
 * Returns a body that runs `region` and says in a line how it ended, how many cancellations are
 * left, and `!` if the next await is cancelled.
 */
export function reportOn(
  kind: Kind,
  region: () => Awaitable<string>,
): () => Coroutine<string> | Promise<string> {
  return kind === "coroutine" ? () => reportSteps(region) : () => report(region);
}

function* partSteps(name: string, part: Part): Coroutine<string> {
  try {
    yield* sleep(part.at);
  } catch (error) {
    return answerTo(error, name, part);
  }
  return finish(name, part);
}

async function runPart(name: string, part: Part): Promise<string> {
  try {
    await sleep(part.at);
  } catch (error) {
    return answerTo(error, name, part);
  }
  return finish(name, part);
}

function finish(name: string, part: Part): string {
  if (part.does === "throws") throw new Error(name);
  return name;
}

function answerTo(error: unknown, name: string, part: Part): string {
  if (!(error instanceof CancelledError) || part.whenCancelled === "ends") throw error;
  if (part.whenCancelled === "throws") throw new Error(name);
  return name;
}

function* reportSteps(region: () => Awaitable<string>): Coroutine<string> {
  let outcome: string;
  try {
    outcome = yield* region() as Coroutine<string>;
  } catch (error) {
    outcome = brief(error);
  }
  const left = currentTask()?.cancelling();
  try {
    yield* sleep(0);
  } catch {
    return `${outcome} ${left}!`;
  }
  return `${outcome} ${left}`;
}

async function report(region: () => Awaitable<string>): Promise<string> {
  let outcome: string;
  try {
    outcome = await (region() as PromiseLike<string>);
  } catch (error) {
    outcome = brief(error);
  }
  const left = currentTask()?.cancelling();
  try {
    await sleep(0);
  } catch {
    return `${outcome} ${left}!`;
  }
  return `${outcome} ${left}`;
}
