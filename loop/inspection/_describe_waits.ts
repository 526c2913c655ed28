import { inWords } from "../values/in_words.ts";
import type { Task } from "../tasks/task.ts";
import { Waits } from "./_waits.ts";

/** Tasks that a message names. */
const MOST_NAMED = 20;

/** Says of each of `tasks`, which are of one loop, what it waits for; `""` of none. */
export function describeWaits(tasks: readonly Task<unknown>[]): string {
  const [first] = tasks;
  if (first === undefined) return "";
  const waits = new Waits(first.getLoop());
  const told = tasks.slice(0, MOST_NAMED).map((task) =>
    `${inWords(task)} waits for ${waits.of(task).map(withArticle).join(" and ")}`
  );
  if (tasks.length > MOST_NAMED) told.push(`and ${tasks.length - MOST_NAMED} more tasks`);
  return told.join("; ");
}

function withArticle(text: string): string {
  return text === "future" ? "a future" : text;
}
