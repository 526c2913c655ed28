import { describe } from "../values/_describe.ts";
import { isCoroutine, isThenable } from "../values/is_coroutine.ts";
import { refuseAsyncGenerator } from "../values/_function_kind.ts";

/**
 * Checks what a task is to run.
 *
 * @throws {TypeError} If `body` is neither a coroutine nor a function.
 */
export function checkTaskBody(body: unknown): void {
  if (isCoroutine(body)) return;
  if (typeof body === "function") return refuseAsyncGenerator(body);
  const remedy = isThenable(body) ? "; pass the function, as in createTask(() => work(1))" : "";
  throw new TypeError(
    `Cannot create a task: expected a coroutine or a function, got ${describe(body)}${remedy}`,
  );
}
