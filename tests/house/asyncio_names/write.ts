/**
 * Writes which of asyncio's names are here into ARCHITECTURE.md.
 *
 * deno task names
 *
 * @module
 */
import { coverageMarkdown } from "./coverage.ts";

/** The marks in ARCHITECTURE.md between which the list is. */
export const MARKS = ["<!-- deno-fmt-ignore-start -->", "<!-- deno-fmt-ignore-end -->"] as const;

if (import.meta.main) {
  const [start, end] = MARKS;
  const page = await Deno.readTextFile("ARCHITECTURE.md");
  const before = page.slice(0, page.lastIndexOf(start) + start.length);
  const after = page.slice(page.lastIndexOf(end));
  await Deno.writeTextFile("ARCHITECTURE.md", `${before}\n\n${coverageMarkdown()}\n\n${after}`);
}
