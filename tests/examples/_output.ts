import type { ExpectedOutput } from "./_header.ts";

/** A hash of at least 8 digits, or a number. */
const VARYING = /\b[0-9a-f]{8,}\b|\d+(?:\.\d+)?/g;

/** Says whether `text` is what a program prints that prints `expected`. */
export function matchesOutput(text: string, expected: ExpectedOutput): boolean {
  return patternOf(expected.lines.filter((line) => line !== "^C"), expected.varies).test(
    shown(text),
  );
}

/** Leaves of `text` what a terminal shows in the end: a carriage return starts the line again. */
function shown(text: string): string {
  return text.replace(/.*\r(?!\n)/g, "");
}

/** Says whether all has been printed that comes before the user presses Ctrl-C. */
export function reachesInterrupt(text: string, expected: ExpectedOutput): boolean {
  const end = expected.lines.indexOf("^C");
  return end >= 0 && patternOf(expected.lines.slice(0, end), expected.varies).test(shown(text));
}

function patternOf(lines: readonly string[], varies: boolean): RegExp {
  const patterns = lines.map((line) => {
    if (line === "…" || line === "...") return "(?:.*\\n)*?";
    return (varies ? varyingPattern(line) : RegExp.escape(line)) + "\\n";
  });
  return new RegExp(`^${patterns.join("")}$`);
}

/** Accepts other numbers and hashes, and tables as wide as those make them. */
function varyingPattern(line: string): string {
  const literals = line.split(VARYING).map((literal) => {
    return literal.split(/(\s+|─+)/).map((part) => {
      if (/^\s/.test(part)) return "\\s+";
      return part.startsWith("─") ? "─+" : RegExp.escape(part);
    }).join("");
  });
  return literals.join("(?:[0-9a-f]{8,}|\\d+(?:\\.\\d+)?)");
}
